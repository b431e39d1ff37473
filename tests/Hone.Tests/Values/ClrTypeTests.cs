using System.Collections.Frozen;
using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Hone.Tests.Values;

public sealed class ClrTypeTests
{
    [Flags]
    private enum Access
    {
        None = 0,
        Read = 1,
        Write = 2,
        All = Read | Write,
    }

    private enum Level : byte
    {
        [JsonStringEnumMemberName("low level")]
        Low,
        High = 200,
    }

    [Theory]
    [InlineData(typeof(int?), "int | None")]
    [InlineData(typeof(TimeSpan), "timedelta")]
    [InlineData(typeof(TimeOnly), "time")]
    [InlineData(typeof(ImmutableArray<DateOnly>), "list[date]")]
    [InlineData(typeof(IReadOnlySet<Guid>), "set[guid]")]
    [InlineData(typeof(Dictionary<int, decimal[]>), "dict[int, list[decimal]]")]
    [InlineData(typeof(FrozenDictionary<Level, Uri>), "dict[Level, uri]")]
    [InlineData(typeof((int, string)), "tuple[int, str]")]
    [InlineData(typeof(Tuple<int, Level>), "tuple[int, Level]")]
    [InlineData(typeof(Access), "set[Access]")]
    [InlineData(typeof(Box<int>), "BoxOfInt32")]
    [InlineData(typeof(JsonNode), "Any")]
    [InlineData(typeof(JsonObject), "dict[str, Any]")]
    [InlineData(typeof(object), "Any")]
    [InlineData(typeof(BigInteger), "int")]
    [InlineData(typeof(KeyValuePair<string, int>), "KeyValuePairOfStringAndInt32")]
    public void Of_Type_IsDescribed(Type type, string expected) => Assert.Equal(expected, ClrTypes.Of(type).ToString());

    [Theory]
    [InlineData(typeof(Action))]
    [InlineData(typeof(Stream))]
    [InlineData(typeof(Task<int>))]
    [InlineData(typeof(Type))]
    [InlineData(typeof(Version))]
    [InlineData(typeof(Ever<int>))]
    [InlineData(typeof(CancellationToken))]
    public void Of_TypeWithoutData_IsRefused(Type type) => Assert.Contains(type == typeof(Ever<int>) ? "nested more than" : type.Name, Assert.Throws<HoneException>(() => ClrTypes.Of(type)).Message, StringComparison.Ordinal);

    [Fact]
    public void RoundTrip_EveryKindOfMember()
    {
        var value = new Everything(
            Access.All, [Access.Read, Access.None], Level.High, new() { [Level.Low] = 1 }, new() { [7] = "x" }, new Dictionary<DateOnly, bool> { [new(2024, 2, 29)] = true }.ToFrozenDictionary(),
            TimeSpan.FromSeconds(-1.5), new(23, 59, 59, 999), [new(2024, 1, 1), null], (1, "a", null), new(new(3)), 'c', ulong.MaxValue, 1.1f, 0.1m, null, JsonNode.Parse("{\"a\": [1]}")!,
            JsonElement.Parse("[true]"), [1, 2], new Point { X = 1, Y = 2 }, BigInteger.Pow(10, 30));

        var map = SignatureReflector.ToFieldMap(value, FieldDirection.Output);
        var text = JsonText.Write(map);
        var signature = new Signature(SignatureReflector.Fields(typeof(Everything), FieldDirection.Output));
        var read = FieldMap.Create(signature.Outputs.Select(field =>
            KeyValuePair.Create(field.Name, ValueCoercer.Coerce(ValueFormatter.Format(map[field.Name], field.Type), field.Type))));
        var back = SignatureReflector.FromFieldMap<Everything>(read);

        Assert.Equal(text, JsonText.Write(SignatureReflector.ToFieldMap(back, FieldDirection.Output)));
        Assert.Equal(value.Rights, back.Rights);
        Assert.Equal(value.More, back.More);
        Assert.Equal(value.Level, back.Level);
        Assert.Equal(value.Span, back.Span);
        Assert.Equal(value.Days, back.Days);
        Assert.Equal(value.Nested, back.Nested);
        Assert.Equal(value.Single, back.Single);
        Assert.Equal(value.Big, back.Big);
        Assert.Equal(value.ByDay, back.ByDay);
        Assert.Equal("[\"Read\", \"Write\"]", JsonText.Write(map["rights"]));
    }

    [Fact]
    public void ToCanonical_FlagWithoutName_Throws() => Assert.Throws<HoneException>(() => ClrValues.ToCanonical((Access)8));

