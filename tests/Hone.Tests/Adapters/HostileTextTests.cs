using System.Diagnostics;
using System.Text;
using CsCheck;

namespace Hone.Tests.Adapters;

/// <summary>Answers that are broken, or made to break a reader.</summary>
public sealed class HostileTextTests
{
    private static readonly Gen<string> Noise = Gen.Frequency(
        (3, Gen.String[Gen.Char["[]{}()<>/&#\"'`\\ \n,:;=!-ax0"], 1, 3]),
        (1, Gen.OneOf(
            new[]
            {
                "[[ ## a ## ]]", "[[ ## ", "</answer>", "<answer>", "<item>", "<entry key=\"", "<![CDATA[", "]]>", "<!--", "&#", "&#x110000;", "\"\"\"", "'''", "```", "{{", "<think>",
                "</think>", "\\u12", "\ud83d", "\0", "(1, ", "None", "-", "1e999", "//", "/*",
            }.Select(Gen.Const).ToArray())));

    public static TheoryData<string> Adapters => [.. AdapterList.OneStepNames];

    public static TheoryData<string, string> LongRuns
    {
        get
        {
            var runs = new TheoryData<string, string>();
            foreach (var adapter in AdapterList.OneStepNames)
            {
                foreach (var piece in (string[])
                    [
                        "<a>", "</a>", "<answer>", "<answer><item>", "<a <", "<a \"", "<!--", "<![CDATA[", "&", "&#", "[[ ## ", "[[ ## a ## ]]\n", "\n  ", "[[ \\\\", "{", "[", "{\"a\":", "(", "\"", "'",
                        "\"a\": \"", "\\", "```", "`", "**", ",", "{\"x\": 1}", "{\"a\": \"b\", ", "1", "#", "//", "/*", "<think>", "«", ", \"", ": ", "\"a\" ", "[[",
                    ])
                    runs.Add(adapter, piece);
            }

            return runs;
        }
    }

    /// <summary>Over all adapters 100,000 answers, each broken in a few places.</summary>
    [Theory]
    [MemberData(nameof(Adapters))]
    public void Parse_BrokenAnswer_ThrowsOnlyParseExceptions(string name)
    {
        var adapter = AdapterList.Named(name);
        var breaks = Gen.Select(Gen.Int[0, 6], Gen.Double[0, 1], Gen.Double[0, 1], Noise).List[1, 4];
        Gen.Select(RandomValues.Text, RandomValues.Typed, breaks.List[20, 20]).Sample(
            (before, middle, attempts) =>
            {
                var signature = RoundTripTests.SignatureOf(middle.Type);
                var whole = adapter.RenderOutputs(signature, FieldMap.Of(("a", before), ("answer", middle.Value), ("b", "end")));
                foreach (var attempt in attempts)
                {
                    var text = whole;
                    foreach (var (kind, from, to, noise) in attempt)
                        text = Break(text, kind, (int)(from * text.Length), (int)(to * text.Length), noise);
                    TryParse(adapter, signature, text);
                }
            },
            iter: 1_250);
    }

    [Theory]
    [MemberData(nameof(LongRuns))]
    public void Parse_LongRun_TakesLinearTimeAndLittleStack(string name, string piece)
    {
        var adapter = AdapterList.Named(name);
        var signature = RoundTripTests.SignatureOf(FieldType.ListOf(FieldType.Any));
        var opening = name switch
        {
            "chat" => "[[ ## answer ## ]]\n",
            "xml" => "<answer>",
            _ => "{\"answer\": ",
        };
        var started = Stopwatch.GetTimestamp();
        foreach (var start in (string[])["", opening])
        {
            var text = start + new StringBuilder().Insert(0, piece, 100_000 / piece.Length);
            TryParse(adapter, signature, text);
            var reader = adapter.ReadStream(signature)!;
            var chunks = new List<FieldChunk>();
            for (var i = 0; i < text.Length; i += 50)
                reader.Append(text.Substring(i, Math.Min(50, text.Length - i)), chunks);
            reader.Complete(chunks);
        }

        // A hundred times what it takes; time that grows with the square takes far longer.
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(3), $"{Stopwatch.GetElapsedTime(started)} for runs of {piece}");
    }

    /// <summary>A different name each time, so that nothing that is remembered by name helps.</summary>
    [Fact]
    public void Parse_ManyNames_TakesLinearTime()
    {
        var signature = RoundTripTests.SignatureOf(FieldType.Any);
        var started = Stopwatch.GetTimestamp();
        TryParse(new XmlAdapter(), signature, string.Concat(Enumerable.Range(0, 20_000).Select(i => $"<a{i}>")));
        TryParse(new XmlAdapter(), signature, string.Concat(Enumerable.Range(0, 20_000).Select(i => $"<a{i}><b></a{i}>")));
        TryParse(new JsonAdapter(), signature, "{" + string.Join(", ", Enumerable.Range(0, 20_000).Select(i => $"\"a{i}\": 1")) + "}");
        TryParse(new ChatAdapter(), signature, string.Concat(Enumerable.Range(0, 20_000).Select(i => $"[[ ## a{i} ## ]]\n")));

        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(3), $"{Stopwatch.GetElapsedTime(started)}");
    }

    private static void TryParse(Adapter adapter, Signature signature, string text)
    {
        try
        {
            Assert.Equal(signature.Outputs.Length, adapter.Parse(signature, text).Count);
        }
        catch (AdapterParseException failure)
        {
            // The only error a caller has to expect.
            Assert.Equal(text, failure.Completion);
        }
    }

    private static string Break(string text, int kind, int from, int to, string noise)
    {
        (from, to) = (Math.Min(from, to), Math.Max(from, to));
        return kind switch
        {
            0 => text.Remove(from, Math.Min(to - from, 5)),
            1 => text.Insert(from, text[from..to]),
            2 or 3 => text.Insert(from, noise),
            4 => text[..to],
            5 => string.Join('\n', text.Split('\n').Order(StringComparer.Ordinal)),
            _ => text.Length == 0 ? noise : text[..from] + noise + text[Math.Min(text.Length, from + 1)..],
        };
    }
}
