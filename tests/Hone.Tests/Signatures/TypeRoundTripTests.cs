using CsCheck;
using Hone.Tests.Values;

namespace Hone.Tests.Signatures;

public sealed class TypeRoundTripTests
{
    private static readonly Gen<string> FieldNames = Gen.OneOf(
        Gen.OneOf("from", "class", "list", "Literal", "None", "str", "Union", "Tree", "Äpfel", "x1", "null", "True"),
        Gen.String[Gen.Char["abcXYZ019_é"], 1, 8].Where(name => char.IsLetter(name[0]) && name != "completed"));

    [Fact]
    public void Parse_OfToString_GivesTheSameSignature() => Gen.Select(FieldNames.HashSet[1, 4], AnyType.Of(3).Array[4], Gen.Int[0, 4]).Sample((names, types, inputs) =>
    {
        if (AnyType.Registry(FieldType.TupleOf([.. types])) is not { } registry)
            return;
        var fields = names.Select((name, i) => new SignatureField(name, types[i], i < inputs ? FieldDirection.Input : FieldDirection.Output));
        var signature = new Signature(fields);

        var back = Signature.Parse(signature.ToString(), registry);

        Assert.Equal(signature, back);
        Assert.Equal(signature.GetHashCode(), back.GetHashCode());
        Assert.Equal(signature.ToString(), back.ToString());
    }, iter: 2000);

    [Fact]
    public void Equals_RecursiveType_Ends()
    {
        var other = FieldType.ObjectOf(
            "Tree", new ObjectProperty("label", FieldType.String), new ObjectProperty("children", FieldType.ListOf(FieldType.ReferenceTo("Tree", () => throw new InvalidOperationException())), false, System.Collections.Immutable.ImmutableArray<object?>.Empty));

        Assert.Equal(AnyType.Tree, other);
        Assert.Equal(AnyType.Tree.GetHashCode(), other.GetHashCode());
        Assert.Equal("Tree", AnyType.Tree.ToString());
    }
}
