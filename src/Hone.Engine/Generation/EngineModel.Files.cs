using System.Reflection;

namespace Hone.Engine;

public sealed partial class EngineModel
{
    private const string EmbeddedName = "hone-embedded";

    // Files of a checkpoint that say how text becomes tokens. They are kept to be written again beside changed weights.
    private static readonly string[] TextFiles = ["tokenizer.json", "tokenizer_config.json", "generation_config.json"];

    /// <summary>Text files of the checkpoint by name.</summary>
    internal IReadOnlyDictionary<string, byte[]> Files { get; private init; } = new Dictionary<string, byte[]>();

    /// <summary>The model that ships with Hone: about a million parameters, trained from scratch by this repository's own recipe.</summary>
    public static EngineModel LoadEmbedded()
    {
        var assembly = typeof(EngineModel).Assembly;
        // The safetensors reader maps files, so the resources are laid out in a directory of their own for the time of reading.
        var directory = Directory.CreateTempSubdirectory("hone-embedded-").FullName;
        try
        {
            foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith("Embedded/", StringComparison.Ordinal)))
                Extract(assembly, resource, Path.Combine(directory, resource["Embedded/".Length..]));
            return Load(directory, name: EmbeddedName);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Writes the model as a checkpoint in the Hugging Face layout, in float32, into a new or existing directory.</summary>
    internal void Save(string directory)
    {
        Directory.CreateDirectory(directory);
        Checkpoint.Save(directory, Config, Weights);
        foreach (var (name, content) in Files)
            File.WriteAllBytes(Path.Combine(directory, name), content);
    }

    /// <summary>The same tokenizer and chat format over other weights, which the new model owns.</summary>
    internal EngineModel WithWeights(string name, ParameterSet weights) => new(name, weights, Tokenizer, Template, EndTokenIds) { Files = Files };

    private static Dictionary<string, byte[]> ReadTextFiles(string directory) => TextFiles
        .Where(name => File.Exists(Path.Combine(directory, name)))
        .ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(directory, name)));

    private static void Extract(Assembly assembly, string resource, string path)
    {
        using var source = assembly.GetManifestResourceStream(resource)!;
        using var target = File.Create(path);
        source.CopyTo(target);
    }
}
