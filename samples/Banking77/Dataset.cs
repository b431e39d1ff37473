using Microsoft.VisualBasic.FileIO;

namespace Banking77;

/// <summary>What a customer writes.</summary>
public sealed record Message(string Text);

/// <summary>What it is about.</summary>
public sealed record Intent(string Category);

/// <summary>Messages with their intents, dealt out by a seed: to imitate, to reinforce on, to choose by, to report.</summary>
internal sealed record Dataset(
    IReadOnlyList<Example<Message, Intent>> Imitate,
    IReadOnlyList<Example<Message, Intent>> Train,
    IReadOnlyList<Example<Message, Intent>> Validation,
    IReadOnlyList<Example<Message, Intent>> Test)
{
    private const int Reported = 400;
    private const int Chosen = 200;

    private static readonly string[] Verbs = ["lost", "blocked", "ordered", "cancelled", "changed", "activated", "returned"];

    private static readonly string[] Things = ["card", "transfer", "cheque", "account", "top-up", "direct debit"];

    private static readonly string[] Openings = ["", "Hello, ", "Please help: ", "Sorry, ", "Good day. "];

    /// <summary>The Banking77 file (columns text, category).</summary>
    /// <exception cref="HoneException">The file has no such columns or too few rows.</exception>
    public static Dataset Read(string path, long seed)
    {
        using var file = new TextFieldParser(path) { TextFieldType = Microsoft.VisualBasic.FileIO.FieldType.Delimited, Delimiters = [","], HasFieldsEnclosedInQuotes = true, TrimWhiteSpace = false };
        if (file.ReadFields() is not ["text", "category"])
            throw new HoneException($"{path} should begin with the columns text,category.");
        var rows = new List<Example<Message, Intent>>();
        while (!file.EndOfData)
        {
            rows.Add(file.ReadFields() is [var text, var category]
                ? new(new(text.ReplaceLineEndings(" ").Trim()), new(category.Replace('_', ' ')))
                : throw new HoneException($"{path}, line {file.LineNumber - 1} should have two columns."));
        }

        return Deal(path, rows, seed);
    }

    /// <summary>A small set of the sample's own: 42 intents in a few words each.</summary>
    public static Dataset Mini(long seed)
    {
        var rows =
            from verb in Verbs
            from thing in Things
            from opening in Openings
            from ending in new[] { "", " What now?", " yesterday.", ", can you check?", " and need advice.", " today.", " by mistake." }
            select new Example<Message, Intent>(new($"{opening}I {verb} my {thing}{ending}"), new($"{verb} {thing}"));
        return Deal("The sample's own set", [.. rows], seed);
    }

    private static Dataset Deal(string name, List<Example<Message, Intent>> rows, long seed)
    {
        if (rows.Count < 2 * (Reported + Chosen))
            throw new HoneException($"{name} holds {rows.Count} messages; at least {2 * (Reported + Chosen)} are needed.");
        var order = rows.ToArray();
        new SeedStream(seed).Derive("deal").CreateRandom().Shuffle(order);
        var rest = order[(Reported + Chosen)..];
        return new(rest, [.. rest.TakeLast(rest.Length / 2)], order[Reported..(Reported + Chosen)], order[..Reported]);
    }
}
