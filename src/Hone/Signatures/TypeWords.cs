using System.Collections.Frozen;

namespace Hone;

/// <summary>The words of type expressions: Python's, those of .NET, and those of JSON.</summary>
internal static class TypeWords
{
    public static readonly FrozenDictionary<string, FieldType> Simple = new Dictionary<string, FieldType>
    {
        ["str"] = FieldType.String,
        ["string"] = FieldType.String,
        ["String"] = FieldType.String,
        ["int"] = FieldType.Integer,
        ["long"] = FieldType.Integer,
        ["integer"] = FieldType.Integer,
        ["float"] = FieldType.Number,
        ["double"] = FieldType.Number,
        ["number"] = FieldType.Number,
        ["decimal"] = FieldType.Decimal,
        ["Decimal"] = FieldType.Decimal,
        ["bool"] = FieldType.Boolean,
        ["boolean"] = FieldType.Boolean,
        ["bytes"] = FieldType.Simple(FieldTypeKind.Bytes),
        ["bytearray"] = FieldType.Simple(FieldTypeKind.Bytes),
        ["date"] = FieldType.Simple(FieldTypeKind.Date),
        ["DateOnly"] = FieldType.Simple(FieldTypeKind.Date),
        ["datetime"] = FieldType.Simple(FieldTypeKind.DateTime),
        ["DateTime"] = FieldType.Simple(FieldTypeKind.DateTime),
        ["DateTimeOffset"] = FieldType.Simple(FieldTypeKind.DateTime),
        ["guid"] = FieldType.Simple(FieldTypeKind.Guid),
        ["Guid"] = FieldType.Simple(FieldTypeKind.Guid),
        ["UUID"] = FieldType.Simple(FieldTypeKind.Guid),
        ["uuid"] = FieldType.Simple(FieldTypeKind.Guid),
        ["uri"] = FieldType.Simple(FieldTypeKind.Uri),
        ["Uri"] = FieldType.Simple(FieldTypeKind.Uri),
        ["Any"] = FieldType.Any,
        ["any"] = FieldType.Any,
        ["object"] = FieldType.Any,
        ["None"] = FieldType.Null,
        ["NoneType"] = FieldType.Null,
        ["null"] = FieldType.Null,
        ["History"] = FieldType.History,
        ["Image"] = FieldType.Image,
        ["Audio"] = FieldType.Audio,
        ["File"] = FieldType.Attachment,
        ["Attachment"] = FieldType.Attachment,
        ["Document"] = FieldType.Document,
        ["Reasoning"] = FieldType.Reasoning,
        ["Code"] = FieldType.CodeIn(),
        ["Citations"] = FieldType.Citations,
        ["Tool"] = FieldType.Tool,
        ["AITool"] = FieldType.Tool,
        ["AIFunction"] = FieldType.Tool,
        ["ToolCalls"] = FieldType.ToolCalls,
        ["ToolResults"] = FieldType.ToolResults,
        ["ToolCallResults"] = FieldType.ToolResults,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static readonly FrozenDictionary<string, FieldTypeKind> Containers = new Dictionary<string, FieldTypeKind>
    {
        ["list"] = FieldTypeKind.List,
        ["List"] = FieldTypeKind.List,
        ["IList"] = FieldTypeKind.List,
        ["IReadOnlyList"] = FieldTypeKind.List,
        ["IEnumerable"] = FieldTypeKind.List,
        ["Sequence"] = FieldTypeKind.List,
        ["Iterable"] = FieldTypeKind.List,
        ["set"] = FieldTypeKind.Set,
        ["Set"] = FieldTypeKind.Set,
        ["frozenset"] = FieldTypeKind.Set,
        ["FrozenSet"] = FieldTypeKind.Set,
        ["HashSet"] = FieldTypeKind.Set,
        ["IReadOnlySet"] = FieldTypeKind.Set,
        ["tuple"] = FieldTypeKind.Tuple,
        ["Tuple"] = FieldTypeKind.Tuple,
        ["dict"] = FieldTypeKind.Dictionary,
        ["Dict"] = FieldTypeKind.Dictionary,
        ["Dictionary"] = FieldTypeKind.Dictionary,
        ["IReadOnlyDictionary"] = FieldTypeKind.Dictionary,
        ["IDictionary"] = FieldTypeKind.Dictionary,
        ["Mapping"] = FieldTypeKind.Dictionary,
        ["Union"] = FieldTypeKind.Union,
        ["Optional"] = FieldTypeKind.Union,
        ["Literal"] = FieldTypeKind.Literal,
        ["enum"] = FieldTypeKind.Literal,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // Spellings such as typing.List or datetime.date: the module is decoration, only these pairs are known.
    public static readonly FrozenDictionary<string, string[]> Modules = new Dictionary<string, string[]>
    {
        ["typing"] = ["Any", "List", "Dict", "Set", "FrozenSet", "Tuple", "Union", "Optional", "Literal", "Sequence", "Iterable", "Mapping"],
        ["datetime"] = ["date", "datetime"],
        ["uuid"] = ["UUID"],
        ["decimal"] = ["Decimal"],
        ["dspy"] =
        [
            "History", "Image", "Audio", "File", "Document", "Reasoning", "Code", "Citations", "Tool", "ToolCalls", "ToolResults", "ToolCallResults",
        ],
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
