using System.Collections.Immutable;

namespace Hone;

/// <summary>Why a completion could not be parsed.</summary>
public enum ParseFailureKind
{
    /// <summary>The text is empty.</summary>
    Empty,

    /// <summary>A field's marker is missing.</summary>
    Structural,

    /// <summary>A field is there but its value does not fit its type or bounds.</summary>
    Constraint,

    /// <summary>The model stopped at its token limit before the answer was whole.</summary>
    Truncated,

    /// <summary>The model or its provider declined to answer.</summary>
    Refused,
}

/// <summary>A completion did not hold the declared outputs. Another sample may.</summary>
public sealed class AdapterParseException : HoneException
{
    /// <summary>Creates the error.</summary>
    public AdapterParseException(
        string adapter,
        Signature signature,
        string completion,
        ParseFailureKind kind,
        FieldMap parsed,
        string reason,
        Exception? innerException = null)
        : base($"{adapter} could not read the answer for signature '{signature.Shape}': {reason}", innerException)
    {
        Adapter = adapter;
        Signature = signature;
        Completion = completion;
        Kind = kind;
        Parsed = parsed;
        Reason = reason;
    }

    /// <summary>True unless the model declined or was cut off: then the same call ends the same way.</summary>
    public override bool IsRetryable => Kind is not (ParseFailureKind.Truncated or ParseFailureKind.Refused);

    /// <summary>What was wrong, without the name of the adapter and the signature.</summary>
    public string Reason { get; }

    /// <summary>Name of the adapter.</summary>
    public string Adapter { get; }

    /// <summary>The signature that was asked for.</summary>
    public Signature Signature { get; }

    /// <summary>The raw text; kept out of the message.</summary>
    public string Completion { get; }

    /// <summary>What was wrong.</summary>
    public ParseFailureKind Kind { get; }

    /// <summary>The outputs that could be read.</summary>
    public FieldMap Parsed { get; }

    /// <summary>
    /// Names of the outputs that the answer held with a value that fits. Unlike <see cref="Parsed"/> it leaves out those that were absent and got their
    /// default.
    /// </summary>
    /// <value>All of <see cref="Parsed"/> when an adapter does not tell.</value>
    public ImmutableArray<string> FoundFields
    {
        get => field.IsDefault ? [.. Parsed.Keys] : field;
        init;
    }

    /// <summary>The output that is missing or does not fit, the first of several; null when it is the answer as a whole that cannot be read.</summary>
    public string? Field { get; init; }

    /// <summary>How many requests were made before the call was given up.</summary>
    public int Requests { get; private set; } = 1;

    /// <summary>What those requests cost, where a predictor made them. The run's own account has it as well.</summary>
    public Usage Usage { get; private set; }

    /// <summary>Names of the declared outputs.</summary>
    public ImmutableArray<string> ExpectedFields => [.. Signature.Outputs.Select(output => output.Name)];

    /// <summary>Sets what it took, before the error is thrown.</summary>
    internal AdapterParseException After(int requests, Usage usage)
    {
        (Requests, Usage) = (requests, usage);
        return this;
    }
}
