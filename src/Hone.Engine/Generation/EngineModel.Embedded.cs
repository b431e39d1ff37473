using System.Text;
using System.Text.Json;

namespace Hone.Engine;

public sealed partial class EngineModel
{
    private const string EmbeddedName = "hone-embedded";

    /// <summary>The model that ships with Hone: about a million parameters, trained from scratch by this repository's own recipe.</summary>
    /// <param name="adapter">Directory of a PEFT adapter that was trained on it, which is added to the weights; or null.</param>
    /// <exception cref="FileNotFoundException">A file of the adapter is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">The adapter is of another model, or of a kind that the engine does not compute; the message names file and key.</exception>
    public static EngineModel LoadEmbedded(string? adapter = null)
    {
        using var tokenizerFile = Resource(TokenizerFileName);
        var tokenizer = Tokenizer.Load(tokenizerFile, TokenizerFileName);
        byte[] configJson = Content(Checkpoint.ConfigFile), tokenizerConfigJson = Content(ModelFiles.TokenizerConfig);
        using var tokenizerConfig = JsonDocument.Parse(tokenizerConfigJson);
        var config = ModelConfig.Parse(Encoding.UTF8.GetString(configJson), Checkpoint.ConfigFile);
        // A resource is part of the loaded image: its weights are converted from where they lie.
        var weights = Checkpoint.Read(config, [SafetensorsFile.Open((UnmanagedMemoryStream)Resource(Checkpoint.WeightsFile), Checkpoint.WeightsFile)], EmbeddedName);
        var merged = adapter is null ? null : PeftAdapter.Load(adapter, config);
        merged?.MergeInto(weights);
        var template = ChatTemplate.For(ModelTypeOf(config), tokenizerConfig.RootElement, tokenizer);
        var files = ModelFiles.Of(EmbeddedName, (Checkpoint.ConfigFile, configJson), (ModelFiles.TokenizerConfig, tokenizerConfigJson));
        return new EngineModel(EmbeddedName, weights, tokenizer, template, files: files) { Merged = merged };
    }

    private static byte[] Content(string file)
    {
        using var resource = Resource(file);
        var content = new byte[resource.Length];
        resource.ReadExactly(content);
        return content;
    }

    private static Stream Resource(string file) => typeof(EngineModel).Assembly.GetManifestResourceStream($"Embedded/{file}")
        ?? throw new InvalidOperationException($"The embedded resource '{file}' is missing from Hone.Engine.dll; rebuild the package.");
}
