using System.Text.Json;
using Hone.Engine.Tests.Models;
using Hone.Engine.Tests.Vectors;
using Microsoft.Extensions.AI;

namespace Hone.Engine.Tests.Exports;

/// <summary>What is exported, read by programs that are not ours: Hugging Face's JavaScript packages, and PyTorch with an implementation of its own.</summary>
[Trait("Needs", "OtherTools")]
public sealed class ExportTests : IDisposable
{
    private static readonly string[] Texts =
    [
        "The quick brown fox jumps over the lazy dogs.", "It's what they'd say, I'LL wait", "  two  spaces\tand a tab ", "line one\nline two\r\n\n\n  end", "",
        "12345 and 3.14159, 1,000,000", "if (x >= 0) { return a[i]; } // done", "été déjà vu, e\u0301te\u0301", "中文 and 日本語, Привет", "😀👩\u200d👧 bead",
        "[[ ## answer ## ]]\ncabbage\n\n[[ ## completed ## ]]", "<|im_start|>user\nbabe<|im_end|>\n", "a<|eot_id|>b <|begin_of_text|>",
    ];

    private static readonly (string Role, string Content)[][] Conversations =
    [
        [("user", "Hello")],
        [("system", "You are terse."), ("user", "1+1?"), ("assistant", "2"), ("user", "  and  now\n")],
        [("system", "Fields: [[ ## question ## ]]"), ("user", "[[ ## question ## ]]\nWho jumps over \"lazy\" dogs? 中文 😀")],
    ];

    private readonly string directory = Directory.CreateTempSubdirectory("hone-export").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    public static TheoryData<ExportLayout> Layouts => [.. Enum.GetValues<ExportLayout>()];

