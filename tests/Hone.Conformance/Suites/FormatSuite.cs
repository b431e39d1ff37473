using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Hone.Conformance;

/// <summary>A rendered request: the case and the messages, or the error.</summary>
internal sealed record FormatAttempt(JsonElement Recorded, Adapter Adapter, AdapterRequest Request, IReadOnlyList<ChatMessage>? Messages);

/// <summary>
/// format.json: the messages that adapters build. Roles are recorded for each adapter, headers for the chat format; for JSON and XML the structure is
/// checked instead: which fields a message shows, and that an answer reads back as what was given.
/// </summary>
internal sealed partial class FormatSuite : IVectorSuite
{
    private static readonly DifferenceRule<FormatAttempt>[] Rules =
    [
        new("format-escaped-markers", "marker lines inside an input value are escaped, so that they cannot open a field", IsEscaped),
        new("format-absent-null", "null given for an input that has no null is left out; the reference shows the word None", IsAbsentNull),
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
        var adapter = AdapterOf(recorded.Text("adapter")!);
        var parsed = VectorTypes.Signature(signature);
        var demos = recorded.Items("demos").Select(demo => new Demo(Fields(demo, parsed))).ToImmutableArray();
        var request = new AdapterRequest(parsed, Fields(recorded.GetProperty("inputs"), parsed), demos);
        var attempt = new FormatAttempt(recorded, adapter, request, Render(adapter, request));
        return CaseResult.From(recorded.Id(), Mismatch(attempt), attempt, Rules);
    }

    private static Adapter AdapterOf(string name) => name switch
    {
        "json" => JsonAdapter.Default,
        "xml" => XmlAdapter.Default,
        _ => ChatAdapter.Default,
    };

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
        if (attempt.Adapter is not ChatAdapter)
            return messages.Select((message, i) => MismatchOf(attempt, message, i == 0)).FirstOrDefault(mismatch => mismatch is not null);
        var expected = RecordedHeaders(attempt.Recorded);
        for (var i = 0; i < expected.Count; i++)
        {
            if (!Headers(messages[i].Text).SequenceEqual(expected[i]))
                return $"message {i}: expected headers {string.Join(", ", expected[i])}, got {string.Join(", ", Headers(messages[i].Text))}";
        }

        return null;
    }

    private static string? MismatchOf(FormatAttempt attempt, ChatMessage message, bool isSystem)
    {
        var signature = attempt.Request.Signature;
        if (message.Role == ChatRole.Assistant)
            return MismatchOfAnswer(attempt, message.Text);
        var shown = attempt.Adapter is JsonAdapter ? Headers(message.Text)
            : [.. Tag().Matches(message.Text).Select(match => match.Groups[1].Value).Where(name => signature.Find(name) is not null)];
        var known = attempt.Adapter is XmlAdapter && isSystem ? signature.Fields : signature.Inputs;
        var expected = known.Select(field => field.Name).Where(name => isSystem || shown.Contains(name)).ToList();
        return shown.SequenceEqual(expected) ? null : $"expected fields {string.Join(", ", expected)}, got {string.Join(", ", shown)}";
    }

    // Every output in the order of the signature; an answer that has them all reads back.
    private static string? MismatchOfAnswer(FormatAttempt attempt, string text)
    {
        var outputs = attempt.Request.Signature.Outputs.Select(field => field.Name).ToList();
        var shown = attempt.Adapter is JsonAdapter
            ? (JsonRepair.Parse(text).Value as FieldMap)?.Keys.ToList() ?? []
            : new XmlScanner(text).Elements().Select(element => element.Name).ToList();
        if (!shown.SequenceEqual(outputs))
            return $"expected outputs {string.Join(", ", outputs)}, got {string.Join(", ", shown)}";
        if (text.Contains(DemoRenderer.NotSupplied, StringComparison.Ordinal))
            return null;
        var read = attempt.Adapter.Parse(attempt.Request.Signature, text);
        var given = attempt.Request.Demos.Select(demo => demo.Fields).Concat(TurnsOf(attempt.Request));
        return given.Any(fields => outputs.All(name => VectorValues.Same(fields.GetValueOrDefault(name), read[name]))) ? null : $"{JsonText.Write(read)} was not given";
    }

    private static IEnumerable<FieldMap> TurnsOf(AdapterRequest request) => request.Inputs.Values.OfType<ImmutableArray<object?>>().SelectMany(list => list.OfType<FieldMap>());

    private static bool IsEscaped(FormatAttempt attempt)
    {
        var hidden = Headers(JsonText.Write(attempt.Request.Inputs));
        return attempt is { Adapter: ChatAdapter, Messages: { } messages }
            && hidden.Length > 0
            && Roles(attempt.Recorded).SequenceEqual(messages.Select(message => message.Role.Value))
            && RecordedHeaders(attempt.Recorded)[^1].Length - hidden.Length == Headers(messages[^1].Text).Length
            && messages.Take(messages.Count - 1).Zip(RecordedHeaders(attempt.Recorded)).All(pair => Headers(pair.First.Text).SequenceEqual(pair.Second));
    }

    // Without the headers of such inputs, which the recorded messages have, both have the same headers.
    private static bool IsAbsentNull(FormatAttempt attempt)
    {
        var absent = attempt.Request.Signature.Inputs.Where(field => !field.Type.AdmitsNull)
            .Select(field => field.Name)
            .Where(name => attempt.Request.Demos.Select(demo => demo.Fields).Append(attempt.Request.Inputs).Any(fields => fields.TryGetValue(name, out var value) && value is null))
            .ToHashSet();
        return attempt is { Adapter: ChatAdapter, Messages: { } messages }
            && absent.Count > 0
            && Roles(attempt.Recorded).SequenceEqual(messages.Select(message => message.Role.Value))
            && messages.Zip(RecordedHeaders(attempt.Recorded)).All(pair => Headers(pair.First.Text).SequenceEqual(pair.Second)
                || Headers(pair.First.Text).SequenceEqual(pair.Second.Where(name => !absent.Contains(name))));
    }

    private static FieldMap Fields(JsonElement recorded, Signature signature) => FieldMap.Create(recorded.EnumerateObject().Select(entry =>
        KeyValuePair.Create(entry.Name, VectorValues.Read(entry.Value, signature.Find(entry.Name)?.Type ?? FieldType.Any))));

    private static IEnumerable<string> Roles(JsonElement recorded) => recorded.Items("roles").Select(role => role.GetString()!);

    private static List<string[]> RecordedHeaders(JsonElement recorded) =>
        [.. recorded.Items("headers").Select(list => list.EnumerateArray().Select(name => name.GetString()!).ToArray())];

    private static string[] Headers(string text) => [.. Header().Matches(text).Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"\[\[ ## (\w+) ## \]\]")]
    private static partial Regex Header();

    [GeneratedRegex(@"^<(\w+)>", RegexOptions.Multiline)]
    private static partial Regex Tag();
}
