using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Hone.Conformance;

/// <summary>A rendered request: the case and the messages, or the error.</summary>
internal sealed record FormatAttempt(JsonElement Recorded, FieldMap Inputs, IReadOnlyList<ChatMessage>? Messages);

/// <summary>format.json: roles and field headers of the messages that adapters build.</summary>
internal sealed partial class FormatSuite : IVectorSuite
{
    private static readonly DifferenceRule<FormatAttempt>[] Rules =
    [
        new(
            "format-escaped-markers",
            "marker lines inside an input value are escaped, so that they cannot open a field",
            attempt => attempt.Messages is { } messages
                && Headers(JsonText.Write(attempt.Inputs)).Length > 0
                && Roles(attempt.Recorded).SequenceEqual(messages.Select(message => message.Role.Value))
                && RecordedHeaders(attempt.Recorded)[^1].Length - Headers(JsonText.Write(attempt.Inputs)).Length == Headers(messages[^1].Text).Length
                && messages.Take(messages.Count - 1).Zip(RecordedHeaders(attempt.Recorded)).All(pair => Headers(pair.First.Text).SequenceEqual(pair.Second))),
    ];

    public string Name => "format";

    public IEnumerable<CaseResult> Run(string vectors)
    {
        var file = VectorFile.Open(vectors, Name);
        var signatures = file.GetProperty("signatures");
        return file.Items("cases").Select(recorded => Evaluate(recorded, signatures.GetProperty(recorded.Text("signature")!)));
    }

    private static CaseResult Evaluate(JsonElement recorded, JsonElement signature)
    {
        if (AdapterOf(recorded.Text("adapter")!) is not { } adapter)
            return CaseResult.NotYet(recorded.Id());
        var parsed = VectorTypes.Signature(signature);
        var demos = recorded.Items("demos").Select(demo => new Demo(Fields(demo, parsed))).ToImmutableArray();
        var inputs = Fields(recorded.GetProperty("inputs"), parsed);
        var attempt = new FormatAttempt(recorded, inputs, Render(adapter, new(parsed, inputs, demos)));
        return CaseResult.From(recorded.Id(), Mismatch(attempt), attempt, Rules);
    }

    private static Adapter? AdapterOf(string name) => name == "chat" ? new ChatAdapter() : null;

    private static IReadOnlyList<ChatMessage>? Render(Adapter adapter, AdapterRequest request)
    {
        try
        {
            return adapter.Render(request);
        }
        catch (HoneException)
        {
            return null;
        }
    }

    private static string? Mismatch(FormatAttempt attempt)
    {
        if (attempt.Messages is not { } messages)
            return attempt.Recorded.IsOk() ? "the request was refused" : null;
        var roles = messages.Select(message => message.Role.Value).ToList();
        if (!roles.SequenceEqual(Roles(attempt.Recorded)))
            return $"expected roles {string.Join(", ", Roles(attempt.Recorded))}, got {string.Join(", ", roles)}";
        var expected = RecordedHeaders(attempt.Recorded);
        for (var i = 0; i < expected.Count; i++)
        {
            if (!Headers(messages[i].Text).SequenceEqual(expected[i]))
                return $"message {i}: expected headers {string.Join(", ", expected[i])}, got {string.Join(", ", Headers(messages[i].Text))}";
        }

        return null;
    }

    private static FieldMap Fields(JsonElement recorded, Signature signature) => FieldMap.Create(recorded.EnumerateObject().Select(entry =>
        KeyValuePair.Create(entry.Name, VectorValues.Read(entry.Value, signature.Find(entry.Name)?.Type ?? FieldType.Any))));

    private static IEnumerable<string> Roles(JsonElement recorded) => recorded.Items("roles").Select(role => role.GetString()!);

    private static List<string[]> RecordedHeaders(JsonElement recorded) =>
        [.. recorded.Items("headers").Select(list => list.EnumerateArray().Select(name => name.GetString()!).ToArray())];

    private static string[] Headers(string text) => [.. Header().Matches(text).Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"\[\[ ## (\w+) ## \]\]")]
    private static partial Regex Header();
}
