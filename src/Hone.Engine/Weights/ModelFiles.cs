using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Engine;

/// <summary>The small files of a model directory beside weights and tokenizer.json, kept as they were read: an export writes them again.</summary>
internal sealed class ModelFiles
{
    public const string GenerationConfig = "generation_config.json", TokenizerConfig = "tokenizer_config.json";

    private static readonly string[] Copied =
        [GenerationConfig, "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja"];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    private ModelFiles(string directory) => Directory = directory;

    /// <summary>Files that lie in no directory: an export has them all the same.</summary>
    /// <param name="name">Of what model they are.</param>
    /// <param name="files">Their content by name.</param>
    public static ModelFiles Of(string name, params ReadOnlySpan<(string Name, byte[] Content)> files)
    {
        var kept = new ModelFiles(name);
        foreach (var (file, content) in files) kept._files[file] = content;
        return kept;
    }

    /// <summary>Where they were read from.</summary>
    public string Directory { get; }

    /// <summary>Reads what there is.</summary>
    public static ModelFiles Read(string directory)
    {
        var files = new ModelFiles(Path.GetFullPath(directory));
        foreach (var name in (IEnumerable<string>)[Checkpoint.ConfigFile, TokenizerConfig, .. Copied])
        {
            var path = Path.Combine(directory, name);
            if (File.Exists(path)) files._files[name] = File.ReadAllBytes(path);
        }

        return files;
    }

    /// <summary>A file's content as an object; null where the file was not there.</summary>
    /// <exception cref="InvalidDataException">It is not a JSON object.</exception>
    public JsonObject? Json(string name)
    {
        if (!_files.TryGetValue(name, out var bytes)) return null;
        var path = Path.Combine(Directory, name);
        try
        {
            return JsonNode.Parse(bytes) as JsonObject ?? throw new InvalidDataException($"'{path}' is not a JSON object.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{path}' is not JSON: {error.Message}", error);
        }
    }

    /// <summary>Writes all but config.json and tokenizer_config.json as they were.</summary>
    public void Copy(string directory)
    {
        foreach (var name in Copied)
        {
            if (_files.TryGetValue(name, out var bytes)) AtomicFile.Write(Path.Combine(directory, name), stream => stream.Write(bytes));
        }
    }

    /// <summary>Writes config.json with every key that it had, naming the number format of the weights.</summary>
    public void WriteConfig(string directory, string dataType)
    {
        var config = Json(Checkpoint.ConfigFile)!;
        config[config.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = dataType;
        Write(Path.Combine(directory, Checkpoint.ConfigFile), config);
    }

    /// <summary>Replaces a JSON file as a whole.</summary>
    public static void Write(string path, JsonObject content) =>
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(content.ToJsonString(Indented))));
}