    [Theory]
    [MemberData(nameof(Layouts))]
    public async Task Tokenizer_ReadByHuggingFace_GivesOurIdsAndPrompts(ExportLayout layout)
    {
        using var export = await ExportedModel.CreateAsync(layout, directory, Token);
        var conversations = Conversations.Select(turns => turns.Select(turn => new { role = turn.Role, content = turn.Content }));
        var read = (await OtherTools.ReadAsync(directory, [new { directory = export.Merged, texts = Texts, conversations, options = new { enable_thinking = false } }]))[0];

        using var model = EngineModel.Load(export.Merged);
        var ids = Texts.Select(text => model.Tokenizer.Encode(text)).ToArray();
        Assert.Equal(ids, Value<int[][]>(read, "ids"));
        Assert.Equal(ids.Select(each => model.Tokenizer.Decode(each)), Value<string[]>(read, "decoded"));
        Assert.Contains(Value<int>(read, "eos"), model.EndTokenIds);

        var prompts = Conversations.Select(turns => model.Template.Render(
            [.. turns.Select(turn => new ChatMessage(new ChatRole(turn.Role), turn.Content))], true, new() { EnableThinking = false })).ToArray();
        Assert.Equal(prompts, Value<string[]>(read, "prompts"));
        Assert.Equal(prompts.Select(prompt => model.Tokenizer.Encode(prompt)), Value<int[][]>(read, "promptIds"));
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public async Task Weights_ReadByHuggingFace_AreTheModelsAndTheAdapters(ExportLayout layout)
    {
        using var export = await ExportedModel.CreateAsync(layout, directory, Token);
        var read = await OtherTools.ReadAsync(
            directory,
            [
                new { directory = export.Base, weights = "model" }, new { directory = export.Merged, weights = "model" },
                new { directory = export.Adapter, weights = "adapter_model.safetensors" },
            ]);
        Assert.Equal(layout == ExportLayout.Qwen3, Value<string[]>(read[1], "files").Length > 2);
        var format = layout switch { ExportLayout.Qwen3 => WeightFormat.BFloat16, ExportLayout.Llama => WeightFormat.Float16, _ => WeightFormat.Float32 };
        using (var origin = export.Origin.CopyWeights()) AssertTensors(origin, read[0], format, name => name);
        using (var tuned = export.Tuned.CopyWeights()) AssertTensors(tuned, read[1], format, name => name);

        var adapter = export.Tuned.Lora ?? export.Tuned.Merged!;
        AssertTensors(adapter, read[2], WeightFormat.Float32, name => "base_model.model." + name);
        var down = read[2].GetProperty("tensors").GetProperty("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
        Assert.Equal([4, export.Origin.Config.HiddenSize], Value<int[]>(down, "shape"));
    }

    [Fact]
    public async Task Logits_ByPyTorch_AreThoseOfBaseMergedAndAdapter()
    {
        var tokens = TinyModels.Tokens(70, 8, 490);
        List<object> jobs = [];
        List<(string Name, float[][] Logits)> expected = [];
        foreach (var layout in Enum.GetValues<ExportLayout>())
        {
            using var export = await ExportedModel.CreateAsync(layout, Path.Combine(directory, layout.ToString()), Token);
            foreach (var (path, adapter) in new[] { (export.Base, null), (export.Base, export.Adapter), (export.Merged, (string?)null) })
            {
                using var model = EngineModel.Load(path, adapter: adapter);
                jobs.Add(new { directory = path, adapter, tokens });
                expected.Add(($"{layout}, {Path.GetFileName(path)}, {Path.GetFileName(adapter)}", EngineVectors.Logits(model.Inference, tokens)));
            }

            Assert.True(Difference(expected[^3].Logits, expected[^2].Logits) > 1e-2, "Training changed nothing.");
        }

        var actual = await OtherTools.LogitsAsync(directory, jobs);
        Assert.Equal(expected.Count, actual.Length);
        Assert.All(expected.Zip(actual), pair =>
        {
            var difference = Difference(pair.First.Logits, pair.Second);
            Assert.True(difference <= 1e-4, $"{pair.First.Name}: logits differ by {difference}.");
        });
    }

    private static double Difference(float[][] first, float[][] second)
    {
        Assert.Equal(first.Length, second.Length);
        return first.Zip(second, (a, b) => a.Zip(b, (x, y) => (double)Math.Abs(x - y)).Max()).Max();
    }

    private static void AssertTensors(FlatTensors expected, JsonElement read, WeightFormat format, Func<string, string> nameOf)
    {
        var tensors = read.GetProperty("tensors");
        Assert.Equal(expected.Tensors.Select(tensor => nameOf(tensor.Name)).Order(), tensors.EnumerateObject().Select(tensor => tensor.Name).Order());
        var type = format switch { WeightFormat.BFloat16 => "BF16", WeightFormat.Float16 => "F16", _ => "F32" };
        Assert.Equal(expected.Tensors.Sum(tensor => (long)tensor.Length), Value<long>(read.GetProperty("parameters"), type));
        foreach (var tensor in expected.Tensors)
        {
            var found = tensors.GetProperty(nameOf(tensor.Name));
            Assert.Equal((type, string.Join(',', tensor.Shape)), (Value<string>(found, "dtype"), string.Join(',', Value<int[]>(found, "shape"))));
            double[] values = [.. expected.Slice(tensor).ToArray().Select(value => (double)value)];
            var squares = values.Sum(value => value * value);

            // Rounding to eight or eleven bits goes either way; in float32 only the order of a sum may differ.
            var near = format switch { WeightFormat.BFloat16 => 4e-3, WeightFormat.Float16 => 5e-4, _ => 1e-6 };
            Assert.Equal(values[0], Value<double>(found, "first"), (near * Math.Abs(values[0])) + 1e-7);
            Assert.Equal(values[^1], Value<double>(found, "last"), (near * Math.Abs(values[^1])) + 1e-7);
            Assert.Equal(squares, Value<double>(found, "squares"), (2 * near * squares) + 1e-9);
            Assert.Equal(values.Sum(), Value<double>(found, "sum"), (near * Math.Sqrt(squares * 10)) + 1e-6);
        }
    }

    private static T Value<T>(JsonElement element, string name) => element.GetProperty(name).Deserialize<T>()!;
}
