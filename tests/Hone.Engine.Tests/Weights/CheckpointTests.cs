using Hone.Engine.Tests.Models;

namespace Hone.Engine.Tests.Weights;

public sealed class CheckpointTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hone").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(WeightFormat.Float32, 0)]
    [InlineData(WeightFormat.Float16, 1e-3)]
    [InlineData(WeightFormat.BFloat16, 8e-3)]
    public void SaveAndLoad_EveryFormat_KeepsTheWeights(WeightFormat format, double tolerance)
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen3);
        Checkpoint.Save(_directory, weights.Config, weights, format);
        Assert.Equal(["config.json", "model.safetensors"], Directory.GetFiles(_directory).Select(Path.GetFileName).Order());
        var (config, loaded) = Checkpoint.Load(_directory);
        Assert.Equal(weights.Config, config);
        for (var i = 0; i < weights.Values.Length; i++) Assert.Equal(weights.Values[i], loaded.Values[i], Math.Abs(weights.Values[i]) * tolerance);

        // A second round trip changes nothing: rounding is idempotent.
        Checkpoint.Save(_directory, config, loaded, format);
        Assert.Equal(loaded.Values, Checkpoint.Load(_directory).Weights.Values);
        loaded.Dispose();
    }

    [Fact]
    public void Save_TiedEmbeddings_StoresNoHead()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        Checkpoint.Save(_directory, weights.Config, weights);
        using var file = SafetensorsFile.Open(Path.Combine(_directory, "model.safetensors"));
        Assert.DoesNotContain("lm_head.weight", file.Entries.Keys);
        Assert.Equal([53, 24], file.Entries["model.embed_tokens.weight"].Shape);
    }

    [Fact]
    public void Load_TensorOfAnotherShape_NamesFileAndTensor()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        Checkpoint.Save(_directory, weights.Config, weights);
        File.WriteAllText(Path.Combine(_directory, "config.json"), (weights.Config with { FeedForwardSize = 40 }).ToJson());
        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(_directory));
        Assert.Contains("model.safetensors", error.Message, StringComparison.Ordinal);
        Assert.Contains("mlp.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MissingTensor_NamesIt()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        Checkpoint.Save(_directory, weights.Config, weights);
        File.WriteAllText(Path.Combine(_directory, "config.json"), (weights.Config with { TiedEmbeddings = false }).ToJson());
        Assert.Contains("lm_head.weight", Assert.Throws<InvalidDataException>(() => Checkpoint.Load(_directory)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_UnknownTensor_NamesIt()
    {
        using var weights = TinyModels.Weights(ModelFamily.Llama);
        Checkpoint.Save(_directory, weights.Config, weights);
        File.WriteAllText(Path.Combine(_directory, "config.json"), (weights.Config with { LayerCount = 1 }).ToJson());
        Assert.Contains("layers.1", Assert.Throws<InvalidDataException>(() => Checkpoint.Load(_directory)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoFiles_SaysWhatIsExpected()
    {
        Assert.Contains("config.json", Assert.Throws<FileNotFoundException>(() => Checkpoint.Load(_directory)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_directory, "config.json"), TinyModels.Config(ModelFamily.Qwen2).ToJson());
        var error = Assert.Throws<FileNotFoundException>(() => Checkpoint.Load(_directory));
        Assert.Contains("model.safetensors.index.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_DamagedFile_Throws()
    {
        var path = Path.Combine(_directory, "bad.safetensors");
        byte[] oneOffset = [.. """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"""u8];
        foreach (var bytes in new byte[][]
        {
            [1, 2], [255, 255, 255, 255, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'x'], [(byte)oneOffset.Length, 0, 0, 0, 0, 0, 0, 0, .. oneOffset, 0, 0, 0, 0],
        })
        {
            File.WriteAllBytes(path, bytes);
            var error = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path));
            Assert.Contains("bad.safetensors", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"shape":[1],"data_offsets":[0,4]}""", "'dtype'")]
    [InlineData("""{"dtype":1,"shape":[1],"data_offsets":[0,4]}""", "'dtype': 1 ")]
    [InlineData("""{"dtype":"F32","data_offsets":[0,4]}""", "'shape'")]
    [InlineData("""{"dtype":"F32","shape":1,"data_offsets":[0,4]}""", "'shape': 1 ")]
    [InlineData("""{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}""", "'shape': 1.5 ")]
    [InlineData("""{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}""", "'shape': -1 ")]
    [InlineData("""{"dtype":"F32","shape":[1]}""", "'data_offsets'")]
    [InlineData("""{"dtype":"F32","shape":[1],"data_offsets":["0",4]}""", "'data_offsets': \"0\" ")]
    [InlineData("""{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}""", "'data_offsets': -4 ")]
    [InlineData("7", "'dtype'")]
    public void Open_OddTensor_NamesFileTensorAndKey(string entry, string key)
    {
        var path = Path.Combine(_directory, "bad.safetensors");
        var header = System.Text.Encoding.UTF8.GetBytes("{\"w\":" + entry + "}");
        File.WriteAllBytes(path, [(byte)header.Length, 0, 0, 0, 0, 0, 0, 0, .. header, 0, 0, 0, 0]);
        var error = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path));
        foreach (var word in new[] { "bad.safetensors", "tensor 'w'", key }) Assert.Contains(word, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AtomicFile_WriteThatFails_KeepsTheOldFile()
    {
        var path = Path.Combine(_directory, "file.txt");
        File.WriteAllText(path, "old");
        Assert.Throws<IOException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(1);
            throw new IOException("full");
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(_directory));
    }

    [Fact]
    public void PeftAdapter_SaveAndLoad_KeepsValuesAndOptions()
    {
        var config = TinyModels.Config(ModelFamily.Qwen3);
        using var adapter = LoraAdapter.CreateRandom(config, new LoraOptions { Rank = 3, Alpha = 5, TargetModules = ["q_proj", "down_proj"] }, 4);
        adapter.Values[^1] = 0.25f;
        PeftAdapter.Save(_directory, adapter);
        using var loaded = PeftAdapter.Load(_directory, config);
        Assert.Equal(adapter.Values, loaded.Values);
        Assert.Equal((3, 5.0), (loaded.Rank, loaded.Options.Alpha));
        Assert.Equal(adapter.Options.TargetModules, loaded.Options.TargetModules);
    }

    [Fact]
    public void PeftAdapter_OtherModel_Throws()
    {
        using var adapter = LoraAdapter.CreateRandom(TinyModels.Config(ModelFamily.Qwen3), new LoraOptions { Rank = 2 }, 4);
        PeftAdapter.Save(_directory, adapter);
        Assert.Throws<InvalidDataException>(() => PeftAdapter.Load(_directory, TinyModels.Config(ModelFamily.Qwen3) with { LayerCount = 1 }));
        Assert.Throws<InvalidDataException>(() => PeftAdapter.Load(_directory, TinyModels.Config(ModelFamily.Qwen3) with { LayerCount = 3 }));
    }

    [Fact]
    public void MergeInto_EqualsAdapterWhilePacking()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var adapter = LoraAdapter.CreateRandom(weights.Config, new LoraOptions { Rank = 4 }, 4);
        var random = new Random(3);
        foreach (ref var value in adapter.Values) value += random.NextSingle() * 0.1f;
        using var packed = InferenceModel.Create(weights, adapter);
        using var merged = weights.Clone();
        adapter.MergeInto(merged);
        using var model = InferenceModel.Create(merged);
        var tokens = TinyModels.Tokens(10, 2);
        Assert.Equal(Vectors.EngineVectors.Logits(model, tokens)[^1], Vectors.EngineVectors.Logits(packed, tokens)[^1]);
    }
}
