using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Engine;

/// <summary>Adapter directories in the layout of Hugging Face PEFT: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
internal static class PeftAdapter
{
    public const string ConfigFile = "adapter_config.json";
    public const string WeightsFile = "adapter_model.safetensors";
    private const string Prefix = "base_model.model.";

    // What changes the model beyond plain LoRA on the seven projections of every layer.
    private static readonly string[] Unread =
    [
        "modules_to_save", "rank_pattern", "alpha_pattern", "layers_to_transform", "layers_pattern", "layer_replication", "exclude_modules",
        "target_parameters", "trainable_token_indices", "megatron_config",
    ];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Reads an adapter for a model of the given shape.</summary>
    /// <exception cref="FileNotFoundException">One of the two files is missing.</exception>
    /// <exception cref="InvalidDataException">The adapter is of another kind than plain LoRA, or does not fit the model.</exception>
    public static LoraAdapter Load(string directory, ModelConfig config)
    {
        var configPath = Path.Combine(directory, ConfigFile);
        if (!File.Exists(configPath))
            throw new FileNotFoundException($"'{configPath}' does not exist; expected a PEFT adapter directory.", configPath);
        var weightsPath = Path.Combine(directory, WeightsFile);
        if (!File.Exists(weightsPath))
        {
            throw new FileNotFoundException(
                $"'{weightsPath}' does not exist; expected the adapter's tensors in the safetensors format beside {ConfigFile}.", weightsPath);
        }

        using var file = SafetensorsFile.Open(weightsPath);
        var adapter = new LoraAdapter(config, ReadOptions(configPath, file));
        var missing = adapter.Tensors.ToDictionary(tensor => Prefix + tensor.Name, StringComparer.Ordinal);
        foreach (var entry in file.Entries.Values)
        {
            if (!missing.Remove(entry.Name, out var tensor))
            {
                throw new InvalidDataException(
                    $"'{file.Path}': tensor '{entry.Name}' has no place in an adapter of this model; target_modules or the base model may differ.");
            }

            Checkpoint.ReadTensor(file, entry, tensor, adapter);
        }

        return missing.Count == 0 ? adapter
            : throw new InvalidDataException(
                $"'{file.Path}' lacks {missing.Count} tensors, the first '{missing.Keys.First()}'. Is the adapter complete?");
    }

    /// <summary>Writes an adapter, creating the directory.</summary>
    public static void Save(string directory, LoraAdapter adapter, WeightFormat format = WeightFormat.Float32, string? baseModel = null)
    {
        Directory.CreateDirectory(directory);
        SafetensorsWriter.Write(
            Path.Combine(directory, WeightsFile),
            [.. adapter.Tensors.Select(tensor => new SafetensorsSource(Prefix + tensor.Name, tensor.Shape, () => adapter.Slice(tensor)))],
            format);
        var root = new JsonObject
        {
            ["peft_type"] = "LORA",
            ["task_type"] = "CAUSAL_LM",
            ["base_model_name_or_path"] = baseModel,
            ["r"] = adapter.Rank,
            ["lora_alpha"] = adapter.Options.Alpha,
            ["lora_dropout"] = 0.0,
            ["bias"] = "none",
            ["target_modules"] = new JsonArray([.. adapter.Options.TargetModules.Select(name => (JsonNode)name)]),
            ["use_rslora"] = adapter.Options.RankStabilized,
            ["use_dora"] = false,
            ["fan_in_fan_out"] = false,
            ["modules_to_save"] = null,
            ["init_lora_weights"] = true,
            ["inference_mode"] = true,
        };
        AtomicFile.Write(Path.Combine(directory, ConfigFile), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(root.ToJsonString(Indented))));
    }

    private static LoraOptions ReadOptions(string path, SafetensorsFile file)
    {
        JsonObject root;
        try
        {
            root = JsonNode.Parse(File.ReadAllText(path)) as JsonObject ?? throw new InvalidDataException($"'{path}' is not a JSON object.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{path}' is not valid JSON: {error.Message}", error);
        }

        var reader = new ConfigReader(root, path);
        if (reader.Text("peft_type") is var type && type != "LORA") throw reader.Error("peft_type", $"'{type}' is not supported; expected LORA");
        foreach (var key in (ReadOnlySpan<string>)["use_dora", "fan_in_fan_out", "use_qalora", "lora_bias"])
            reader.Forbid(key, "this variant of LoRA is not supported; train plain LoRA, or merge it into the model with PEFT");
        if (reader.OptionalText("bias") is { } bias && bias != "none") throw reader.Error("bias", $"'{bias}' is not supported; expected none");
        foreach (var key in Unread)
        {
            if (root[key] is JsonArray { Count: > 0 } or JsonObject { Count: > 0 } or JsonValue && root[key]!.ToJsonString() is not ("false" or "\"\""))
                throw reader.Error(key, $"{root[key]!.ToJsonString()} is not supported; expected nothing. Merge the adapter into the model with PEFT");
        }

        // A pattern instead of a list (for example "all-linear") is resolved by what the file holds.
        var modules = root["target_modules"] is JsonArray list
            ? list.Select(item => item?.ToString() ?? "").ToList()
            : [.. ParameterNames.Projections.Where(name => file.Entries.Keys.Any(key => key.Contains($".{name}.", StringComparison.Ordinal)))];
        foreach (var module in modules)
        {
            if (ParameterNames.Projections.Contains(module)) continue;
            throw reader.Error("target_modules", $"'{module}' is not one of {string.Join(", ", ParameterNames.Projections)}");
        }

        return new LoraOptions
        {
            Rank = reader.Positive("r"),
            Alpha = reader.OptionalNumber("lora_alpha") ?? 8,
            RankStabilized = reader.OptionalFlag("use_rslora") ?? false,
            TargetModules = modules,
        };
    }
}
