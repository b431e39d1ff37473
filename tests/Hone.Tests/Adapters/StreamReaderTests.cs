using System.Text;
using CsCheck;

namespace Hone.Tests.Adapters;

public sealed class StreamReaderTests
{
    private static readonly Signature Two = Signature.Parse("question -> reasoning, answer");

    private static readonly Gen<string> Pieces = Gen.OneOf(
        Gen.OneOf(new[] {
            "[[ ## reasoning ## ]]", "[[ ## answer ## ]]", "[[ ## completed ## ]]", "[[ ## other ## ]]", "[[ ## question ## ]]", "[[ ## ans", "[[ \\## answer ## ]]",
            "[[ \\\\## x", "[[[ \\## ", "\n", "\r\n", "\r", " ", "  \t", "\u2028", "<think>", "</think>", "[[ ##", " ## ]]" }.Select(Gen.Const).ToArray()),
        Gen.String[Gen.Char["ab[]#\\ \n<é😀"[..9]], 0, 6]);

    [Fact]
    public void ChatStreamReader_AnyText_AnyChunking_AgreesWithTheWholeText() => Gen.Select(Pieces.List[0, 14], Gen.Int[1, 9].List[1, 40]).Sample((pieces, cuts) =>
    {
        var text = string.Concat(pieces);
        var expected = ChatSections.Read(Two, text, allowDecoration: false, out _);
        var told = Told(new ChatStreamReader(Two), text, cuts);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], told.GetValueOrDefault(Two.Outputs[i].Name));
    }, iter: 20_000);

    [Fact]
    public void JsonStreamReader_AnyStrings_AnyChunking_AgreesWithTheObject() => Gen.Select(
        Gen.String[0, 20], Gen.String[0, 20], Gen.Int[1, 9].List[1, 40], Gen.Bool).Sample((reasoning, answer, cuts, isFenced) =>
    {
        var outputs = FieldMap.Of(("reasoning", reasoning), ("answer", answer));
        var text = JsonAdapter.Default.RenderOutputs(Two, outputs);
        var told = Told(new JsonStreamReader(Two), isFenced ? $"Here it is:\n```json\n{text}\n```" : text, cuts);
        Assert.Equal(reasoning, told["reasoning"]);
        Assert.Equal(answer, told["answer"]);
    }, iter: 20_000);

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
