using System.Text.Json.Nodes;

namespace Hone.Engine;

/// <summary>A language model in memory: weights, tokenizer and chat format. Share it among clients; dispose it after them.</summary>
public sealed partial class EngineModel : IDisposable
{
    private const string TokenizerFileName = "tokenizer.json";

    private readonly Lazy<InferenceModel> _inference;
    private readonly Lazy<ParameterSet> _weights;
    private readonly ModelFiles? _files;

    internal EngineModel(
        string name, ParameterSet weights, Tokenizer tokenizer, ChatTemplate template, IReadOnlyList<int>? moreEndTokens = null, ModelFiles? files = null)
        : this(name, weights.Config, tokenizer, template, moreEndTokens, files)
    {
        _weights = new Lazy<ParameterSet>(weights);
        _inference = new Lazy<InferenceModel>(() => InferenceModel.Create(weights));
    }

    /// <summary>A checkpoint's weights, which it takes over, and an adapter beside them.</summary>
    internal EngineModel(
        string name, FrozenWeights weights, LoraAdapter? adapter, Tokenizer tokenizer, ChatTemplate template, IReadOnlyList<int>? moreEndTokens,
        ModelFiles? files)
        : this(name, weights.Config, tokenizer, template, moreEndTokens, files)
    {
        (Frozen, Lora) = (weights, adapter);
        _weights = new Lazy<ParameterSet>(Expand);
        _inference = new Lazy<InferenceModel>(() => new HostInferenceModel(weights, adapter));
    }

    // The other two give the weights.
    private EngineModel(
        string name, ModelConfig config, Tokenizer tokenizer, ChatTemplate template, IReadOnlyList<int>? moreEndTokens, ModelFiles? files)
    {
        if (tokenizer.VocabularySize > config.VocabularySize)
            throw new InvalidDataException(
                $"Model '{name}' has {config.VocabularySize} token ids (config.json, key 'vocab_size') but its tokenizer.json has " +
                $"{tokenizer.VocabularySize}: they do not belong together.");
        (Name, Config, Tokenizer, Template, _files) = (name, config, tokenizer, template, files);
        (_weights, _inference, AdapterBase) = (null!, null!, files?.Directory);
        EndTokenIds = tokenizer.IdOf(template.EndOfTurnToken) is { } endOfTurn
            ? [.. config.EndTokenIds.Append(endOfTurn).Concat(moreEndTokens ?? []).Distinct()]
            : throw new InvalidDataException(
                $"Model '{name}': the chat format '{template.Name}' ends turns with {template.EndOfTurnToken}, which its tokenizer lacks.");
    }

    /// <summary>Name for traces and reports: by default the directory's.</summary>
    public string Name { get; }

    /// <summary>Shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The chat format.</summary>
    public ChatTemplate Template { get; }

    /// <summary>Tokens that end a completion: those of the configuration and the chat format's end of turn.</summary>
    public IReadOnlyList<int> EndTokenIds { get; }

    /// <summary>Whether the model is a base and an adapter, beside its weights or added to them: <see cref="SaveAdapter"/> can write it.</summary>
    public bool HasAdapter => (Lora ?? Merged) is not null;

    /// <summary>All weights in float32. Of a checkpoint they are made on first use, which doubles or triples its memory.</summary>
    internal ParameterSet Weights => _weights.Value;

    /// <summary>The weights of a checkpoint as they are stored; null where they are the model's own, in float32.</summary>
    internal FrozenWeights? Frozen { get; }

    /// <summary>The adapter beside <see cref="Frozen"/>.</summary>
    internal LoraAdapter? Lora { get; }

    /// <summary>The adapter that is part of <see cref="Weights"/>, of a model that holds its own: what is added to the base to get them.</summary>
    internal LoraAdapter? Merged { get; private init; }

    /// <summary>What an adapter of this model is added to, as its file names it; null where that is weights that were trained whole.</summary>
    internal string? AdapterBase { get; private init; }

    /// <summary>A format that loses nothing of these weights: that of the checkpoint, or float32 where they were trained.</summary>
    internal WeightFormat ExactFormat => Frozen is not null && Lora is null ? Frozen.Format : WeightFormat.Float32;

    /// <summary>The weights packed for generation; made on first use.</summary>
    internal InferenceModel Inference => _inference.Value;

    /// <summary>
    /// Opens a checkpoint in the Hugging Face layout: config.json, safetensors (one file or several with an index), tokenizer.json and, if present,
    /// tokenizer_config.json, chat_template.jinja and generation_config.json. The weights stay in the files, which are mapped into memory.
    /// </summary>
    /// <param name="directory">The checkpoint.</param>
    /// <param name="chatFormat">One of <see cref="ChatTemplate.Names"/>; null to recognize it.</param>
    /// <param name="name">Name for traces and reports; null for the directory's.</param>
    /// <param name="adapter">Directory of a PEFT adapter for the checkpoint, or null.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is missing something or is of a kind that the engine does not read.</exception>
    public static EngineModel Load(string directory, string? chatFormat = null, string? name = null, string? adapter = null)
    {
        var weights = Checkpoint.Open(directory);
        EngineModel? model = null;
        try
        {
            var tokenizer = Tokenizer.Load(directory);
            var files = ModelFiles.Read(directory);
            var template = chatFormat is null
                ? ChatTemplate.For(ModelTypeOf(weights.Config), ChatTemplateSource.Read(directory), tokenizer)
                : ChatTemplate.ForName(chatFormat);
            return model = new EngineModel(
                name ?? new DirectoryInfo(directory).Name, weights, adapter is null ? null : PeftAdapter.Load(adapter, weights.Config), tokenizer,
                template, EndTokens(files), files);
        }
        finally
        {
            if (model is null) weights.Dispose();
        }
    }

