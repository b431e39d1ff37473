using System.Text.Json;
using System.Text.Json.Nodes;
using Hone.Engine.Tests.Vectors;

namespace Hone.Engine.Tests.Models;

public sealed class RopeScalingTests
{
    private const string Qwen = """
        {
          "model_type": "qwen3", "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 144,
          "max_position_embeddings": 40960, "rope_theta": 1000000.0
        }
        """;

    private static readonly ModelConfig Wide = TinyModels.Config(ModelFamily.Llama) with { HeadWidth = 16 };

    // The expected numbers of this class were computed in double precision with numpy, by a script written from the description of transformers'
    // rope utilities (inverse frequencies, ramp between two correction dimensions), for base and width as named here.
    [Fact]
    public void For_Linear_DividesEveryFrequency()
    {
        var config = Wide with { RopeScaling = new LinearRopeScaling(4, 4096) };
        AssertFrequencies(
            [0.25, 0.0790569415, 0.025, 0.00790569415, 0.0025, 0.000790569415, 0.00025, 7.90569415e-05], RopeFrequencies.For(config));
        Assert.Equal(1, RopeFrequencies.AttentionFactor(config));
    }

    [Fact]
    public void For_YarnOfQwen_BlendsBetweenPairs23And40()
    {
        var config = Wide with { HeadWidth = 128, RopeTheta = 1e6, RopeScaling = new YarnRopeScaling(4, 32768) };
        var frequencies = RopeFrequencies.For(config);
        (int Pair, double Frequency)[] expected =
        [
            (0, 1), (22, 0.008659643234), (23, 0.006978305849), (24, 0.005375321491), (30, 0.001064360981), (39, 6.490394321e-05),
            (40, 4.445698525e-05), (41, 3.582531426e-05), (63, 3.102344402e-07),
        ];
        AssertFrequencies([.. expected.Select(pair => pair.Frequency)], [.. expected.Select(pair => frequencies[pair.Pair])]);
        Assert.Equal(1.138629436111989, RopeFrequencies.AttentionFactor(config), 1e-12);
    }

    public static TheoryData<YarnRopeScaling, double[], double> Yarns => new()
    {
        {
            new(4, 256), [1, 0.2569350599, 0.0625, 0.01383496476, 0.0025, 0.000790569415, 0.00025, 7.90569415e-05], 1.138629436111989
        },
        {
            new(4, 256) { Truncate = false, AttentionFactor = 1.5 },
            [1, 0.2539723136, 0.05539863663, 0.009639942851, 0.0025, 0.000790569415, 0.00025, 7.90569415e-05], 1.5
        },
        {
            new(8, 64) { BetaFast = 8, BetaSlow = 0.5 },
            [1, 0.2239946676, 0.04166666667, 0.003952847075, 0.00125, 0.0003952847075, 0.000125, 3.952847075e-05], 1.2079441541679836
        },
        {
            // The blend is over no pair: all but the first are divided.
            new(2, 4), [1, 0.158113883, 0.05, 0.0158113883, 0.005, 0.00158113883, 0.0005, 0.000158113883], 1.0693147180559945
        },
    };

    [Theory]
    [MemberData(nameof(Yarns))]
    public void For_Yarn_BlendsAndSharpens(YarnRopeScaling scaling, double[] frequencies, double attention)
    {
        var config = Wide with { RopeScaling = scaling };
        AssertFrequencies(frequencies, RopeFrequencies.For(config));
        Assert.Equal(attention, RopeFrequencies.AttentionFactor(config), 1e-12);
    }

    [Theory]
    [InlineData("""
        "rope_scaling": { "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768 }
        """)]
    [InlineData("""
        "rope_scaling": { "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768 }
        """)]
    [InlineData("""
        "rope_parameters": { "rope_type": "yarn", "rope_theta": 1000000, "factor": 4, "original_max_position_embeddings": 32768, "beta_fast": null }
        """)]
    [InlineData("""
        "rope_parameters": { "type": "yarn", "factor": 4, "original_max_position_embeddings": 32768, "beta_slow": 0, "truncate": true }, "rope_scaling": null
        """)]
    public void Parse_YarnInEverySpelling_IsReadAndExtendsTheContext(string section)
    {
        var config = Parse(section);
        Assert.Equal(new YarnRopeScaling(4, 32768), config.RopeScaling);
        Assert.Equal((1e6, 131_072), (config.RopeTheta, config.MaxPositions));
    }

