namespace Hone;

/// <summary>Why a value did not fit, collected while unwinding; costs nothing as long as everything fits.</summary>
internal struct CoercionFailure
{
    public string? Reason { get; private set; }

    public string Path { get; private set; }

    public bool Set(string reason)
    {
        (Reason, Path) = (reason, string.Empty);
        return false;
    }

    public bool Expected(FieldType type, object? found) => Set($"expected {TypeNames.Of(type)}, found {FieldConstraints.Shorten(found)}");

    public bool Under(string segment)
    {
        Path = segment + Path;
        return false;
    }

    public readonly ValueCoercionException ToException() => new("$" + Path, Reason ?? "the value does not fit");
}
