using System.Reflection;

namespace Hone.Engine;

public sealed partial class EngineModel
{
    private const string EmbeddedName = "hone-embedded";

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

    private static void Extract(Assembly assembly, string resource, string path)
    {
        using var source = assembly.GetManifestResourceStream(resource)!;
        using var target = File.Create(path);
        source.CopyTo(target);
    }
}
