using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Hone.Generators;

/// <summary>The outputs of a predictor method, read from its result type.</summary>
/// <param name="Shape">How the result relates to the fields.</param>
/// <param name="Type">The type inside the task, without a question mark on tuples and records.</param>
/// <param name="Outputs">The fields with their model-facing names; for records those of the user's properties.</param>
internal sealed record ResultReading(ResultShape Shape, ITypeSymbol Type, IReadOnlyList<(string Name, FieldModel Field)> Outputs)
{
    /// <summary>True when the method returns a prediction: the value with the calls that it took.</summary>
    public bool IsPrediction { get; init; }

    /// <summary>True when the method gives the text of its output piece by piece.</summary>
    public bool IsStream { get; init; }

    /// <summary>The type of the value as the author wrote it, question marks included.</summary>
    public ITypeSymbol Value { get; init; } = Type;

    /// <summary>The types of the output fields.</summary>
    public IEnumerable<ITypeSymbol> FieldTypes => Shape switch
    {
        ResultShape.Value => [Type],
        ResultShape.Tuple => ((INamedTypeSymbol)Type).TupleElements.Select(element => element.Type),
        _ => FieldTypeRules.Properties(Type).Select(property => property.Type),
    };
}

/// <summary>Reads the result type of a predictor method.</summary>
internal static class ResultReader
{
    public static ResultReading? Read(IMethodSymbol method, AttributeData attribute, string path, Action<ITypeSymbol, string> refuse)
    {
        if (HoneSymbols.Is(method.ReturnType, "System.Collections.Generic.IAsyncEnumerable", arity: 1))
            return ReadStream(method, attribute, path, refuse);
        if (ValueOf(method.ReturnType) is not { } returned)
        {
            refuse(method.ReturnType, "a predictor method returns Task<T> or ValueTask<T>, where T holds the outputs, or IAsyncEnumerable<string>");
            return null;
        }

        var isPrediction = HoneSymbols.Is(returned, "Hone.Prediction", arity: 1);
        var value = isPrediction ? ((INamedTypeSymbol)returned).TypeArguments[0] : returned;
        return Read(method, attribute, path, value, refuse) is { } reading ? reading with { IsPrediction = isPrediction, Value = value } : null;
    }

    private static ResultReading? ReadStream(IMethodSymbol method, AttributeData attribute, string path, Action<ITypeSymbol, string> refuse)
    {
        var piece = ((INamedTypeSymbol)method.ReturnType).TypeArguments[0];
        if (piece.SpecialType == SpecialType.System_String)
            return Read(method, attribute, path, piece, refuse) is { } reading ? reading with { IsStream = true } : null;
        refuse(method.ReturnType, "a stream gives the text of one output: IAsyncEnumerable<string>; for other outputs return Task<T>, "
            + "or keep a Predict<TIn, TOut> in a field and call its StreamAsync");
        return null;
    }

    private static ResultReading? Read(IMethodSymbol method, AttributeData attribute, string path, ITypeSymbol value, Action<ITypeSymbol, string> refuse)
    {
        var type = value is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable
            ? nullable.TypeArguments[0]
            : value;
        if (FieldTypeRules.Refusal(type) is { } reason)
        {
            refuse(type, reason);
            return null;
        }

        var named = attribute.NamedArguments.FirstOrDefault(argument => argument.Key == "Output").Value.Value as string;
        var described = OutputAttributes(method);
        var attributes = method.GetReturnTypeAttributes().Select(CodeWriter.ForRecordParameter).Where(text => text is not null).ToList();
        if (type is INamedTypeSymbol { IsTupleType: true } tuple)
        {
            const string Better = "use [return: Output(\"name\", Description = \"…\")]";
            return named is not null ? Refuse("each element of a tuple is an output of its own name; leave Output away")
                : attributes.Count > 0 ? Refuse($"{attributes[0]} does not say which element it is about; {Better}")
                : ReadTuple(tuple, described, refuse);
        }

        var names = new[] { named }.Concat(described.Select(output => output.Name)).Where(name => name is not null).Distinct().ToList();
        if (names.Count > 1)
            return Refuse($"it is one output, but has the names {string.Join(", ", names)}; keep one, or return a tuple");
        if (names.Count == 1 || !FieldTypeRules.IsRecordLike(type))
        {
            var name = NameRules.ToSnakeCase(names.FirstOrDefault() ?? NameRules.OutputOf(path));
            var all = attributes.Concat(Description(described, name));
            return new(ResultShape.Value, value, [(name, new(NameRules.PropertyOf(name), CodeWriter.Type(value), new(all!), null))]);
        }

        return attributes.Count > 0
            ? Refuse($"its properties are the outputs, so {attributes[0]} belongs on one of them; or make it one output with Output = \"…\"")
            : ReadRecord(type, refuse);

        ResultReading? Refuse(string why)
        {
            refuse(type, why);
            return null;
        }
    }

