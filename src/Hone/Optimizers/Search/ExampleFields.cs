namespace Hone.Optimizers;

/// <summary>An example as field maps: what a predictor of the same field names can be shown.</summary>
internal static class ExampleFields
{
    /// <summary>Values that go in, by field name.</summary>
    public static FieldMap InputsOf<TIn, TOut>(Example<TIn, TOut> example) => Fields(example.Input, FieldDirection.Input);

    /// <summary>All known values: inputs, reference outputs, labels. Nulls are unknown.</summary>
    public static FieldMap Of<TIn, TOut>(Example<TIn, TOut> example)
    {
        var all = InputsOf(example).Concat(Fields(example.Expected, FieldDirection.Output));
        return FieldMap.Create(example.Labels.Concat(all).Where(field => field.Value is not null));
    }

    /// <summary>The values that a predictor has fields for, in the signature's order.</summary>
    public static FieldMap For(Signature signature, FieldMap fields) => FieldMap.Create(signature.Fields
        .Where(field => fields.ContainsKey(field.Name))
        .Select(field => KeyValuePair.Create(field.Name, fields[field.Name])));

    private static FieldMap Fields(object? value, FieldDirection direction) =>
        value as FieldMap ?? (value is null ? FieldMap.Empty : SignatureReflector.ToFieldMap(value, direction));
}
