namespace Hone;

/// <content>State: what may be tuned, kept apart from the code.</content>
public sealed partial class Signature
{
    /// <summary>Instructions, descriptions and labels by field name, with a fingerprint of each field's type.</summary>
    public SignatureState GetState() =>
        new(Instructions, [.. Fields.Select(field => new SignatureFieldState(field.Name, Fingerprint(field), field.Description, field.Prefix))]);

    /// <summary>This signature with a saved state laid over it. Fields are matched by name; a state without names goes by position.</summary>
    /// <param name="state">The state.</param>
    /// <param name="isLenient">True leaves out what does not match instead of refusing it.</param>
    /// <exception cref="HoneException">The state has other fields or types; the message lists each difference.</exception>
    public Signature WithState(SignatureState state, bool isLenient = false)
    {
        ArgumentNullException.ThrowIfNull(state);
        var saved = ByName(state, isLenient);
        if (!isLenient)
            RequireMatch(saved);
        return new(Fields.Select(field => saved.TryGetValue(field.Name, out var one) && (one.Type is null || one.Type == Fingerprint(field))
            ? field with { Description = DescriptionOf(field, one), Prefix = PrefixOf(field, one) }
            : field), state.Instructions, Name);
    }

    private static string Fingerprint(SignatureField field) =>
        $"{(field.Direction == FieldDirection.Input ? "in" : "out")} {TypeExpressionWriter.Fingerprint(field.Type)}";

    // DSPy writes ${name} for a missing description and the label that it makes itself.
    private static string? DescriptionOf(SignatureField field, SignatureFieldState saved) =>
        saved.Description == $"${{{field.Name}}}" ? null : saved.Description;

    private static string? PrefixOf(SignatureField field, SignatureFieldState saved) =>
        saved.Prefix == NamingRules.Label(field.Name) + ":" ? null : saved.Prefix;

    private Dictionary<string, SignatureFieldState> ByName(SignatureState state, bool isLenient)
    {
        var saved = new Dictionary<string, SignatureFieldState>(StringComparer.Ordinal);
        var isPositional = state.Fields.All(field => field.Name is null);
        if (isPositional && !isLenient && state.Fields.Length != Fields.Length)
        {
            throw new HoneException(
                $"The state has {state.Fields.Length} fields without names, signature '{Name}' ({Shape}) has {Fields.Length}. "
                + "By position none can be told from another; load it into the signature that it was saved from.");
        }

        for (var i = 0; i < state.Fields.Length; i++)
        {
            var name = state.Fields[i].Name ?? (isPositional && i < Fields.Length ? Fields[i].Name : null);
            if (name is not null)
                saved[name] = state.Fields[i];
        }

        return saved;
    }

    private void RequireMatch(Dictionary<string, SignatureFieldState> saved)
    {
        var differences = new List<string>();
        foreach (var field in Fields)
        {
            if (!saved.TryGetValue(field.Name, out var one))
                differences.Add($"'{field.Name}' is missing in the state");
            else if (one.Type is not null && one.Type != Fingerprint(field))
                differences.Add($"'{field.Name}' is '{one.Type}' in the state and '{Fingerprint(field)}' in the signature");
        }

        differences.AddRange(saved.Keys.Where(name => Find(name) is null).Select(name => $"'{name}' is no field of the signature"));
        if (differences.Count > 0)
        {
            throw new HoneException(
                $"The state does not fit signature '{Name}' ({Shape}): {string.Join("; ", differences)}. Pass isLenient to leave them out.");
        }
    }
}