    [Fact]
    public void Parse_YarnWithEverything_IsRead()
    {
        var config = Parse("""
            "rope_scaling": {
              "rope_type": "yarn", "factor": 2.5, "original_max_position_embeddings": 8192, "beta_fast": 16, "beta_slow": 2, "attention_factor": 0.9,
              "mscale": 1.0, "mscale_all_dim": 0.7, "truncate": false
            }
            """);
        Assert.Equal(new YarnRopeScaling(2.5, 8192) { BetaFast = 16, BetaSlow = 2, AttentionFactor = 0.9, Truncate = false }, config.RopeScaling);

        // 2.5 times 8192 is less than what the configuration gives anyway.
        Assert.Equal(40_960, config.MaxPositions);
    }

    [Fact]
    public void Parse_YarnWithMscale_IsTheRatioOfBoth()
    {
        var config = Parse("""
            "rope_scaling": { "rope_type": "yarn", "factor": 8, "mscale": 1.0, "mscale_all_dim": 0.7 }
            """);
        // (0.1 ln 8 + 1) / (0.07 ln 8 + 1), by numpy.
        Assert.Equal(1.0544565075669314, RopeFrequencies.AttentionFactor(config), 1e-12);
        Assert.Equal((40_960, 327_680), (config.RopeScaling!.OriginalMaxPositions, config.MaxPositions));

        // One of the two alone says nothing.
        Assert.Null(Assert.IsType<YarnRopeScaling>(Parse("""
            "rope_scaling": { "rope_type": "yarn", "factor": 8, "mscale": 1.0 }
            """).RopeScaling).AttentionFactor);
    }

    [Theory]
    [InlineData("", 40_960, 163_840)]
    [InlineData(", \"original_max_position_embeddings\": 20480", 20_480, 81_920)]
    public void Parse_Linear_ExtendsTheOriginalContext(string more, int original, int positions)
    {
        var config = Parse($$"""
            "rope_scaling": { "type": "linear", "factor": 4{{more}} }
            """);
        Assert.Equal((new LinearRopeScaling(4, original), positions), (config.RopeScaling, config.MaxPositions));
    }

    [Fact]
    public void Parse_Llama3_KeepsTheConfiguredContext() => Assert.Equal(40_960, Parse("""
        "rope_scaling": { "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 8192 }
        """).MaxPositions);

