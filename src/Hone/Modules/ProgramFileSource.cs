using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>How a saved state is taken over.</summary>
public sealed record StateLoadOptions
{
    /// <summary>
    /// True refuses a file whose predictors or fields are not exactly those of the module, listing both sides. False takes over what fits and leaves the
    /// rest as declared; a demo with a value that does not fit its field is left out. What was passed over is a warning of the program's logger.
    /// </summary>
    /// <value>True by default.</value>
    public bool IsStrict { get; init; } = true;
}

/// <summary>A file of state being read: what it is called in errors, and how strictly it is taken.</summary>
internal sealed record ProgramFileSource(string Name, string Module, StateLoadOptions Options, ILogger Logger)
{
    /// <summary>Refuses a file whose predictors are not the module's.</summary>
    public void Match(IEnumerable<string> saved, IEnumerable<string> declared)
    {
        var (inFile, inModule) = (saved.ToArray(), declared.ToArray());
        var unknown = inFile.Except(inModule, StringComparer.Ordinal).ToArray();
        var missing = inModule.Except(inFile, StringComparer.Ordinal).ToArray();
        if (unknown.Length + missing.Length > 0)
            Refuse($"the predictors differ. In the file only: {List(unknown)}. In the module only: {List(missing)}");
    }

    /// <summary>Says that the file does not fit; passes over it when that is allowed.</summary>
    /// <exception cref="HoneException">The file is taken strictly.</exception>
    public void Refuse(string difference)
    {
        if (!Options.IsStrict)
        {
            ProgramFileLog.Difference(Logger, Name, Module, difference);
        }
        else
        {
            throw new HoneException(
                $"{Name} does not fit module {Module}: {difference}. Change the module, or load with {nameof(StateLoadOptions)} "
                + $"{{ {nameof(StateLoadOptions.IsStrict)} = false }} to take over what fits.");
        }
    }

    /// <summary>The demos of a predictor. Taken leniently, one with a value that does not fit its field is left out.</summary>
    /// <exception cref="HoneException">A value does not fit, and the file is taken strictly.</exception>
    public ImmutableArray<Demo> ReadDemos(JsonElement predictor, string path, Func<JsonElement, string, Demo?> read) =>
        predictor.TryGetProperty("demos", out var demos)
            ? [.. demos.EnumerateArray().Select((demo, index) => read(demo, $"predictor '{path}', demo {index}")).OfType<Demo>()]
            : [];

    /// <summary>A demo's value as one of its field's type. False when it does not fit and the demo is to be left out.</summary>
    /// <exception cref="HoneException">The value does not fit, and the file is taken strictly.</exception>
    public bool TryReadValue(JsonElement value, SignatureField field, string where, out object? read)
    {
        read = null;
        if (value.ValueKind == JsonValueKind.Null)
            return true;

        // JSON has types of its own: the text "2" is no number where text is possible, too.
        var failure = default(CoercionFailure);
        if (ValueCoercer.TryCoerceJson(JsonValues.FromElement(value), field.Type, out read, ref failure))
            return true;
        var error = failure.ToException();
        var mismatch = $"{where}, field '{field.Name}' ({TypeNames.Of(field.Type)}): {error.Message}";
        if (Options.IsStrict)
            throw new HoneException(
                $"{Name}: {mismatch}. Correct or remove the demo in the file, or load with {nameof(StateLoadOptions)} "
                + $"{{ {nameof(StateLoadOptions.IsStrict)} = false }} to leave it out.", error);
        ProgramFileLog.DemoLeftOut(Logger, Name, mismatch);
        return false;
    }

    private static string List(string[] names) => names.Length == 0 ? "none" : string.Join(", ", names);
}

internal static partial class ProgramFileLog
{
    [LoggerMessage(EventId = 131, Level = LogLevel.Warning, Message = "{File} does not fit module {Module} in part, which stays as declared: {Mismatch}.")]
    public static partial void Difference(ILogger logger, string file, string module, string mismatch);

    [LoggerMessage(EventId = 132, Level = LogLevel.Warning, Message = "{File}: {Mismatch}. The demo is left out.")]
    public static partial void DemoLeftOut(ILogger logger, string file, string mismatch);
}
