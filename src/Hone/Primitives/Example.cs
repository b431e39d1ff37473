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
