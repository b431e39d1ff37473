namespace Hone;

/// <summary>Why a value did not fit, collected while unwinding; costs next to nothing until somebody asks for the reason.</summary>
internal struct CoercionFailure
{
    private string? reason;

    private FieldType? expected;

    private object? found;

    private List<string>? segments;

    /// <summary>How many checks were made so far; see <see cref="TypeValidator"/>.</summary>
    public int Steps { get; set; }

    /// <summary>What is wrong; null when nothing is known.</summary>
    public readonly string? Reason => expected is null ? reason : $"expected {TypeNames.Of(expected)}, found {FieldConstraints.Shorten(found)}";

    /// <summary>Where, from the value's own root: <c>[2].age</c>.</summary>
    public readonly string Path => segments is null ? string.Empty : string.Concat(Enumerable.Reverse(segments));

    public bool Set(string why)
    {
        (reason, expected, found, segments) = (why, null, null, null);
        return false;
    }

    public bool Expected(FieldType type, object? value)
    {
        (reason, expected, found, segments) = (null, type, value, null);
        return false;
    }

    public bool Under(string segment)
    {
        (segments ??= []).Add(segment);
        return false;
    }

    public readonly ValueCoercionException ToException() => new("$" + Path, Reason ?? "the value does not fit");
}
