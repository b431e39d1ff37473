namespace Hone.Engine.Tests.Models;

/// <summary>Steps that several threads compute together.</summary>
public sealed class HelpedStepTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hone").FullName;

    public static TheoryData<ModelFamily> Families => [ModelFamily.Qwen2, ModelFamily.Qwen3, ModelFamily.Llama];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Families))]
    public void Forward_WithHelpers_BitwiseEqualsAlone(ModelFamily family)
    {
        using var weights = TinyModels.Weights(Config(family), 1);
        using var model = InferenceModel.Create(weights);
        AssertHelpedEqualsAlone(model);
    }

    [Theory]
    [InlineData(WeightFormat.Float32)]
    [InlineData(WeightFormat.BFloat16)]
    public void Forward_FrozenWeightsAndAnAdapter_BitwiseEqualsAlone(WeightFormat format)
    {
        var config = Config(ModelFamily.Qwen2);
        using var weights = Open(config, format);
        using var adapter = LoraAdapter.CreateRandom(config, new() { Rank = 4 }, 2);
        foreach (ref var value in adapter.Values) value += 0.01f;
        using var model = new HostInferenceModel(weights, adapter);
        AssertHelpedEqualsAlone(model);
    }

    private FrozenWeights Open(ModelConfig config, WeightFormat format)
    {
        using var weights = TinyModels.Weights(config, 1);
        Checkpoint.Save(_directory, config, weights, format);
        return Checkpoint.Open(_directory);
    }

    // Large enough that products, rows and attention are divided.
    private static ModelConfig Config(ModelFamily family) => TinyModels.Config(family) with
    {
        VocabularySize = 700,
        HiddenSize = 250,
        FeedForwardSize = 620,
        HeadWidth = 24,
        HeadCount = 6,
    };

    private static void AssertHelpedEqualsAlone(InferenceModel model)
    {
        var alone = Steps(model, null);
        var crew = new StepCrew(3);
        using (new StepCrewTests.Helpers(crew, 2))
        {
            // On a busy machine the helpers may come to nothing for a while.
            for (var round = 0; round < 3 || (round < 200 && crew.PartsHelped == 0); round++)
            {
                var helped = Steps(model, crew);
                Assert.Equal(alone.Count, helped.Count);
                for (var i = 0; i < alone.Count; i++) Assert.Equal(alone[i], helped[i]);
            }
        }

        Assert.True(crew.PartsHelped > 0);
    }

    // A prompt, siblings that continue it, one of them beside the prompt of a stranger, and one alone.
    private static List<float[]> Steps(InferenceModel model, StepCrew? crew)
    {
        const int Prompt = 150;
        var logits = new List<float[]>();
        using var pool = model.CreatePool();
        using var scratch = model.CreateScratch(400, 250, crew);
        KeyValueSegment root = new(pool), stranger = new(pool);
        int[] Tokens(int count, int seed) => TinyModels.Tokens(count, seed, model.Config.VocabularySize);
        void Step(params InferenceRow[] rows)
        {
            model.Forward(scratch, rows);
            for (var row = 0; row < rows.Length; row++)
            {
                if (rows[row].WantLogits) logits.Add(scratch.Logits(row).ToArray());
            }
        }

        InferenceRow[] Rows(KeyValueSegment segment, int[] tokens, int from) =>
            [.. tokens.Select((token, i) => new InferenceRow(segment, from + i, token, i % 50 == 0 || i == tokens.Length - 1))];
        Step(Rows(root, Tokens(Prompt, 1), 0));
        KeyValueSegment[] siblings = [.. Enumerable.Range(0, 7).Select(_ => new KeyValueSegment(pool, root))];
        for (var step = 0; step < 3; step++) Step([.. siblings.SelectMany((sibling, i) => Rows(sibling, Tokens(1, (10 * i) + step), Prompt + step))]);
        Step([.. Rows(siblings[0], Tokens(1, 90), Prompt + 3), .. Rows(stranger, Tokens(130, 91), 0)]);
        for (var step = 0; step < 3; step++) Step(Rows(stranger, Tokens(1, 100 + step), 130 + step));
        return logits;
    }
}