    private static ITypeSymbol? ValueOf(ITypeSymbol type) =>
        HoneSymbols.Is(type, "System.Threading.Tasks.Task", arity: 1) || HoneSymbols.Is(type, "System.Threading.Tasks.ValueTask", arity: 1)
            ? ((INamedTypeSymbol)type).TypeArguments[0]
            : null;

    private static List<(string Name, string? Description)> OutputAttributes(IMethodSymbol method) =>
    [
        .. method.GetReturnTypeAttributes()
            .Where(attribute => HoneSymbols.Is(attribute.AttributeClass, HoneSymbols.OutputAttribute))
            .Select(attribute => (
                attribute.ConstructorArguments.FirstOrDefault().Value as string ?? string.Empty,
                attribute.NamedArguments.FirstOrDefault(argument => argument.Key == "Description").Value.Value as string))
            .Where(output => output.Item1.Length > 0),
    ];

    private static ResultReading? ReadTuple(
        INamedTypeSymbol tuple, List<(string Name, string? Description)> described, Action<ITypeSymbol, string> refuse)
    {
        if (tuple.TupleElements.Any(element => !element.IsExplicitlyNamedTupleElement))
            refuse(tuple, "its elements need names, which become the output fields: Task<(string Query, int Count)>");
        else if (described.FirstOrDefault(output => !HasElement(tuple, output.Name)).Name is { } stray)
            refuse(tuple, $"it has no element '{stray}' that [return: Output(\"{stray}\")] could describe");
        else
            return new(ResultShape.Tuple, tuple, [.. tuple.TupleElements.Select(element => TupleField(element, described))]);
        return null;
    }

    private static bool HasElement(INamedTypeSymbol tuple, string name) =>
        tuple.TupleElements.Any(element => NameRules.ToSnakeCase(element.Name) == NameRules.ToSnakeCase(name));

    private static (string Name, FieldModel Field) TupleField(IFieldSymbol element, List<(string Name, string? Description)> described)
    {
        var name = NameRules.ToSnakeCase(element.Name);
        return (name, new(NameRules.Capitalize(element.Name), CodeWriter.Type(element.Type), new(Description(described, name)!), null));
    }

    private static ResultReading? ReadRecord(ITypeSymbol type, Action<ITypeSymbol, string> refuse)
    {
        var fields = FieldTypeRules.Properties(type)
            .Select(property => (NameOf(property), new FieldModel(property.Name, CodeWriter.Type(property.Type), EquatableArray<string>.Empty, null)))
            .ToList();
        if (fields.Count > 0)
            return new(ResultShape.Record, type, fields);
        refuse(type, "it has no public properties that could be outputs");
        return null;
    }

    private static string NameOf(IPropertySymbol property) => property.GetAttributes()
        .FirstOrDefault(attribute => HoneSymbols.Is(attribute.AttributeClass, "System.Text.Json.Serialization.JsonPropertyNameAttribute"))
        ?.ConstructorArguments.FirstOrDefault().Value as string ?? NameRules.ToSnakeCase(property.Name);

    private static IEnumerable<string> Description(List<(string Name, string? Description)> described, string name) => described
        .Where(output => NameRules.ToSnakeCase(output.Name) == name && output.Description is not null)
        .Select(output => $"[property: global::System.ComponentModel.Description({CodeWriter.Text(output.Description!)})]");
}
