using System.Text;
using CsCheck;

namespace Hone.Tests.Adapters;

/// <summary>Fields read from a completion that is still arriving are those of the whole completion, however it is cut.</summary>
public sealed class StreamReaderTests
{
    private static readonly Signature Two = Signature.Parse("question -> reasoning, answer");

    private static readonly Gen<List<int>> Cuts = Gen.Int[1, 9].List[1, 40];

    public static TheoryData<string> Adapters => [.. AdapterList.OneStepNames];

    [Fact]
    public void ChatStreamReader_AnyText_AnyChunking_AgreesWithTheWholeText() => Gen.Select(
        Pieces(
            "[[ ## reasoning ## ]]", "[[ ## answer ## ]]", "[[ ## completed ## ]]", "[[ ## other ## ]]", "[[ ## question ## ]]", "[[ ## ans", "[[ \\## answer ## ]]",
            "[[ \\\\## x", "[[[ \\## ", "\n", "\r\n", "\r", " ", "  \t", "\u2028", "<think>", "</think>", "[[ ##", " ## ]]"),
        Cuts).Sample((text, cuts) =>
        {
            var expected = ChatSections.Read(Two, text, allowDecoration: false, out _);
            var told = Told(new ChatStreamReader(Two), text, cuts);
            for (var i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], told.GetValueOrDefault(Two.Outputs[i].Name));
        }, iter: 10_000);

    [Fact]
    public void JsonStreamReader_AnyStrings_AnyChunking_AgreesWithTheObject() => Gen.Select(Gen.String[0, 20], Gen.String[0, 20], Cuts, Gen.Bool).Sample(
        (reasoning, answer, cuts, isFenced) =>
        {
            var outputs = FieldMap.Of(("reasoning", reasoning), ("answer", answer));
            var text = JsonAdapter.Default.RenderOutputs(Two, outputs);
            var told = Told(new JsonStreamReader(Two), isFenced ? $"Here it is:\n```json\n{text}\n```" : text, cuts);
            Assert.Equal(reasoning, told["reasoning"]);
            Assert.Equal(answer, told["answer"]);
        }, iter: 10_000);

    /// <summary>Text that is XML only here and there. Tags that do not balance are set right at the end, by the whole text.</summary>
    [Fact]
    public void XmlStreamReader_TextWithoutNestedTags_AnyChunking_AgreesWithTheWholeText() => Gen.Select(
        Pieces("&amp;", "&lt;", "&", "<", "< ", "<b", "<3", "&#65;", "&#x1F600;", "&nope;", "<![CDATA[<answer>]]>", "<!-- </answer> -->", "\n", "\r\n", " ", "<think>", "]]>", "<!"),
        Pieces("&gt;", "<", "a > b", "\t", "é"),
        Cuts).Sample((first, second, cuts) =>
        {
            var text = $"So:\n<reasoning>{first}</reasoning>\n<answer >{second}</answer>\nDone.";
            if (new XmlScanner(text).Elements().Select(element => element.Name).SequenceEqual(["reasoning", "answer"]))
            {
                var expected = new XmlAdapter().Parse(Two, text);
                var told = Told(new XmlStreamReader(Two), text, cuts);
                Assert.Equal(expected["reasoning"], told["reasoning"]);
                Assert.Equal(expected["answer"], told["answer"]);
            }
        }, iter: 10_000);

    /// <summary>Values of every type: what is told of a field is the text that its value is read from.</summary>
    [Theory]
    [MemberData(nameof(Adapters))]
    public void ReadStream_AnyValues_AnyChunking_AgreesWithParse(string name)
    {
        var adapter = AdapterList.Named(name);
        Gen.Select(RandomValues.Text, RandomValues.Typed, RandomValues.Text, Cuts).Sample(
            (before, middle, after, cuts) =>
            {
                var signature = RoundTripTests.SignatureOf(middle.Type);
                var text = adapter.RenderOutputs(signature, FieldMap.Of(("a", before), ("answer", middle.Value), ("b", after)));
                var parsed = adapter.Parse(signature, text);
                var reader = adapter.ReadStream(signature)!;
                var told = Told(reader, text, cuts);
                Assert.Equal(["a", "answer", "b"], told.Keys);
                Assert.Equal(parsed["a"], told["a"]);
                Assert.Equal(parsed["b"], told["b"]);
                if (parsed["answer"] is null && told["answer"].Length == 0)
                    return; // nothing was told, and nothing there is
                Assert.True(reader.TryRead(signature.Outputs[1], told["answer"], out var read), text);
                RoundTripTests.Equal(parsed["answer"], read, $"{told["answer"]}\nof\n{text}");
            },
            iter: 2_000);
    }

    private static Gen<string> Pieces(params string[] special) => Gen.OneOf(
        Gen.OneOf(special.Select(Gen.Const).ToArray()),
        Gen.String[Gen.Char["ab[]#\\ \n<é"], 0, 6]).List[0, 14].Select(string.Concat);

    private static Dictionary<string, string> Told(FieldStreamReader reader, string text, List<int> cuts)
    {
        var chunks = new List<FieldChunk>();
        var position = 0;
        for (var i = 0; position < text.Length; i++)
        {
            var length = Math.Min(cuts[i % cuts.Count], text.Length - position);
            reader.Append(text.Substring(position, length), chunks);
            position += length;
        }

        reader.Complete(chunks);
        var told = new Dictionary<string, StringBuilder>();
        foreach (var chunk in chunks)
        {
            told.TryAdd(chunk.Field, new());
            told[chunk.Field].Append(chunk.Text);
        }

        return told.ToDictionary(entry => entry.Key, entry => entry.Value.ToString());
    }
}
