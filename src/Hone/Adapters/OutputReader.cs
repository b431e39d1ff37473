using System.Collections.Immutable;

namespace Hone;

/// <summary>Turns raw output values into typed ones: coercion, bounds, defaults. Shared by the adapters.</summary>
internal static class OutputReader
{
    /// <summary>All outputs of the signature, in its order.</summary>
    /// <param name="adapter">Name for errors.</param>
    /// <param name="signature">What was asked for.</param>
    /// <param name="completion">The raw text, kept in errors.</param>
    /// <param name="raw">For each output, whether it was found, and its text or JSON value.</param>
    /// <param name="isTyped">True when the format tells text from other values, as JSON does: then text stays text where the type allows it.</param>
    /// <exception cref="AdapterParseException">A field is missing or does not fit.</exception>
    public static FieldMap Read(
        string adapter, Signature signature, string completion, ReadOnlySpan<(bool Found, object? Value)> raw, bool isTyped = false)
    {
        var outputs = signature.Outputs;
        var entries = new KeyValuePair<string, object?>[outputs.Length];
        var count = 0;
        List<string>? missing = null;
        (string Field, string Reason, Exception? Cause)? misfit = null;
        for (var i = 0; i < outputs.Length; i++)
        {
            var field = outputs[i];
            if (raw[i].Found)
            {
                // A value that does not fit is not the end: what else there is decides how far off the answer was.
                if (TryReadField(field, raw[i].Value, isTyped, out var value) is { } found)
                    misfit ??= (field.Name, found.Reason, found.Cause);
                else
                    entries[count++] = new(field.Name, value);
            }
            else if (field.HasDefault || field.Type.AdmitsNull)
            {
                entries[count++] = new(field.Name, field.Default);
            }
            else
            {
                (missing ??= []).Add(field.Name);
            }
        }

        return missing is null && misfit is null
            ? FieldMap.Adopt(entries)
            : throw Failure(adapter, signature, completion, raw, FieldMap.Adopt(entries[..count]), missing, misfit);
    }

    private static AdapterParseException Failure(
        string adapter,
        Signature signature,
        string completion,
        ReadOnlySpan<(bool Found, object? Value)> raw,
        FieldMap parsed,
        List<string>? missing,
        (string Field, string Reason, Exception? Cause)? misfit)
    {
        var outputs = signature.Outputs;
        var found = ImmutableArray.CreateBuilder<string>(outputs.Length);
        for (var i = 0; i < outputs.Length; i++)
        {
            if (raw[i].Found && parsed.ContainsKey(outputs[i].Name))
                found.Add(outputs[i].Name);
        }

        if (misfit is { } first)
        {
            return new(adapter, signature, completion, ParseFailureKind.Constraint, parsed, first.Reason, first.Cause)
            {
                FoundFields = found.ToImmutable(),
                Field = first.Field,
            };
        }

        var isEmpty = string.IsNullOrWhiteSpace(completion);
        var expected = string.Join(", ", outputs.Select(output => output.Name));
        var present = parsed.Count == 0 ? "none" : string.Join(", ", parsed.Keys);
        return new(
            adapter,
            signature,
            completion,
            isEmpty ? ParseFailureKind.Empty : ParseFailureKind.Structural,
            parsed,
            isEmpty
                ? "the answer is empty."
                : $"no value for {string.Join(", ", missing!)}; found {present}. Expected {expected}.")
        {
            FoundFields = found.ToImmutable(),
            Field = isEmpty ? null : missing![0],
        };
    }

    // The reason that the value does not fit; null when it does.
    private static (string Reason, Exception? Cause)? TryReadField(SignatureField field, object? raw, bool isTyped, out object? value)
    {
        var failure = default(CoercionFailure);
        if (!(isTyped ? ValueCoercer.TryCoerceJson(raw, field.Type, out value, ref failure) : ValueCoercer.TryCoerce(raw, field.Type, out value, ref failure)))
        {
            var cause = failure.ToException();
            return ($"field '{field.Name}' ({TypeNames.Of(field.Type)}) at {cause.Message}.", cause);
        }

        return FieldConstraints.Check(field.Constraints, value) is { } broken ? ($"field '{field.Name}': {broken}.", null) : null;
    }
}
