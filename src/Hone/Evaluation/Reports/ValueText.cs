namespace Hone;

/// <summary>Inputs and outputs in words, as reports show them.</summary>
public static class ValueText
{
    /// <summary>A line a field where its fields are known (a single field without its name), its own text otherwise; empty for null.</summary>
    public static string Of(object? value)
    {
        // In a trimmed program the properties of an object that nobody registered are gone: its own text must do.
        if (value is null or string or FieldMap || !ClrReflection.CanRead(value.GetType()))
            return value is FieldMap map ? Lines(map) : $"{value}";
        try
        {
            return ClrValues.ToCanonical(value) switch
            {
                FieldMap fields => Lines(fields),
                string text => text,
                var canonical => JsonText.Write(canonical),
            };
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // A type of the user's own that cannot be taken apart: showing a value must not end a run.
            return $"{value}";
        }
    }

    // A single field needs no name.
    private static string Lines(FieldMap map) => string.Join('\n', map.Select(entry => map.Count == 1 ? Text(entry.Value) : $"{entry.Key}: {Text(entry.Value)}"));

    private static string Text(object? value) => value as string ?? JsonText.Write(value);
}
