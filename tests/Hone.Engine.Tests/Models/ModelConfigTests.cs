namespace Hone.Engine.Tests.Models;

public sealed class ModelConfigTests
{
    private const string Llama = """
        {
          "model_type": "llama", "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 144,
          "rms_norm_eps": 1e-5, "eos_token_id": [2, 3],
          "rope_parameters": {
            "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
            "original_max_position_embeddings": 64
          }
        }
        """;

    [Fact]
    public void Parse_NewerLayout_ReadsRopeParametersAndDefaults()
    {
        var config = ModelConfig.Parse(Llama, "x/config.json");
        Assert.Equal(ModelFamily.Llama, config.Family);
        Assert.Equal(500_000, config.RopeTheta);
        Assert.Equal(new Llama3RopeScaling(8, 1, 4, 64), config.RopeScaling);
        Assert.Equal((16, 4, false), (config.HeadWidth, config.KeyValueHeadCount, config.TiedEmbeddings));
        Assert.Equal([2, 3], config.EndTokenIds);
    }

    [Theory]
    [InlineData(ModelFamily.Qwen2)]
    [InlineData(ModelFamily.Qwen3)]
    [InlineData(ModelFamily.Llama)]
    public void ToJson_ReadAgain_IsEqual(ModelFamily family)
    {
        var scaling = new Llama3RopeScaling(8, 1, 4, 64);
        var config = TinyModels.Config(family) with { RopeScaling = scaling, BeginTokenId = 7, NormEpsilon = 1e-5f, MaxPositions = 99 };
        Assert.Equal(config, ModelConfig.Parse(config.ToJson(), "config.json"));
    }

    [Theory]
    [InlineData("\"llama\"", "\"mamba\"", "model_type")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": 0", "hidden_size")]
    [InlineData("\"hidden_size\": 64, ", "", "hidden_size")]
    [InlineData("\"llama3\"", "\"longrope\"", "rope_parameters")]
    [InlineData("\"vocab_size\": 144", "\"vocab_size\": 144, \"rope_scaling\": 4", "'rope_scaling'")]
    [InlineData("\"vocab_size\": 144", "\"vocab_size\": 144, \"mlp_bias\": true", "mlp_bias")]
    [InlineData("\"vocab_size\": 144", "\"vocab_size\": 144, \"num_key_value_heads\": 3", "num_key_value_heads")]
    public void Parse_OddValue_NamesFileAndKey(string part, string replacement, string key)
    {
        var odd = Llama.Replace(part, replacement, StringComparison.Ordinal);
        var error = Assert.Throws<InvalidDataException>(() => ModelConfig.Parse(odd, "x/config.json"));
        Assert.Contains("x/config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(key, error.Message, StringComparison.Ordinal);
    }
}