    /// <summary>
    /// Writes a checkpoint that <see cref="Load"/> and other tools read: weights with the adapter added to them, configuration, tokenizer, chat format
    /// and end tokens. What the loaded checkpoint's files said beside that is kept. Each file is replaced as a whole.
    /// </summary>
    /// <param name="directory">Where to; created if needed.</param>
    /// <param name="format">Number format of the weights; null for that of the checkpoint that was loaded, float32 if there was none.</param>
    public void Save(string directory, WeightFormat? format = null) => Save(directory, format, CheckpointWriter.LargestFile);

    /// <summary>Writes the adapter in the layout of Hugging Face PEFT, for tools that add it to the base model.</summary>
    /// <param name="directory">Where to; created if needed.</param>
    /// <exception cref="InvalidOperationException">The model has none: it was trained whole, or not at all.</exception>
    public void SaveAdapter(string directory) => PeftAdapter.Save(
        directory,
        Lora ?? Merged ?? throw new InvalidOperationException(
            $"Model '{Name}' has no adapter. A model gets one by training with Lora, or by loading one; weights that were trained whole are written with " +
            $"{nameof(Save)}."),
        baseModel: AdapterBase);

    /// <summary>As the public one, with files of at most so many bytes.</summary>
    internal void Save(string directory, WeightFormat? format, long largestFile)
    {
        Directory.CreateDirectory(directory);
        IReadOnlyList<SafetensorsSource> tensors = Frozen is null
            ? [.. Weights.Tensors.Select(tensor => new SafetensorsSource(tensor.Name, tensor.Shape, () => Weights.Slice(tensor)))]
            : CheckpointWriter.Sources(Frozen, Lora, format);
        var used = format ?? Frozen?.Format ?? WeightFormat.Float32;
        CheckpointWriter.Write(directory, tensors, used, largestFile);
        _files?.Copy(directory);
        AtomicFile.Write(Path.Combine(directory, TokenizerFileName), stream => stream.Write(Tokenizer.Json.Span));
        var tokenizerConfig = _files?.Json(ModelFiles.TokenizerConfig) ?? new JsonObject { ["eos_token"] = Template.EndOfTurnToken };
        tokenizerConfig["hone_chat_format"] = Template.Name;
        ModelFiles.Write(Path.Combine(directory, ModelFiles.TokenizerConfig), tokenizerConfig);
        var generation = _files?.Json(ModelFiles.GenerationConfig) ?? [];
        generation["eos_token_id"] = new JsonArray([.. EndTokenIds.Select(id => JsonValue.Create(id))]);
        ModelFiles.Write(Path.Combine(directory, ModelFiles.GenerationConfig), generation);
        if (_files is not null) _files.WriteConfig(directory, Checkpoint.DataTypeName(used));
        else ModelFiles.Write(Path.Combine(directory, Checkpoint.ConfigFile), (JsonObject)JsonNode.Parse(Config.ToJson(Checkpoint.DataTypeName(used)))!);
    }

    /// <summary>A model with other weights of the same shape and everything else as here. It owns the weights, and the adapter that is part of them.</summary>
    internal EngineModel WithWeights(ParameterSet weights, string? name = null, LoraAdapter? merged = null) =>
        new(name ?? Name, weights, Tokenizer, Template, EndTokenIds, _files) { Merged = merged, AdapterBase = merged is null ? null : AdapterBase };

    /// <summary>The same checkpoint with another adapter beside it, which it takes over.</summary>
    internal EngineModel WithAdapter(LoraAdapter adapter, string? name = null) =>
        new(name ?? Name, Frozen!.Retain(), adapter, Tokenizer, Template, EndTokenIds, _files);

    /// <summary>A copy of all weights in float32, to be changed.</summary>
    internal ParameterSet CopyWeights() => _weights.IsValueCreated ? Weights.Clone() : Expand();

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        if (_inference.IsValueCreated) _inference.Value.Dispose();
        if (_weights.IsValueCreated) _weights.Value.Dispose();
        Lora?.Dispose();
        Merged?.Dispose();
        Frozen?.Dispose();
    }

    private static string ModelTypeOf(ModelConfig config) => config.Family.ToString().ToLowerInvariant();

    // One id or a list of them.
    private static IReadOnlyList<int> EndTokens(ModelFiles files) => files.Json(ModelFiles.GenerationConfig) is { } generation
        ? new ConfigReader(generation, Path.Combine(files.Directory, ModelFiles.GenerationConfig)).Integers("eos_token_id") : [];

    private ParameterSet Expand()
    {
        var weights = Frozen!.Expand();
        Lora?.MergeInto(weights);
        return weights;
    }
}