    [Fact]
    public void Recursion_RecordInItself_IsAReferenceThatValuesFollow()
    {
        var type = ClrTypes.Of(typeof(Node));
        const string Text = "{\"label\": \"a\", \"children\": [{\"label\": \"b\", \"children\": [], \"next\": {\"label\": \"c\", \"children\": [{}]}}]}";

        Assert.Equal("list[Node]", type.Properties[1].Type.ToString());
        Assert.Equal(FieldTypeKind.Reference, type.Properties[1].Type.Arguments[0].Kind);
        Assert.Same(type, type.Properties[1].Type.Arguments[0].Resolved);
        Assert.Equal(type, ClrTypes.Of(typeof(Node)));
        Assert.Equal("$.children[0].next.children[0]", Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce(Text, type)).Path);
        var value = ClrValues.FromCanonical(ValueCoercer.Coerce(Text.Replace("[{}]", "[]", StringComparison.Ordinal), type), typeof(Node), "$");
        Assert.Equal("c", ((Node)value!).Children[0].Next!.Label);
        Assert.Equal("list[Leaves]", ClrTypes.Of(typeof(Leaves)).ToString());
    }

    [Fact]
    public void Schema_RecursiveType_UsesDefinitions()
    {
        const string Node = "{\"type\": \"object\", \"properties\": {\"label\": {\"type\": \"string\"}, \"children\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/Node\"}}, "
            + "\"next\": {\"anyOf\": [{\"$ref\": \"#/$defs/Node\"}, {\"type\": \"null\"}]}}, \"required\": [\"label\", \"children\"]}";

        Assert.Equal($"{{\"$defs\": {{\"Node\": {Node}}}, \"$ref\": \"#/$defs/Node\"}}", JsonText.Write(JsonSchemas.Describe(ClrTypes.Of(typeof(Node)))));
        Assert.Equal(
            $"{{\"type\": \"array\", \"$defs\": {{\"Node\": {Node}}}, \"items\": {{\"$ref\": \"#/$defs/Node\"}}}}", JsonText.Write(JsonSchemas.Describe(ClrTypes.Of(typeof(List<Node>)))));
        Assert.StartsWith("must be JSON", TypeHints.For(ClrTypes.Of(typeof(Node))), StringComparison.Ordinal);
        Assert.Empty(TypeDescriptions.Of(ClrTypes.Of(typeof(Node))));
    }

    [Fact]
    public void Schema_MutualRecursion_HasBothDefinitions()
    {
        var definitions = (FieldMap)JsonSchemas.Describe(ClrTypes.Of(typeof(Left)))["$defs"]!;

        Assert.Equal(["Left", "Right"], definitions.Keys.Order());
    }

    [Fact]
    public void Fields_ComputedProperty_IsNoOutput()
    {
        Assert.Equal(["first", "last"], SignatureReflector.Fields(typeof(Named), FieldDirection.Output).Select(field => field.Name));
        Assert.Equal(["first", "last", "full"], SignatureReflector.Fields(typeof(Named), FieldDirection.Input).Select(field => field.Name));
        Assert.Equal(["first", "last"], ClrTypes.Of(typeof(Named)).Properties.Select(property => property.Name));
    }

    [Fact]
    public void Bounds_OnProperties_AreShownAndEnforcedAtEveryDepth()
    {
        var type = ClrTypes.Of(typeof(Dictionary<string, List<Bounded>>));
        const string Good = "{\"age\": 3, \"score\": 0.3, \"price\": 0.05, \"code\": \"AB12\", \"tags\": [\"x\"], \"day\": \"2024-01-01\", \"extra\": null}";

        string? Broken(string from, string to)
        {
            try
            {
                ValueCoercer.Coerce($"{{\"k\": [{Good.Replace(from, to, StringComparison.Ordinal)}]}}", type);
                return null;
            }
            catch (ValueCoercionException error)
            {
                return error.Message;
            }
        }

        Assert.Null(Broken("3", "3"));
        Assert.Equal("$.k[0].age: 151 breaks the bound 'less than or equal to: 150'", Broken("\"age\": 3", "\"age\": 151"));
        Assert.Equal("$.k[0].score: 1.0 breaks the bound 'less than: 1.0'", Broken("0.3", "1.0"));
        Assert.Equal("$.k[0].price: 0.04 breaks the bound 'greater than or equal to: 0.05'", Broken("0.05", "0.04"));
        Assert.Contains("matching the pattern", Broken("AB12", "AB12X"), StringComparison.Ordinal);
        Assert.Contains("minimum length: 1", Broken("[\"x\"]", "[]"), StringComparison.Ordinal);
        Assert.Contains("greater than or equal to: 2020-01-01", Broken("2024-01-01", "2019-12-31"), StringComparison.Ordinal);
        Assert.Equal("$.k[0].extra: -1 breaks the bound 'greater than or equal to: 0'", Broken("\"extra\": null", "\"extra\": -1"));
        var schema = JsonText.Write(JsonSchemas.Describe(type));
        Assert.Contains("\"age\": {\"type\": \"integer\", \"maximum\": 150, \"minimum\": 0}", schema, StringComparison.Ordinal);
        Assert.Contains("\"score\": {\"type\": \"number\", \"exclusiveMaximum\": 1.0, \"minimum\": 0.0}", schema, StringComparison.Ordinal);
        Assert.Contains("\"tags\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"maxItems\": 3, \"minItems\": 1}", schema, StringComparison.Ordinal);
        Assert.Contains("\"extra\": {\"anyOf\": [{\"type\": \"integer\", \"maximum\": 9, \"minimum\": 0}, {\"type\": \"null\"}]}", schema, StringComparison.Ordinal);
    }

    /// <summary>Which of several types a value is of decides which bounds it has to keep.</summary>
    [Fact]
    public void Check_InputField_FindsABrokenBoundInAnAlternative()
    {
        var field = Signature.Parse("who: list[Bounded | dict[str, str] | str] -> answer", null, typeof(Bounded)).Inputs.Single();
        object? Of(int age) => ClrValues.ToCanonical(new Bounded { Age = age, Code = "A1", Tags = ["x"], Day = new(2024, 1, 1), Price = 1 });
        object List(params object?[] items) => System.Collections.Immutable.ImmutableArray.Create(items);

        Assert.Null(FieldConstraints.Check(field, List("x", Of(1))));
        var strict = Signature.Parse("who: list[Bounded | int | str] -> answer", null, typeof(Bounded)).Inputs.Single();
        Assert.Null(FieldConstraints.Check(strict, List("x", 5L, Of(1))));
        Assert.Equal("$[1].age: -1 breaks the bound 'greater than or equal to: 0'", FieldConstraints.Check(strict, List("x", Of(-1))));
        Assert.Null(FieldConstraints.Check(field, List(Of(-1)))); // a dictionary may hold it
    }

    [Fact]
    public void Check_InputField_FindsABrokenBoundAtAnyDepth()
    {
        var field = SignatureReflector.Fields(typeof(Group), FieldDirection.Input).Single();
        var members = new[] { new Bounded { Age = 1, Code = "A1", Tags = ["x"], Day = new(2024, 1, 1), Price = 1 }, new Bounded { Age = -1, Code = "A1", Tags = ["x"], Price = 1, Day = new(2024, 1, 1) } };

        Assert.Equal("$[1].age: -1 breaks the bound 'greater than or equal to: 0'", FieldConstraints.Check(field, ClrValues.ToCanonical(members)));
        Assert.Equal("$: [] breaks the bound 'minimum length: 1'", FieldConstraints.Check(field, ClrValues.ToCanonical(Array.Empty<Bounded>())));
        Assert.Null(FieldConstraints.Check(field, ClrValues.ToCanonical(members[..1])));
        Assert.Null(FieldConstraints.Check(field, null));
    }

    [Theory]
    [InlineData("ge", 9007199254740993L, 9007199254740992L, false)]
    [InlineData("multiple_of", 0.1, 0.3, true)]
    [InlineData("multiple_of", 0.1, 0.35, false)]
    [InlineData("multiple_of", 3L, 9L, true)]
    [InlineData("multiple_of", 3L, 10L, false)]
    [InlineData("gt", 0.0, double.NaN, false)]
    [InlineData("lt", 0.0, double.NaN, false)]
    [InlineData("allow_inf_nan", false, double.PositiveInfinity, false)]
    [InlineData("max_length", 1L, "\uD83D\uDE00", true)]
    [InlineData("max_length", 1L, "ab", false)]
    [InlineData("min_length", 1L, 5L, true)]
    [InlineData("ge", "PT1H", "PT1H", true)]
    public void Check_Bound_IsExact(string kind, object bound, object value, bool holds) =>
        Assert.Equal(holds, FieldConstraints.Check([new FieldConstraint(kind, bound)], value) is null);

    private sealed record Everything(
        Access Rights,
        List<Access> More,
        Level Level,
        Dictionary<Level, int> ByLevel,
        SortedDictionary<int, string> ById,
        FrozenDictionary<DateOnly, bool> ByDay,
        TimeSpan Span,
        TimeOnly Time,
        List<DateOnly?> Days,
        (int, string, bool?) Tuple,
        Box<Box<int>> Nested,
        char Letter,
        ulong Large,
        float Single,
        decimal Exact,
        Uri? Link,
        JsonNode Node,
        JsonElement Element,
        ImmutableArray<short> Shorts,
        Point Point,
        BigInteger Big);

    private sealed record Box<T>(T Content);

    private struct Point
    {
        public int X { get; set; }

        public int Y { get; set; }
    }

    private sealed record Ever<T>(Ever<List<T>>? More);

    private sealed record Node(string Label, List<Node> Children, Node? Next = null);

    private sealed class Leaves : List<Leaves>;

    private sealed record Left(Right? Right);

    private sealed record Right(Left? Left, Right? Again);

    private sealed record Named(string First, string Last)
    {
        public string Full => First + Last;
    }

    private sealed record Group([MinLength(1)] List<Bounded> Members);

    private sealed class Bounded
    {
        [Range(0, 150)]
        public required int Age { get; init; }

        [Range(0.0, 1.0, MaximumIsExclusive = true)]
        public double Score { get; init; }

        [Range(typeof(decimal), "0.05", "100")]
        public decimal Price { get; init; }

        [RegularExpression("[A-Z]+[0-9]+")]
        public required string Code { get; init; }

        [Length(1, 3)]
        public required string[] Tags { get; init; }

        [Range(typeof(DateOnly), "2020-01-01", "2030-01-01")]
        public DateOnly Day { get; init; }

        [Range(0, 9)]
        public int? Extra { get; init; }
    }
}
