using System.Text.Json.Nodes;
using Hone.Engine.Tests.Generation;

namespace Hone.Engine.Tests.Weights;

/// <summary>Whatever is missing or odd in a directory: the error names the file, the key and what to do.</summary>
public sealed class CheckpointErrorTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hone").FullName;

    public CheckpointErrorTests()
    {
        using var model = SmallModel.Create();
        model.Save(_directory, WeightFormat.BFloat16);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Load_WholeDirectory_Works()
    {
        using var model = EngineModel.Load(_directory);
        Assert.Equal(SmallModel.Config, model.Config);
    }

    [Theory]
    [InlineData("model_type", "\"gemma3\"", "'gemma3'", "qwen2, qwen3 or llama")]
    [InlineData("hidden_size", null, "'hidden_size'", "missing")]
    [InlineData("num_key_value_heads", "3", "'num_key_value_heads'", "does not divide")]
    [InlineData("hidden_act", "\"gelu\"", "'hidden_act'", "silu")]
    [InlineData("rope_scaling", """{"rope_type":"longrope","factor":4}""", "'rope_scaling'", "'longrope'")]
    [InlineData("rope_scaling", """{"rope_type":"yarn"}""", "'rope_scaling'", "'factor' is missing")]
    [InlineData("rope_scaling", "\"yarn\"", "'rope_scaling'", "neither an object nor null")]
    [InlineData("rope_parameters", "[]", "'rope_parameters'", "neither an object nor null")]
    [InlineData("rope_interleaved", "true", "'rope_interleaved'", "not supported")]
    [InlineData("use_sliding_window", "true", "'use_sliding_window'", "not supported")]
    [InlineData("quantization_config", """{"quant_method":"gptq"}""", "'quantization_config'", "bfloat16")]
    [InlineData("intermediate_size", "72", "config.json", "mlp.")]
    public void Load_OddConfig_NamesFileAndKey(string key, string? value, params string[] words)
    {
        Edit("config.json", json =>
        {
            if (value is null) json.Remove(key);
            else json[key] = JsonNode.Parse(value);
        });
        ExpectInvalid([.. words, "config.json"]);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    public void Load_MissingFile_NamesIt(string file)
    {
        File.Delete(Path.Combine(_directory, file));
        var error = Assert.Throws<FileNotFoundException>(() => EngineModel.Load(_directory));
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.Contains(_directory, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WeightsOfAnotherFormat_SaysWhichToUse()
    {
        File.Move(Path.Combine(_directory, "model.safetensors"), Path.Combine(_directory, "pytorch_model.bin"));
        var error = Assert.Throws<FileNotFoundException>(() => EngineModel.Load(_directory));
        Assert.Contains("'pytorch_model.bin'", error.Message, StringComparison.Ordinal);
        Assert.Contains("safetensors", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    public void Load_DamagedJson_NamesTheFile(string content)
    {
        foreach (var file in new[] { "config.json", "generation_config.json" })
        {
            var path = Path.Combine(_directory, file);
            var saved = File.ReadAllText(path);
            File.WriteAllText(path, content);
            var error = Assert.Throws<InvalidDataException>(() => EngineModel.Load(_directory));
            Assert.Contains(file, error.Message, StringComparison.Ordinal);
            Assert.Contains("JSON", error.Message, StringComparison.Ordinal);
            File.WriteAllText(path, saved);
        }
    }

    [Fact]
    public void Load_ShardThatIsNotThere_NamesIndexTensorAndFile()
    {
        Reshard(40_000);
        using (EngineModel.Load(_directory)) Assert.False(File.Exists(Path.Combine(_directory, "model.safetensors")));
        File.Delete(Directory.GetFiles(_directory, "model-00002-of-*").Single());
        var error = Assert.Throws<FileNotFoundException>(() => EngineModel.Load(_directory));
        Assert.Contains("model.safetensors.index.json", error.Message, StringComparison.Ordinal);
        Assert.Contains("'model-00002-of-", error.Message, StringComparison.Ordinal);
        Assert.Contains("tensor 'model.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"metadata":{}}""", "weight_map")]
    [InlineData("""{"weight_map":{"a":"../model.safetensors"}}""", "'../model.safetensors'")]
    [InlineData("""{"weight_map":{"a":null}}""", "tensor 'a'")]
    [InlineData("{", "safetensors index")]
    public void Load_OddIndex_NamesIt(string index, string expected)
    {
        File.Delete(Path.Combine(_directory, "model.safetensors"));
        File.WriteAllText(Path.Combine(_directory, "model.safetensors.index.json"), index);
        ExpectInvalid("model.safetensors.index.json", expected);
    }

    [Fact]
    public void Load_TruncatedWeights_NamesFileAndTensor()
    {
        var path = Path.Combine(_directory, "model.safetensors");
        using (var file = File.Open(path, FileMode.Open)) file.SetLength(file.Length - 10);
        ExpectInvalid("model.safetensors", "tensor 'model.", "complete");
    }

    [Fact]
    public void Load_GitLfsPointer_SaysSo()
    {
        File.WriteAllText(Path.Combine(_directory, "model.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
        ExpectInvalid("model.safetensors", "git lfs pull");
    }

    [Fact]
    public void Load_OtherNumberFormat_NamesTensorAndFormat()
    {
        var path = Path.Combine(_directory, "model.safetensors");
        var bytes = File.ReadAllBytes(path);
        var at = bytes.AsSpan().IndexOf("\"BF16\""u8);
        "\"I32\" "u8.CopyTo(bytes.AsSpan(at));
        File.WriteAllBytes(path, bytes);
        ExpectInvalid("model.safetensors", "'model.embed_tokens.weight'", "I32", "BF16");
    }

    [Fact]
    public void Load_TensorThatIsNotThere_NamesIt()
    {
        Edit("config.json", json => json["tie_word_embeddings"] = false);
        ExpectInvalid("model.safetensors", "'lm_head.weight'", "complete");
    }

    [Theory]
    [InlineData("model.type", "Unigram", "'Unigram'", "byte-level BPE")]
    [InlineData("pre_tokenizer.type", "Metaspace", "'Metaspace'", "ByteLevel")]
    [InlineData("model.vocab", null, "'vocab'", "missing")]
    public void Load_TokenizerOfAnotherKind_NamesFileAndKey(string path, string? value, params string[] words)
    {
        Edit("tokenizer.json", json =>
        {
            var keys = path.Split('.');
            var section = json[keys[0]]!.AsObject();
            if (value is null) section.Remove(keys[1]);
            else section[keys[1]] = value;
        });
        ExpectInvalid([.. words, "tokenizer.json"]);
    }

    [Fact]
    public void Load_TokenizerOfALargerVocabulary_NamesBothFiles()
    {
        Edit("config.json", json => json["vocab_size"] = 400);
        ExpectInvalid("model.embed_tokens.weight", "[400, 32]");
        using var model = SmallModel.Create();
        Assert.Throws<InvalidDataException>(() => new EngineModel(
            "small", ParameterSet.CreateRandom(SmallModel.Config with { VocabularySize = 400 }, 1), model.Tokenizer, model.Template));
    }

    [Fact]
    public void Load_UnknownChatTemplate_NamesFileKeyAndTheWayOut()
    {
        Edit("tokenizer_config.json", json =>
        {
            json.Remove("hone_chat_format");
            json["chat_template"] = "{{ '[INST]' }}";
        });
        ExpectInvalid("tokenizer_config.json", "'chat_template'", "hone_chat_format", "smollm2");
        using (var named = EngineModel.Load(_directory, "chatml")) Assert.Equal("chatml", named.Template.Name);
        var lm = EngineLM.Load(_directory, chatFormat: "qwen2");
        Assert.Equal("qwen2", lm.GetService<EngineModel>()!.Template.Name);
        lm.Client.Dispose();
        File.WriteAllText(Path.Combine(_directory, "chat_template.jinja"), "{{ '[INST]' }}");
        ExpectInvalid("chat_template.jinja");
    }

    [Fact]
    public void Load_UnknownChatFormat_NamesFileKeyAndTheKnownOnes()
    {
        Edit("tokenizer_config.json", json => json["hone_chat_format"] = "alpaca");
        ExpectInvalid("tokenizer_config.json", "'hone_chat_format'", "'alpaca'", "smollm2");
    }

    [Fact]
    public void Load_TemplateFileOrList_IsRecognized()
    {
        const string SmolLM = "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>' }}";
        Edit("tokenizer_config.json", json =>
        {
            json.Remove("hone_chat_format");
            json["chat_template"] = new JsonArray(
                new JsonObject { ["name"] = "tool_use", ["template"] = "[INST]" }, new JsonObject { ["name"] = "default", ["template"] = SmolLM });
        });
        using (var model = EngineModel.Load(_directory)) Assert.Equal("smollm2", model.Template.Name);
        File.WriteAllText(Path.Combine(_directory, "chat_template.jinja"), "<|im_start|> {{ enable_thinking }}");
        using (var model = EngineModel.Load(_directory)) Assert.Equal("qwen3", model.Template.Name);
    }

    [Fact]
    public void Load_EndTokens_ComeFromBothFilesAndTheTemplate()
    {
        Edit("config.json", json => json["eos_token_id"] = 3);
        Edit("generation_config.json", json => json["eos_token_id"] = new JsonArray(5, 7));
        using var model = EngineModel.Load(_directory);
        Assert.Equal([3, model.Tokenizer.IdOf("<|im_end|>")!.Value, 5, 7], model.EndTokenIds);
        Edit("generation_config.json", json => json["eos_token_id"] = "end");
        ExpectInvalid("generation_config.json", "'eos_token_id'");
    }

    private void Reshard(long largestFile)
    {
        using var model = SmallModel.Create();
        model.Save(_directory, WeightFormat.BFloat16, largestFile);
    }

    private void Edit(string file, Action<JsonObject> change)
    {
        var path = Path.Combine(_directory, file);
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }

    private void ExpectInvalid(params string[] words)
    {
        var error = Assert.Throws<InvalidDataException>(() => EngineModel.Load(_directory));
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }
}
