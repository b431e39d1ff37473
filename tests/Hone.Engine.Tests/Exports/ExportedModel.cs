using System.Text;
using System.Text.Json.Nodes;
using Hone.Engine.Tests.Tokens;
using Hone.Reinforcement;

namespace Hone.Engine.Tests.Exports;

/// <summary>Layouts of directories that are exported.</summary>
public enum ExportLayout
{
    /// <summary>The embedded model, float32.</summary>
    Embedded,

    /// <summary>Qwen 2.5: biases, tied head, linear scaling, float32.</summary>
    Qwen2,

    /// <summary>Qwen 3: norms of queries and keys, YaRN, bfloat16, several files.</summary>
    Qwen3,

    /// <summary>Llama 3: untied head, its scaling and splitting, a token that begins texts, float16.</summary>
    Llama,
}

/// <summary>A base, an adapter that was trained on it in two steps, and the sum of both, each in a directory of its own.</summary>
internal sealed class ExportedModel : IDisposable
{
    // In our own words; a family is recognized by a few of them.
    private const string QwenTurns = "{%- for m in messages -%}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{%- endfor -%}";

    private const string QwenDefault =
        "{%- if messages[0]['role'] != 'system' -%}{{ '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}{%- endif -%}";

    private const string Qwen2Template = QwenDefault + QwenTurns + "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}";

    private const string Qwen3Template = QwenTurns
        + "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- if enable_thinking is false -%}{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif -%}{%- endif -%}";

    private const string LlamaTemplate =
        "{{ bos_token }}{%- for m in messages -%}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + (m['content'] | trim) + '<|eot_id|>' }}{%- endfor -%}"
        + "{%- if add_generation_prompt -%}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif -%}";

    private static readonly string[] LlamaTokens = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"];

    private readonly string directory;
    private readonly LM snapshot;

    private ExportedModel(string directory, EngineModel origin, LM snapshot) => (this.directory, Origin, this.snapshot) = (directory, origin, snapshot);

    public string Base => Path.Combine(directory, "base");

    public string Adapter => Path.Combine(directory, "adapter");

    public string Merged => Path.Combine(directory, "merged");

    /// <summary>The model before training.</summary>
    public EngineModel Origin { get; }

    /// <summary>The model with its adapter.</summary>
    public EngineModel Tuned => snapshot.GetService<EngineModel>()!;

    public static async Task<ExportedModel> CreateAsync(ExportLayout layout, string directory, CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, "base");
        if (layout != ExportLayout.Embedded) WriteBase(layout, path);
        var origin = layout == ExportLayout.Embedded ? EngineModel.LoadEmbedded() : EngineModel.Load(path);
        var export = new ExportedModel(directory, origin, await TrainAsync(origin, cancellationToken));
        if (layout == ExportLayout.Embedded) origin.Save(path);
        export.Tuned.SaveAdapter(export.Adapter);
        export.Tuned.Save(export.Merged, null, layout == ExportLayout.Qwen3 ? 40_000 : long.MaxValue);
        return export;
    }

    public void Dispose()
    {
        snapshot.Client.Dispose();
        Origin.Dispose();
    }

    private static async Task<LM> TrainAsync(EngineModel model, CancellationToken cancellationToken)
    {
        await using var session = new EngineTrainingSession(model, new() { Workers = 1, PrefixCacheMegabytes = 4 }, new() { Lora = new() { Rank = 4 } });
        for (var step = 0; step < 2; step++)
        {
            await session.ForwardBackwardAsync(
                [new() { PromptIds = [5, 6, 7], CompletionIds = [8, 9, 10, 11], Advantage = 1, Predictor = "p" }], new(), cancellationToken);
            await session.OptimizerStepAsync(new() { LearningRate = 1e-2 }, cancellationToken);
        }

        return await session.SnapshotAsync("tuned", cancellationToken);
    }

    private static void WriteBase(ExportLayout layout, string path)
    {
        var json = layout == ExportLayout.Llama ? LlamaTokenizer() : SmallTokenizer.Json;
        var tokenizer = Tokenizer.Load(new MemoryStream(Encoding.UTF8.GetBytes(json)));
        var config = ConfigOf(layout) with { VocabularySize = tokenizer.VocabularySize };
        var format = layout switch { ExportLayout.Qwen3 => WeightFormat.BFloat16, ExportLayout.Llama => WeightFormat.Float16, _ => WeightFormat.Float32 };
        var template = layout switch { ExportLayout.Qwen2 => "qwen2.5", ExportLayout.Qwen3 => "qwen3", _ => "llama3" };
        using (var model = new EngineModel("base", Models.TinyModels.Weights(config, 3), tokenizer, ChatTemplate.ForName(template))) model.Save(path, format);
        var settings = new JsonObject { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["clean_up_tokenization_spaces"] = false, ["eos_token"] = "<|im_end|>" };
        if (layout == ExportLayout.Llama) (settings["eos_token"], settings["bos_token"]) = ("<|eot_id|>", "<|begin_of_text|>");
        if (layout == ExportLayout.Qwen3) File.WriteAllText(Path.Combine(path, "chat_template.jinja"), Qwen3Template);
        else settings["chat_template"] = layout == ExportLayout.Qwen2 ? Qwen2Template : LlamaTemplate;
        File.WriteAllText(Path.Combine(path, "tokenizer_config.json"), settings.ToJsonString());
    }

    private static ModelConfig ConfigOf(ExportLayout layout) => layout switch
    {
        ExportLayout.Qwen2 => Models.TinyModels.Config(ModelFamily.Qwen2) with { RopeScaling = new LinearRopeScaling(2, 64) },
        ExportLayout.Qwen3 => Models.TinyModels.Config(ModelFamily.Qwen3) with { RopeScaling = new YarnRopeScaling(4, 16), RopeTheta = 1e6 },
        _ => Models.TinyModels.Config(ModelFamily.Llama) with { RopeScaling = new Llama3RopeScaling(8, 1, 4, 64), NormEpsilon = 1e-5f },
    };

    // The small tokenizer's training with the splitting, the tokens and the beginning of Llama 3.
    private static string LlamaTokenizer()
    {
        var json = JsonNode.Parse(BpeTrainer.Train(SmallTokenizer.Corpus(), new() { VocabularySize = 500, SpecialTokens = LlamaTokens }))!;
        json["normalizer"] = null;
        json["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = SplitPatterns.Llama3;
        json["post_processor"] = JsonNode.Parse("""
            {
              "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
              "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
              "special_tokens": {"<|begin_of_text|>": {"id": "<|begin_of_text|>", "ids": [495], "tokens": ["<|begin_of_text|>"]}}
            }
            """);
        return json.ToJsonString();
    }
}
