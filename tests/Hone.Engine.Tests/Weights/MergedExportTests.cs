using System.Text.Json.Nodes;
using Hone.Engine.Tests.Generation;

namespace Hone.Engine.Tests.Weights;

public sealed class MergedExportTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hone").FullName;

    private string Base => Path.Combine(_directory, "base");

    private string Target => Path.Combine(_directory, "merged");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(WeightFormat.BFloat16, null, "BF16", "bfloat16")]
    [InlineData(WeightFormat.Float16, null, "F16", "float16")]
    [InlineData(WeightFormat.BFloat16, WeightFormat.Float32, "F32", "float32")]
    public void Save_WithAdapter_WritesTheSumUnderTheBasesNames(WeightFormat stored, WeightFormat? asked, string type, string name)
    {
        using var model = WithAdapter(stored);
        model.Save(Target, asked);
        using var expected = model.CopyWeights();
        var tensors = RawSafetensors.Read(Path.Combine(Target, "model.safetensors"));
        Assert.Equal(RawSafetensors.Read(Path.Combine(Base, "model.safetensors")).Keys.Order(), tensors.Keys.Order());
        var tolerance = asked is null ? stored == WeightFormat.BFloat16 ? 4e-3 : 5e-4 : 0;
        foreach (var (key, tensor) in tensors)
        {
            Assert.Equal(type, tensor.Type);
            var values = expected.Get(key);
            for (var i = 0; i < values.Length; i++) Assert.Equal(values[i], tensor.Values[i], Math.Abs(values[i]) * tolerance + 1e-7);
        }

        // What no adapter touches is copied to the last bit.
        Assert.Equal(
            RawSafetensors.Read(Path.Combine(Base, "model.safetensors"))["model.embed_tokens.weight"].Values, tensors["model.embed_tokens.weight"].Values);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(Target, "config.json")))!;
        Assert.Equal(name, (string?)config["torch_dtype"]);
        Assert.Equal("kept", (string?)config["a_key_of_the_base"]);
    }

    [Fact]
    public void Save_FilesBesideTheWeights_AreThoseOfTheBase()
    {
        using var model = WithAdapter(WeightFormat.BFloat16);
        model.Save(Target);
        foreach (var file in new[] { "tokenizer.json", "special_tokens_map.json", "chat_template.jinja" })
            Assert.Equal(File.ReadAllBytes(Path.Combine(Base, file)), File.ReadAllBytes(Path.Combine(Target, file)));
        Assert.Equal("kept", (string?)JsonNode.Parse(File.ReadAllText(Path.Combine(Target, "tokenizer_config.json")))!["a_key_of_the_base"]);
        Assert.Equal(0.7, (double?)JsonNode.Parse(File.ReadAllText(Path.Combine(Target, "generation_config.json")))!["temperature"]);
        using var loaded = EngineModel.Load(Target);
        Assert.Equal(model.EndTokenIds, loaded.EndTokenIds);
        Assert.False(loaded.HasAdapter);
        Assert.Throws<InvalidOperationException>(() => loaded.SaveAdapter(Target));
    }

    /// <summary>Its files are resources, and other tools need them just as much: without the template they cannot render a conversation.</summary>
    [Fact]
    public void Save_OfTheEmbeddedModel_HasItsChatTemplateAndTokens()
    {
        using var model = EngineModel.LoadEmbedded();
        model.Save(Target);
        var settings = JsonNode.Parse(File.ReadAllText(Path.Combine(Target, "tokenizer_config.json")))!;
        Assert.Contains("add_generation_prompt", (string?)settings["chat_template"], StringComparison.Ordinal);
        Assert.Equal(("<|im_end|>", "<|endoftext|>", "chatml"), ((string?)settings["eos_token"], (string?)settings["pad_token"], (string?)settings["hone_chat_format"]));
        Assert.Equal("float32", (string?)JsonNode.Parse(File.ReadAllText(Path.Combine(Target, "config.json")))!["torch_dtype"]);
        using var loaded = EngineModel.Load(Target);
        Assert.Equal((model.Config, model.Template.Name), (loaded.Config, loaded.Template.Name));
        Assert.Equal(model.EndTokenIds, loaded.EndTokenIds);
    }

    [Fact]
    public void Save_LargeModel_IsSplitAndIndexed()
    {
        using var model = WithAdapter(WeightFormat.BFloat16);
        model.Save(Target);
        var whole = RawSafetensors.Read(Path.Combine(Target, "model.safetensors"));
        model.Save(Target, null, largestFile: 16_000);
        Assert.False(File.Exists(Path.Combine(Target, "model.safetensors")));
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(Target, "model.safetensors.index.json")))!;
        var map = index["weight_map"]!.AsObject();
        Assert.Equal(whole.Keys.Order(), map.Select(entry => entry.Key).Order());
        Assert.Equal(whole.Values.Sum(tensor => tensor.Values.Length * 2L), (long)index["metadata"]!["total_size"]!);
        var shards = Directory.GetFiles(Target, "model-*.safetensors").ToDictionary(path => Path.GetFileName(path)!, RawSafetensors.Read);
        Assert.True(shards.Count > 2);
        foreach (var (key, tensor) in whole) Assert.Equal(tensor.Values, shards[(string)map[key]!][key].Values);
        using (var loaded = EngineModel.Load(Target)) Assert.Equal(model.Config, loaded.Config);
        model.Save(Target);
        Assert.False(File.Exists(Path.Combine(Target, "model.safetensors.index.json")));
        Assert.Equal(whole.Count, RawSafetensors.Read(Path.Combine(Target, "model.safetensors")).Count);
    }

    private EngineModel WithAdapter(WeightFormat format)
    {
        using (var model = SmallModel.Create()) model.Save(Base, format);
        File.WriteAllText(Path.Combine(Base, "special_tokens_map.json"), """{"eos_token":"<|im_end|>"}""");
        File.WriteAllText(Path.Combine(Base, "chat_template.jinja"), "<|im_start|>");
        foreach (var file in new[] { "config.json", "tokenizer_config.json" })
        {
            var json = JsonNode.Parse(File.ReadAllText(Path.Combine(Base, file)))!;
            json["a_key_of_the_base"] = "kept";
            File.WriteAllText(Path.Combine(Base, file), json.ToJsonString());
        }

        File.WriteAllText(Path.Combine(Base, "generation_config.json"), """{"temperature":0.7,"eos_token_id":[1,2]}""");
        using var adapter = LoraAdapter.CreateRandom(SmallModel.Config, new LoraOptions { Rank = 3, TargetModules = ["q_proj", "down_proj"] }, 4);
        foreach (ref var value in adapter.Values) value += 0.05f;
        PeftAdapter.Save(Path.Combine(_directory, "adapter"), adapter);
        return EngineModel.Load(Base, adapter: Path.Combine(_directory, "adapter"));
    }
}
