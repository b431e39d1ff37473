using System.Text.Json;
using PrivateDelegation.World;

namespace PrivateDelegation;

/// <summary>The sets of the demonstration, or of the PUPA file.</summary>
internal sealed record Dataset(
    IReadOnlyList<Example<UserQuery, Delegation>> Train, IReadOnlyList<Example<UserQuery, Delegation>> Validation, IReadOnlyList<Example<UserQuery, Delegation>> Test)
{
    private const int Share = 225;

    /// <summary>400 queries of the sample's own world: 200 to learn from, 100 to choose by, 100 to report.</summary>
    public static Dataset Mini()
    {
        var all = QueryWriter.Write(seed: 1, count: 400);
        return new([.. all.Take(200)], [.. all.Skip(200).Take(100)], [.. all.Skip(300)]);
    }

    /// <summary>The split <c>pupa_new</c> as JSON lines, in file order: 225 to learn from, 225 to choose by, the rest to report; thirds of a shorter file.</summary>
    /// <exception cref="HoneException">A line lacks a field; the message names both.</exception>
    public static Dataset Read(string path)
    {
        var all = File.ReadLines(path).Where(line => line.Length > 0).Select((line, index) => Parse(path, line, index + 1)).ToArray();
        var share = all.Length > 2 * Share ? Share : all.Length / 3;
        return share > 0
            ? new(all[..share], all[share..(2 * share)], all[(2 * share)..])
            : throw new HoneException($"{path} holds {all.Length} queries; at least 3 are needed.");
    }

    private static Example<UserQuery, Delegation> Parse(string path, string line, int number)
    {
        using var document = JsonDocument.Parse(line);
        var details = Field("pii_units").Split("||", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new(new(Field("user_query")), new(string.Empty, string.Empty, Field("target_response")) { Details = details });

        string Field(string name) => document.RootElement.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Null
            ? value.GetString() ?? string.Empty
            : throw new HoneException($"{path}, line {number} has no text '{name}'. It should be the PUPA file pupa_new as JSON lines.");
    }
}
