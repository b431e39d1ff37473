using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>Checks the inputs of a call before anything is paid for.</summary>
internal static partial class PredictorInputs
{
    /// <summary>The canonical inputs in signature order, defaults filled in.</summary>
    /// <exception cref="HoneException">An input is unknown, missing, or breaks its bound.</exception>
    public static FieldMap Complete(string path, Signature signature, FieldMap inputs, ILogger logger)
    {
        foreach (var (name, _) in inputs)
        {
            if (IndexOf(signature.Inputs, name) < 0)
                throw new HoneException($"Predictor '{path}' got a value for '{name}', which is no input. Its signature is: {signature.Shape}.");
        }

        // Usually everything is there, in order, and needs no conversion: then the inputs are what they are.
        var complete = inputs.Count == signature.Inputs.Length ? null : new KeyValuePair<string, object?>[signature.Inputs.Length];
        var count = 0;
        foreach (var input in signature.Inputs)
        {
            if (inputs.TryGetValue(input.Name, out var value))
            {
                if (value is null && !input.Type.AdmitsNull)
                    throw new HoneException(
                        $"Predictor '{path}' got null for input '{input.Name}', which must have a value. Its signature is: {signature.Shape}. Pass one, or let the field's type admit null.");
                var canonical = Check(path, signature, input, ClrValues.ToCanonical(value), logger);
                if (complete is null && (inputs.At(count).Key != input.Name || !ReferenceEquals(canonical, value)))
                    complete = FirstOf(inputs, count);
                if (complete is not null)
                    complete[count] = new(input.Name, canonical);
                count++;
            }
            else if (input.HasDefault)
            {
                complete![count++] = new(input.Name, input.Default);
            }
            else if (!input.Type.AdmitsNull)
            {
                throw new HoneException(
                    $"Predictor '{path}' got no value for input '{input.Name}'. Its signature is: {signature.Shape}. Pass it, or give the field a default.");
            }
        }

        return complete is null ? inputs : FieldMap.Adopt(count == complete.Length ? complete : complete[..count]);
    }

    private static KeyValuePair<string, object?>[] FirstOf(FieldMap inputs, int count)
    {
        var entries = new KeyValuePair<string, object?>[inputs.Count];
        for (var i = 0; i < count; i++)
            entries[i] = inputs.At(i);
        return entries;
    }

    private static object? Check(string path, Signature signature, SignatureField input, object? value, ILogger logger)
    {
        if (value is not null && FieldConstraints.Check(input, value) is { } broken)
            throw new HoneException($"Predictor '{path}', input '{input.Name}': {broken}. Its signature is: {signature.Shape}.");
        if (value is not null && !input.IsTypeUndefined && input.Type.Kind != FieldTypeKind.String && logger.IsEnabled(LogLevel.Warning))
            WarnOfMismatch(path, input, value, logger);
        return value;
    }

    private static void WarnOfMismatch(string path, SignatureField input, object value, ILogger logger)
    {
        var failure = default(CoercionFailure);
        if (!TypeValidator.TryValidate(value, input.Type, isStrict: false, out _, ref failure))
            LogMismatch(logger, path, input.Name, TypeNames.Of(input.Type), failure.ToException().Message);
    }

    private static int IndexOf(ImmutableArray<SignatureField> fields, string name)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            if (string.Equals(fields[i].Name, name, StringComparison.Ordinal))
                return i;
        }

        return -1;
    }

    [LoggerMessage(EventId = 111, Level = LogLevel.Warning, Message = "Predictor '{Path}', input '{Field}' is declared as {Type}, but {Reason}. It is sent as it is.")]
    private static partial void LogMismatch(ILogger logger, string path, string field, string type, string reason);
}
