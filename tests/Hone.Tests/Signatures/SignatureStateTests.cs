using System.Text;
using System.Text.Json;

namespace Hone.Tests.Signatures;

public sealed class SignatureStateTests
{
    private static readonly Signature Declared = Signature.Parse("question, context: list[str] -> answer: int", "Do it.").WithName("Ask");

    private static readonly Signature Tuned = Declared.WithInstructions("Better.")
        .WithUpdatedField("context", field => field with { Description = "passages", Prefix = "Facts:" });

    [Fact]
    public void WithState_OfGetState_RestoresByName()
    {
        var moved = new Signature([Declared.Fields[2], Declared.Fields[1], Declared.Fields[0]], "Do it.", "Ask");

        var restored = moved.WithState(RoundTrip(Tuned.GetState()));

        Assert.Equal("passages", restored.Find("context")!.Description);
        Assert.Equal("Facts:", restored.Find("context")!.Prefix);
        Assert.Null(restored.Find("question")!.Description);
        Assert.Equal("Better.", restored.Instructions);
        Assert.Equal("Ask", restored.Name);
        Assert.Equal(Tuned, Declared.WithState(Tuned.GetState()));
    }

    [Fact]
    public void WithState_OtherFields_ListsEveryDifference()
    {
        var other = Signature.Parse("question: int, passages -> answer: int");

        var error = Assert.Throws<HoneException>(() => other.WithState(Tuned.GetState()));

        Assert.Contains("'question' is 'in str' in the state and 'in int' in the signature", error.Message, StringComparison.Ordinal);
        Assert.Contains("'passages' is missing in the state", error.Message, StringComparison.Ordinal);
        Assert.Contains("'context' is no field", error.Message, StringComparison.Ordinal);
        Assert.Equal("Better.", other.WithState(Tuned.GetState(), isLenient: true).Instructions);
    }

    [Fact]
    public void WithState_ObjectTypeChanged_IsADifference()
    {
        var before = new Signature([new("x", FieldType.ObjectOf("T", new ObjectProperty("a", FieldType.String)), FieldDirection.Output)]);
        var after = new Signature([new("x", FieldType.ObjectOf("T", new ObjectProperty("a", FieldType.Integer)), FieldDirection.Output)]);

        Assert.Contains("'out T{a: str}'", Assert.Throws<HoneException>(() => after.WithState(before.GetState())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_PositionalForm_GoesByPosition()
    {
        const string Json = """
            {"instructions": "Imported.", "fields": [
              {"prefix": "Question:", "description": "${question}"}, {"prefix": "Facts:", "description": "what is known"}, {"prefix": "Answer:", "description": "short"}]}
            """;
        var state = SignatureState.Read(JsonElement.Parse(Json));

        var restored = Declared.WithState(state);

        Assert.Equal("Imported.", restored.Instructions);
        Assert.Equal([null, "what is known", "short"], restored.Fields.Select(field => field.Description));
        Assert.Equal([null, "Facts:", null], restored.Fields.Select(field => field.Prefix));
        Assert.Contains("3 fields", Assert.Throws<HoneException>(() => Declared.Delete("context").WithState(state)).Message, StringComparison.Ordinal);
        Assert.Equal("what is known", Declared.Delete("context").WithState(state, isLenient: true).Find("answer")!.Description);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"instructions\": \"x\"}")]
    [InlineData("{\"fields\": {}}")]
    [InlineData("{\"instructions\": 1, \"fields\": []}")]
    public void Read_OtherJson_Throws(string json) => Assert.Throws<HoneException>(() => SignatureState.Read(JsonElement.Parse(json)));

    private static SignatureState RoundTrip(SignatureState state)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            state.WriteTo(writer);
        var read = SignatureState.Read(JsonElement.Parse(Encoding.UTF8.GetString(stream.ToArray())));
        Assert.Equal(state, read);
        return read;
    }
}
