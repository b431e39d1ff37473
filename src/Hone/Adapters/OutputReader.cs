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
        for (var i = 0; i < outputs.Length; i++)
        {
            var field = outputs[i];
            if (raw[i].Found)
                entries[count] = new(field.Name, ReadField(adapter, signature, completion, field, raw[i].Value, isTyped, entries.AsSpan(0, count++)));
            else if (field.HasDefault || field.Type.AdmitsNull)
                entries[count++] = new(field.Name, field.Default);
            else
                (missing ??= []).Add(field.Name);
        }

        if (missing is null)
            return FieldMap.Adopt(entries);
        var isEmpty = string.IsNullOrWhiteSpace(completion);
        var expected = string.Join(", ", outputs.Select(output => output.Name));
        var parsed = FieldMap.Adopt(entries[..count]);
        var present = count == 0 ? "none" : string.Join(", ", parsed.Keys);
        throw new AdapterParseException(
            adapter,
            signature,
            completion,
            isEmpty ? ParseFailureKind.Empty : ParseFailureKind.Structural,
            parsed,
            isEmpty
                ? "the answer is empty."
                : $"no value for {string.Join(", ", missing)}; found {present}. Expected {expected}.");
    }

    private static object? ReadField(
        string adapter,
        Signature signature,
        string completion,
        SignatureField field,
        object? raw,
        bool isTyped,
        ReadOnlySpan<KeyValuePair<string, object?>> parsed)
    {
        var failure = default(CoercionFailure);
        if (!(isTyped ? ValueCoercer.TryCoerceJson(raw, field.Type, out var value, ref failure) : ValueCoercer.TryCoerce(raw, field.Type, out value, ref failure)))
        {
            var cause = failure.ToException();
            throw Misfit(parsed, $"field '{field.Name}' ({TypeNames.Of(field.Type)}) at {cause.Message}.", cause);
        }

        if (FieldConstraints.Check(field.Constraints, value) is { } broken)
            throw Misfit(parsed, $"field '{field.Name}': {broken}.", null);
        return value;

        AdapterParseException Misfit(ReadOnlySpan<KeyValuePair<string, object?>> before, string reason, Exception? cause) =>
            new(adapter, signature, completion, ParseFailureKind.Constraint, FieldMap.Adopt(before.ToArray()), reason, cause);
    }
}
