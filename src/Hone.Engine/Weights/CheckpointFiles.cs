using System.Text.Json;

namespace Hone.Engine;

/// <summary>Which safetensors files a model directory consists of.</summary>
internal static class CheckpointFiles
{
    /// <summary>The one file, or those that the index names; all exist.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">The index is not one.</exception>
    public static IReadOnlyList<string> Find(string directory)
    {
        var single = Path.Combine(directory, Checkpoint.WeightsFile);
        if (File.Exists(single)) return [single];
        var index = Path.Combine(directory, Checkpoint.IndexFile);
        if (!File.Exists(index))
        {
            var other = Directory.EnumerateFiles(directory).Select(Path.GetFileName)
                .FirstOrDefault(name => name!.EndsWith(".bin", StringComparison.Ordinal) || name.EndsWith(".gguf", StringComparison.Ordinal));
            throw new FileNotFoundException(
                $"'{directory}' has neither {Checkpoint.WeightsFile} nor {Checkpoint.IndexFile}." +
                (other is null ? "" : $" It has '{other}', which the engine does not read: save the model in the safetensors format."),
                single);
        }

        return Read(directory, index);
    }

    private static List<string> Read(string directory, string index)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(index));
            foreach (var entry in document.RootElement.GetProperty("weight_map").EnumerateObject())
                files.TryAdd(entry.Value.GetString() ?? throw new InvalidDataException($"'{index}': tensor '{entry.Name}' has no file name."), entry.Name);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException($"'{index}' is not a safetensors index (key 'weight_map'): {error.Message}", error);
        }

        foreach (var (file, tensor) in files)
        {
            if (file != Path.GetFileName(file)) throw new InvalidDataException($"'{index}': tensor '{tensor}' is in '{file}', which is not a file name.");
            if (!File.Exists(Path.Combine(directory, file)))
            {
                throw new FileNotFoundException(
                    $"'{index}' says that tensor '{tensor}' is in '{file}', but there is no such file beside it. Is the checkpoint complete?",
                    Path.Combine(directory, file));
            }
        }

        return [.. files.Keys.Select(file => Path.Combine(directory, file))];
    }
}