    [Theory]
    [InlineData("\"type\": \"linear\"", "'factor' is missing")]
    [InlineData("\"rope_type\": \"yarn\"", "'factor' is missing for rope_type yarn")]
    [InlineData("\"rope_type\": \"yarn\", \"factor\": 0.5", "'factor' is 0.5")]
    [InlineData("\"rope_type\": \"yarn\", \"factor\": \"4\"", "'factor' is \"4\"")]
    [InlineData("\"rope_type\": \"yarn\", \"factor\": 4, \"original_max_position_embeddings\": 0", "'original_max_position_embeddings' is 0")]
    [InlineData("\"rope_type\": \"yarn\", \"factor\": 4, \"beta_fast\": 1, \"beta_slow\": 2", "'beta_fast' is 1 and 'beta_slow' is 2")]
    [InlineData("\"rope_type\": \"yarn\", \"factor\": 4, \"attention_factor\": -1", "'attention_factor' is -1")]
    [InlineData("\"rope_type\": \"yarn\", \"factor\": 4, \"truncate\": 1", "'truncate' is 1")]
    [InlineData("\"rope_type\": \"llama3\", \"factor\": 4, \"low_freq_factor\": 1, \"high_freq_factor\": 4", "'original_max_position_embeddings' is missing")]
    [InlineData("\"rope_type\": \"dynamic\", \"factor\": 4", "Use 'yarn' or 'linear', or remove the scaling: up to max_position_embeddings (40960 tokens)")]
    [InlineData("\"rope_type\": \"longrope\", \"factor\": 4", "expected default, linear, llama3 or yarn")]
    public void Parse_OddScaling_NamesFileKeyAndWhatIsExpected(string content, string message)
    {
        var error = Assert.Throws<InvalidDataException>(() => Parse($$"""
            "rope_scaling": { {{content}} }
            """));
        Assert.StartsWith("'x/config.json', key 'rope_scaling': ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<RopeScaling> Scalings =>
    [
        new LinearRopeScaling(4, 2048),
        new YarnRopeScaling(4, 32768),
        new YarnRopeScaling(1.7, 100) { BetaFast = 20, BetaSlow = 0.5, AttentionFactor = 0.3, Truncate = false },
        new Llama3RopeScaling(8, 1, 4, 64),
    ];

    [Theory]
    [MemberData(nameof(Scalings))]
    public void ToJson_ReadAgain_IsEqual(RopeScaling scaling)
    {
        var config = TinyModels.Config(ModelFamily.Qwen3) with { RopeScaling = scaling, MaxPositions = 99 };
        var read = ModelConfig.Parse(config.ToJson(), "config.json");
        Assert.Equal((config, scaling, config.MaxPositions), (read, read.RopeScaling, read.MaxPositions));
        Assert.NotEqual(config, config with { RopeScaling = null });
    }

    [Fact]
    public void SaveModelOfFiles_KeepsTheScalingAsItWasWritten()
    {
        var directory = Directory.CreateTempSubdirectory("hone").FullName;
        try
        {
            var (source, export) = (Path.Combine(directory, "source"), Path.Combine(directory, "export"));
            using (var small = Generation.SmallModel.Create()) small.Save(source);
            var path = Path.Combine(source, "config.json");
            var written = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            written["rope_scaling"] = new JsonObject { ["type"] = "yarn", ["factor"] = 4, ["original_max_position_embeddings"] = 64 };
            File.WriteAllText(path, written.ToJsonString());

            using var model = EngineModel.Load(source);
            Assert.Equal(new YarnRopeScaling(4, 64), model.Config.RopeScaling);
            model.Save(export);
            var exported = JsonDocument.Parse(File.ReadAllText(Path.Combine(export, "config.json"))).RootElement.GetProperty("rope_scaling");
            Assert.Equal("""{"type":"yarn","factor":4,"original_max_position_embeddings":64}""", JsonSerializer.Serialize(exported));
            Assert.Equal(model.Config, ModelConfig.Parse(File.ReadAllText(Path.Combine(export, "config.json")), "config.json"));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData(ModelFamily.Qwen2)]
    [InlineData(ModelFamily.Qwen3)]
    public void Forward_Yarn_SamplerAndTrainerAgree(ModelFamily family)
    {
        var plain = TinyModels.Config(family);
        using var scaled = TinyModels.Weights(plain with { RopeScaling = new YarnRopeScaling(4, 16) }, 1);
        using var unscaled = TinyModels.Weights(plain, 1);
        using var sampler = InferenceModel.Create(scaled);
        using var device = new DeviceInferenceModel(scaled, CpuKernels.Best);
        using var trainer = new TrainingModel(scaled, laneCount: 1);
        using var without = InferenceModel.Create(unscaled);
        var tokens = TinyModels.Tokens(90, 3);
        var logits = EngineVectors.Logits(sampler, tokens);
        var (_, _, logProbs) = TrainingModelTests.Evaluate(trainer, [new TrainingSequence(tokens, 1)], temperature: 1f);
        for (var position = 1; position < tokens.Length; position++)
        {
            var row = logits[position - 1];
            Assert.Equal(row[tokens[position]] - Math.Log(row.Sum(value => Math.Exp(value))), logProbs[(0, position - 1)], 1e-5);
        }

        AssertClose(logits, EngineVectors.Logits(device, tokens), 1e-4f);
        var others = EngineVectors.Logits(without, tokens);
        Assert.True(logits[^1].Zip(others[^1], (a, b) => Math.Abs(a - b)).Max() > 1e-2, "The scaling changes nothing.");
    }

    [Fact]
    public void Backward_Yarn_CentralDifferencesAgree()
    {
        using var weights = TinyModels.Weights(TinyModels.Config(ModelFamily.Qwen3) with { RopeScaling = new YarnRopeScaling(4, 16) }, 1);
        TrainingModelTests.AssertGradient(weights, null);
    }

    private static void AssertClose(float[][] expected, float[][] actual, float tolerance) =>
        Assert.All(expected.Zip(actual), row => Assert.All(row.First.Zip(row.Second), pair => Assert.Equal(pair.First, pair.Second, tolerance)));

    private static ModelConfig Parse(string section) => ModelConfig.Parse(Qwen.TrimEnd().TrimEnd('}') + ", " + section + "}", "x/config.json");

    private static void AssertFrequencies(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-9 * expected[i]);
    }
}
