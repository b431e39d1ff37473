using System.Text.Json.Nodes;
using Hone.Engine.Tests.Generation;
using Hone.Engine.Tests.Models;

namespace Hone.Engine.Tests.Weights;

public sealed class PeftAdapterTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hone").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Save_NamesAndSettings_AreThoseOfPeft()
    {
        using var adapter = Create(SmallModel.Config, new() { Rank = 3, Alpha = 5, TargetModules = ["q_proj", "down_proj"] });
        PeftAdapter.Save(_directory, adapter, baseModel: "/models/base");
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(_directory, "adapter_config.json")))!;
        Assert.Equal("LORA", (string?)config["peft_type"]);
        Assert.Equal("CAUSAL_LM", (string?)config["task_type"]);
        Assert.Equal("/models/base", (string?)config["base_model_name_or_path"]);
        Assert.Equal((3, 5.0), ((int)config["r"]!, (double)config["lora_alpha"]!));
        Assert.Equal(["q_proj", "down_proj"], config["target_modules"]!.AsArray().Select(name => (string)name!));
        var tensors = RawSafetensors.Read(Path.Combine(_directory, "adapter_model.safetensors"));
        Assert.Equal(8, tensors.Count);
        var down = tensors["base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight"];
        Assert.Equal(("F32", "3,32"), (down.Type, string.Join(',', down.Shape)));
        Assert.Equal(adapter.Get("model.layers.1.self_attn.q_proj.lora_A.weight").ToArray(), down.Values);
        Assert.Equal([32L, 3], tensors["base_model.model.model.layers.0.mlp.down_proj.lora_B.weight"].Shape);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_Scale_FollowsTheSettings(bool stabilized)
    {
        using var adapter = Create(SmallModel.Config, new() { Rank = 4, Alpha = 6, RankStabilized = stabilized, TargetModules = ["v_proj"] });
        PeftAdapter.Save(_directory, adapter);
        using var loaded = PeftAdapter.Load(_directory, SmallModel.Config);
        Assert.Equal(stabilized, loaded.Options.RankStabilized);
        Assert.Equal(stabilized ? 3f : 1.5f, loaded.Scale);
        Assert.Equal(adapter.Values, loaded.Values);
    }

    [Fact]
    public void Load_PatternOfModules_IsResolvedByTheFile()
    {
        using var adapter = Create(SmallModel.Config, new() { Rank = 2, TargetModules = ["k_proj", "up_proj"] });
        PeftAdapter.Save(_directory, adapter);
        Edit(json => json["target_modules"] = "all-linear");
        using var loaded = PeftAdapter.Load(_directory, SmallModel.Config);
        Assert.Equal(["k_proj", "up_proj"], loaded.Options.TargetModules);
    }

    [Theory]
    [InlineData("peft_type", "\"IA3\"", "LORA")]
    [InlineData("use_dora", "true", "plain LoRA")]
    [InlineData("fan_in_fan_out", "true", "plain LoRA")]
    [InlineData("lora_bias", "true", "plain LoRA")]
    [InlineData("bias", "\"all\"", "none")]
    [InlineData("modules_to_save", "[\"lm_head\"]", "lm_head")]
    [InlineData("rank_pattern", "{\"q_proj\":8}", "q_proj")]
    [InlineData("alpha_pattern", "{\"q_proj\":8}", "q_proj")]
    [InlineData("layers_to_transform", "[0]", "PEFT")]
    [InlineData("exclude_modules", "\".*k_proj\"", "k_proj")]
    [InlineData("target_modules", "[\"embed_tokens\"]", "embed_tokens")]
    [InlineData("r", "0", "positive")]
    public void Load_UnsupportedSetting_NamesFileAndKey(string key, string value, string expected)
    {
        using var adapter = Create(SmallModel.Config, new() { Rank = 2 });
        PeftAdapter.Save(_directory, adapter);
        Edit(json => json[key] = JsonNode.Parse(value));
        var error = Assert.Throws<InvalidDataException>(() => PeftAdapter.Load(_directory, SmallModel.Config));
        Assert.Contains("adapter_config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{key}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SettingsThatChangeNothing_AreFine()
    {
        using var adapter = Create(SmallModel.Config, new() { Rank = 2 });
        PeftAdapter.Save(_directory, adapter);
        Edit(json =>
        {
            foreach (var key in new[] { "modules_to_save", "layers_to_transform", "exclude_modules", "megatron_config" }) json[key] = null;
            json["rank_pattern"] = new JsonObject();
            json["loftq_config"] = new JsonObject();
            json["lora_dropout"] = 0.1;
            json["revision"] = null;
        });
        PeftAdapter.Load(_directory, SmallModel.Config).Dispose();
    }

    [Fact]
    public void Load_MissingFile_NamesIt()
    {
        Assert.Contains("adapter_config.json", Assert.Throws<FileNotFoundException>(Load).Message, StringComparison.Ordinal);
        using var adapter = Create(SmallModel.Config, new() { Rank = 2 });
        PeftAdapter.Save(_directory, adapter);
        File.Delete(Path.Combine(_directory, "adapter_model.safetensors"));
        Assert.Contains("adapter_model.safetensors", Assert.Throws<FileNotFoundException>(Load).Message, StringComparison.Ordinal);
        Assert.Contains("adapter", Assert.Throws<FileNotFoundException>(() => Checkpoint.Open(_directory)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MissingTensor_NamesIt()
    {
        using var adapter = Create(SmallModel.Config, new() { Rank = 2, TargetModules = ["q_proj"] });
        PeftAdapter.Save(_directory, adapter);
        Edit(json => json["target_modules"] = new JsonArray("q_proj", "o_proj"));
        Assert.Contains("o_proj.lora_A.weight", Assert.Throws<InvalidDataException>(Load).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MergeInto_RankStabilized_ScalesByTheRoot()
    {
        using var weights = TinyModels.Weights(ModelFamily.Llama);
        using var adapter = Create(weights.Config, new() { Rank = 4, Alpha = 6, RankStabilized = true, TargetModules = ["o_proj"] });
        using var merged = weights.Clone();
        adapter.MergeInto(merged);
        var name = new ParameterNames(1).Output;
        float[] down = adapter.Get(name + LoraAdapter.DownSuffix).ToArray(), up = adapter.Get(name + LoraAdapter.UpSuffix).ToArray();
        var columns = weights.Tensor(name + ".weight").Columns;
        var expected = weights.Get(name + ".weight")[0] + 3 * Enumerable.Range(0, 4).Sum(k => (double)up[k] * down[k * columns]);
        Assert.Equal(expected, merged.Get(name + ".weight")[0], 1e-5);
        Assert.NotEqual(weights.Get(name + ".weight")[0], merged.Get(name + ".weight")[0]);
    }

    private static LoraAdapter Create(ModelConfig config, LoraOptions options)
    {
        var adapter = LoraAdapter.CreateRandom(config, options, 4);
        var random = new Random(3);
        foreach (ref var value in adapter.Values) value += random.NextSingle() * 0.1f;
        return adapter;
    }

    private void Load() => PeftAdapter.Load(_directory, SmallModel.Config).Dispose();

    private void Edit(Action<JsonObject> change)
    {
        var path = Path.Combine(_directory, "adapter_config.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }
}
