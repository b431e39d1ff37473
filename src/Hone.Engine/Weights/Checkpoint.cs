namespace Hone.Engine;

/// <summary>Model directories in the Hugging Face layout: <c>config.json</c> and <c>model.safetensors</c>, or several files with an index.</summary>
internal static class Checkpoint
{
    public const string ConfigFile = "config.json";
    public const string WeightsFile = "model.safetensors";
    public const string IndexFile = "model.safetensors.index.json";

    /// <summary>Reads a model; weights in F16 or BF16 become float32.</summary>
    /// <exception cref="FileNotFoundException">The configuration or a weights file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or a tensor is missing, unknown or of another shape.</exception>
    public static (ModelConfig Config, ParameterSet Weights) Load(string directory)
    {
        using var weights = Open(directory);
        return (weights.Config, weights.Expand());
    }

    /// <summary>Maps a model's files into memory: weights stay in their number format, and in the files until they are read.</summary>
    /// <exception cref="FileNotFoundException">The configuration or a weights file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or a tensor is missing, unknown or of another shape.</exception>
    public static FrozenWeights Open(string directory)
    {
        var configPath = Path.Combine(directory, ConfigFile);
        if (!File.Exists(configPath))
        {
            throw new FileNotFoundException(
                $"'{configPath}' does not exist; expected a model directory with {ConfigFile}, {WeightsFile} and tokenizer.json." +
                (File.Exists(Path.Combine(directory, PeftAdapter.ConfigFile))
                    ? $" It holds a PEFT adapter ({PeftAdapter.ConfigFile}): load its base model and name this directory as the adapter." : ""),
                configPath);
        }

        var config = ModelConfig.Parse(File.ReadAllText(configPath), configPath);
        var files = new List<SafetensorsFile>();
        FrozenWeights? weights = null;
        try
        {
            files.AddRange(CheckpointFiles.Find(directory).Select(SafetensorsFile.Open));
            return weights = new FrozenWeights(config, Match(directory, config, files), files);
        }
        finally
        {
            if (weights is null) files.ForEach(file => file.Dispose());
        }
    }

    /// <summary>Reads the weights of a model from files, which are disposed.</summary>
    /// <param name="config">The model.</param>
    /// <param name="files">The files, opened one after another.</param>
    /// <param name="name">What they are together, for errors.</param>
    public static ParameterSet Read(ModelConfig config, IEnumerable<SafetensorsFile> files, string name)
    {
        var weights = new ParameterSet(config);
        var missing = weights.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        foreach (var each in files)
        {
            using var file = each;
            foreach (var entry in file.Entries.Values)
            {
                if (missing.Remove(entry.Name, out var tensor)) ReadTensor(file, entry, tensor, weights);
                else if (!IsRedundant(entry.Name, config)) throw Unexpected(file.Path, entry, config);
            }
        }

        if (missing.Count > 0) throw Missing(name, missing, config);
        return weights;
    }

    /// <summary>Writes a model, creating the directory. A reader sees each file as it was or as it is now; the configuration comes last.</summary>
    public static void Save(string directory, ModelConfig config, ParameterSet weights, WeightFormat format = WeightFormat.Float32)
    {
        if (weights.Config != config)
            throw new ArgumentException("The weights belong to a model of another shape than the configuration.", nameof(config));
        Directory.CreateDirectory(directory);
        CheckpointWriter.Write(
            directory, [.. weights.Tensors.Select(tensor => new SafetensorsSource(tensor.Name, tensor.Shape, () => weights.Slice(tensor)))], format);
        AtomicFile.Write(
            Path.Combine(directory, ConfigFile), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(config.ToJson(DataTypeName(format)))));
    }

    /// <summary>How config.json calls a number format.</summary>
    public static string DataTypeName(WeightFormat format) =>
        format switch { WeightFormat.Float32 => "float32", WeightFormat.Float16 => "float16", _ => "bfloat16" };

    /// <summary>Reads one tensor into its place, checking the shape.</summary>
    internal static void ReadTensor(SafetensorsFile file, SafetensorsEntry entry, ParameterTensor tensor, FlatTensors target)
    {
        CheckShape(file, entry, tensor);
        file.Read(entry.Name, target.Slice(tensor));
    }

    // Every tensor of the model, each found in one of the files.
    private static unsafe List<StoredTensor> Match(string directory, ModelConfig config, List<SafetensorsFile> files)
    {
        var missing = ParameterSet.Describe(config).ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var found = new List<StoredTensor>();
        foreach (var file in files)
        {
            foreach (var entry in file.Entries.Values)
            {
                if (missing.Remove(entry.Name, out var tensor))
                {
                    CheckShape(file, entry, tensor);
                    found.Add(new StoredTensor(entry.Name, entry.Format, tensor.Shape, file.Pointer(entry)));
                }
                else if (!IsRedundant(entry.Name, config))
                {
                    throw Unexpected(file.Path, entry, config);
                }
            }
        }

        return missing.Count == 0 ? found
            : throw Missing(files.Count == 1 ? files[0].Path : Path.Combine(directory, IndexFile), missing, config);
    }

    private static void CheckShape(SafetensorsFile file, SafetensorsEntry entry, ParameterTensor tensor)
    {
        if (!entry.Shape.AsSpan().SequenceEqual(tensor.Shape))
        {
            throw new InvalidDataException(
                $"'{file.Path}': tensor '{entry.Name}' has shape {entry.ShapeText}; expected [{string.Join(", ", tensor.Shape)}] by {ConfigFile}. Do the files belong together?");
        }
    }

    private static InvalidDataException Missing(string name, Dictionary<string, ParameterTensor> missing, ModelConfig config) => new(
        $"'{name}' lacks {missing.Count} tensors of its {config.Family} model, the first '{missing.Keys.First()}'. Is the checkpoint complete?");

    private static InvalidDataException Unexpected(string path, SafetensorsEntry entry, ModelConfig config) => new(
        $"'{path}' has a tensor '{entry.Name}' {entry.ShapeText} that a {config.Family} model does not use, or has it twice.");

    // Tensors that some tools store although they follow from others.
    private static bool IsRedundant(string name, ModelConfig config) =>
        (config.TiedEmbeddings && name == ParameterNames.Head) || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);
}
