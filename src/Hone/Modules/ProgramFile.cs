using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone;

/// <summary>
/// The saved form of a program: JSON with one entry a predictor, matched by path and field name, never by position. Weights lie in a directory
/// beside it. Programs are code and are not saved; neither is anything secret. Loading executes nothing.
/// </summary>
/// <remarks>Files that DSPy's <c>program.save("x.json")</c> wrote are read as well.</remarks>
public static class ProgramFile
{
    // A name that stands twice would be read in one way here and in another elsewhere.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>
    /// Writes the program's state to a file and, when its model can be saved, the weights to <c>NAME.weights</c> beside it; those of a named model to
    /// <c>NAME.MODEL.weights</c>.
    /// </summary>
    public static async Task SaveAsync<TIn, TOut>(this Program<TIn, TOut> program, string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        string? weights = null;
        if (program.Model?.GetService<IWeightStore>() is { } store)
        {
            weights = Path.GetFileNameWithoutExtension(path) + ".weights";
            await store.SaveWeightsAsync(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, weights), cancellationToken).ConfigureAwait(false);
        }

        var named = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, model) in program.NamedModels)
        {
            if (model.GetService<IWeightStore>() is not { } own)
                continue;
            named.Add(name, $"{Path.GetFileNameWithoutExtension(path)}.{SafeName(name)}.weights");
            await own.SaveWeightsAsync(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, named[name]), cancellationToken).ConfigureAwait(false);
        }

        await AtomicFile.WriteTextAsync(path, ProgramFileWriter.Write(program, weights, named) + "\n", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the program's state, without weights, to a stream.</summary>
    public static async Task SaveAsync<TIn, TOut>(this Program<TIn, TOut> program, Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(program.SaveState()), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The program's state, without weights, as JSON: for a database or a configuration store.</summary>
    public static string SaveState<TIn, TOut>(this Program<TIn, TOut> program)
    {
        ArgumentNullException.ThrowIfNull(program);
        return ProgramFileWriter.Write(program, weights: null);
    }

    /// <summary>The program with the state of a file; its model stays.</summary>
    /// <exception cref="HoneException">The file is not a saved program, or its predictors or fields differ from the program's.</exception>
    public static Task<Program<TIn, TOut>> LoadStateAsync<TIn, TOut>(
        this Program<TIn, TOut> program, string path, CancellationToken cancellationToken = default) =>
        program.LoadStateAsync(path, new StateLoadOptions(), cancellationToken);

    /// <summary>The program with the state of a file; its model stays.</summary>
    /// <exception cref="HoneException">The file is not a saved program, or differs from the program in a way that the options do not allow.</exception>
    public static async Task<Program<TIn, TOut>> LoadStateAsync<TIn, TOut>(
        this Program<TIn, TOut> program, string path, StateLoadOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        return program.LoadState(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false), path, options);
    }

    /// <summary>The program with the state of a stream; its model stays.</summary>
    /// <param name="program">The program whose module the state is for.</param>
    /// <param name="stream">UTF-8 JSON.</param>
    /// <param name="name">What the stream is called in errors.</param>
    /// <param name="options">How strictly the state is taken over; strictly when null.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="HoneException">The stream is not a saved program, or its predictors or fields differ from the program's.</exception>
    public static async Task<Program<TIn, TOut>> LoadStateAsync<TIn, TOut>(
        this Program<TIn, TOut> program, Stream stream, string name, StateLoadOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
        return program.LoadState(await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false), name, options);
    }

    /// <summary>The program with the state of a JSON text; its model stays.</summary>
    /// <param name="program">The program whose module the state is for.</param>
    /// <param name="json">What <see cref="SaveState"/> gave, or a file of DSPy's.</param>
    /// <param name="name">What the text is called in errors.</param>
    /// <param name="options">How strictly the state is taken over; strictly when null.</param>
    /// <exception cref="HoneException">The text is not a saved program, or its predictors or fields differ from the program's.</exception>
    public static Program<TIn, TOut> LoadState<TIn, TOut>(
        this Program<TIn, TOut> program, string json, string name = "The state", StateLoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(json);
        var source = new ProgramFileSource(name, program.Module.GetType().Name, options ?? new(), program.Logger ?? NullLogger.Instance);
        using var document = Parse(json, name);
        try
        {
            var predictors = ModuleTree.Collect(program.Module);
            return program.With(DspyState.Recognizes(document.RootElement)
                ? DspyState.Read(document.RootElement, predictors, program.NamedModels, source)
                : ProgramFileReader.Read(
                    document.RootElement,
                    predictors,
                    program.Tools.ToDictionary(StringComparer.Ordinal),
                    [.. ModuleTree.CollectBanks(program.Module).Select(entry => entry.Key)],
                    source));
        }
        catch (Exception error) when (error
            is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException or OverflowException)
        {
            throw new HoneException($"{name} is not a saved program that this Hone can read: {error.Message}", error);
        }
    }

    /// <summary>Directories of the weights of a saved program's named models, by name; load each and give it to the program under that name.</summary>
    /// <exception cref="HoneException">The file is no saved program, or names a directory that is not directly beside it.</exception>
    public static IReadOnlyDictionary<string, string> NamedWeightsDirectoriesOf(string path)
    {
        using var document = Open(path);
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (!document.RootElement.TryGetProperty("namedWeights", out var named))
            return found;
        if (named.ValueKind != JsonValueKind.Object)
            throw new HoneException($"{path} is not a saved program that this Hone can read: its named weights are no object.");
        foreach (var entry in named.EnumerateObject())
            found.Add(entry.Name, Beside(path, entry.Value));
        return found;
    }

    // Names of models are the user's: what a file system might refuse is replaced, and told apart by a digest.
    private static string SafeName(string name) => name.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-' or '.')
        ? name
        : string.Concat(name.Select(character => char.IsAsciiLetterOrDigit(character) ? character : '_'))
            + "-" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..8];

    /// <summary>Directory of the weights that belong to a saved program; null when it has none.</summary>
    /// <exception cref="HoneException">The file is no saved program, or names a directory that is not directly beside it.</exception>
    public static string? WeightsDirectoryOf(string path)
    {
        using var document = Open(path);
        return document.RootElement.TryGetProperty("weights", out var weights) && weights.ValueKind != JsonValueKind.Null ? Beside(path, weights) : null;
    }

    private static JsonDocument Parse(string json, string name)
    {
        try
        {
            return JsonDocument.Parse(json, Strict);
        }
        catch (JsonException error)
        {
            throw new HoneException($"{name} is not JSON: {error.Message}", error);
        }
    }

    private static JsonDocument Open(string path)
    {
        var document = Parse(File.ReadAllText(path), path);
        if (document.RootElement.ValueKind == JsonValueKind.Object)
            return document;
        document.Dispose();
        throw new HoneException($"{path} is not a saved Hone program: it is no JSON object.");
    }

    // A file from elsewhere must not choose what is loaded from anywhere on this machine.
    private static string Beside(string path, JsonElement folder)
    {
        var name = folder.ValueKind == JsonValueKind.String ? folder.GetString()! : string.Empty;
        if (name.Length == 0 || name is "." or ".." || name.AsSpan().ContainsAny("/\\:\0") || Path.IsPathRooted(name))
            throw new HoneException(
                $"{path} names '{FieldConstraints.Shorten(name)}' as its weights, which is no plain name. Weights lie in a directory beside the file: put them there and write its name into the file.");
        return Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name);
    }
}
