namespace Hone;

/// <summary>One row of a data set: what goes into a program and what should come out.</summary>
/// <param name="Input">The program's input.</param>
/// <param name="Expected">The reference output; parts that are unknown may be left empty.</param>
public sealed record Example<TIn, TOut>(TIn Input, TOut Expected)
{
    /// <summary>A name for journals and reports; the position in the set when null.</summary>
    public string? Id { get; init; }

    /// <summary>Further values that only the metric looks at.</summary>
    public FieldMap Labels { get; init; } = FieldMap.Empty;
}

/// <summary>Makes examples of field maps.</summary>
public static class Example
{
    /// <summary>An example whose inputs are the fields of these names; all others are what should come out.</summary>
    /// <param name="fields">Inputs and expected outputs.</param>
    /// <param name="names">Names of the inputs.</param>
    /// <exception cref="HoneException">There is no such field, or no name.</exception>
    public static Example<FieldMap, FieldMap> WithInputs(FieldMap fields, params IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(names);
        if (names.Count == 0)
            throw new HoneException($"Name at least one of the fields as an input: {string.Join(", ", fields.Keys)}.");
        foreach (var name in names)
        {
            if (!fields.ContainsKey(name))
                throw new HoneException($"The example has no field '{name}' to be an input. It has: {string.Join(", ", fields.Keys)}.");
        }

        return new(Fields(isInput: true), Fields(isInput: false));

        FieldMap Fields(bool isInput) => FieldMap.Create(fields.Where(field => names.Contains(field.Key, StringComparer.Ordinal) == isInput));
    }
}
