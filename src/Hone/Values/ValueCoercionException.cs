namespace Hone;

/// <summary>A value does not fit its type. The path says where, from the field's own value: <c>$</c>, <c>$[2].age</c>.</summary>
public sealed class ValueCoercionException : HoneException
{
    /// <summary>Creates the error.</summary>
    public ValueCoercionException(string path, string reason) : base($"{path}: {reason}")
    {
        Path = path;
        Reason = reason;
    }

    /// <summary>JSON path of the part that does not fit.</summary>
    public string Path { get; }

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; }
}
