namespace Hone.Engine.Tests.Models;

public sealed class TrainingModelTests
{
    public static TheoryData<ModelFamily, bool> Variants =>
        [.. Enum.GetValues<ModelFamily>().SelectMany(
            family => new[] { false, true }.Select(lora => new TheoryDataRow<ModelFamily, bool>(family, lora)))];

    /// <summary>Six sequences, four of them with a common prefix of 40 tokens, two of those with 60.</summary>
    internal static TrainingSequence[] Sequences(int seed = 1)
    {
        int[] prefix = TinyModels.Tokens(40, seed), longer = [.. prefix, .. TinyModels.Tokens(20, seed + 1)];
        return
        [
            new([.. prefix, .. TinyModels.Tokens(11, seed + 2)], 40), new([.. longer, .. TinyModels.Tokens(7, seed + 3)], 50),
            new([.. longer, .. TinyModels.Tokens(9, seed + 4)], 55), new([.. prefix, .. TinyModels.Tokens(30, seed + 5)], 30),
            new(TinyModels.Tokens(25, seed + 6), 1), new(TinyModels.Tokens(70, seed + 7), 64),
        ];
    }

    internal static LoraAdapter Adapter(ModelConfig config)
    {
        var adapter = LoraAdapter.CreateRandom(config, new LoraOptions { Rank = 3, Alpha = 6 }, 5);
        var random = new Random(6);
        foreach (ref var value in adapter.Values) value += (random.NextSingle() - 0.5f) * 0.2f;
        return adapter;
    }

    /// <summary>Loss Σ weight · log p with a fixed weight per target, its log-probabilities by sequence, and the gradient.</summary>
    internal static (double Loss, float[] Gradient, Dictionary<(int, int), float> LogProbs) Evaluate(
        TrainingModel model, TrainingSequence[] sequences, int rowBudget = 128, bool share = true, int workers = 1, float temperature = 0.9f)
    {
        var batches = PackedBatch.Plan(sequences, rowBudget, share);
        var (loss, byTarget) = (0.0, new Dictionary<(int, int), float>());
        model.ZeroGradients();
        model.ForEachBatch(batches, workers, (lane, index) =>
        {
            var batch = batches[index];
            float[] logProbs = new float[batch.Targets.Count], entropies = new float[batch.Targets.Count];
            model.ForwardScore(lane, batch, temperature, logProbs, entropies);
            var weights = batch.Targets.Select(target => MathF.Sin(1 + target.Sequence * 7 + target.CompletionIndex * 3)).ToArray();
            model.Backward(lane, batch, weights);
            lock (byTarget)
            {
                for (var i = 0; i < weights.Length; i++)
                {
                    loss += weights[i] * (double)logProbs[i];
                    byTarget[(batch.Targets[i].Sequence, batch.Targets[i].CompletionIndex)] = logProbs[i];
                }
            }
        });
        return (loss, model.SumGradients().ToArray(), byTarget);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Backward_LogitsInChunks_AsAllAtOnce(bool lora)
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var adapter = lora ? Adapter(weights.Config) : null;
        using TrainingModel whole = new(weights, adapter, 1, CpuKernels.Best),
            chunked = new(weights, adapter, 1, new CpuKernels(CpuKernels.Best.Vectors) { MaxLogits = 0 });
        var sequences = Sequences();
        Assert.True(PackedBatch.Plan(sequences, 512).Single().TargetRows.Length > 64, "One chunk would be all.");
        var (expected, actual) = (Evaluate(whole, sequences, 512), Evaluate(chunked, sequences, 512));
        Assert.Equal(expected.LogProbs, actual.LogProbs);

        // The gradient of the output projection itself is summed chunk by chunk.
        if (lora) Assert.Equal(expected.Gradient, actual.Gradient);
        else Assert.All(expected.Gradient.Zip(actual.Gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Backward_CentralDifferences_Agree(ModelFamily family, bool lora)
    {
        using var weights = TinyModels.Weights(family);
        using var adapter = lora ? Adapter(weights.Config) : null;
        AssertGradient(weights, adapter);
    }

    /// <summary>Compares the gradient of every tensor with central differences.</summary>
    internal static void AssertGradient(ParameterSet weights, LoraAdapter? adapter)
    {
        using var model = new TrainingModel(weights, adapter, laneCount: 2);
        var sequences = Sequences();
        var (_, gradient, _) = Evaluate(model, sequences);
        var scale = Math.Sqrt(gradient.Average(value => (double)value * value));
        var random = new Random(9);
        foreach (var tensor in model.Trained.Tensors)
        {
            // Along a random direction per tensor: every element takes part.
            var direction = new float[tensor.Length];
            foreach (ref var value in direction.AsSpan()) value = random.NextSingle() - 0.5f;
            var norm = MathF.Sqrt(direction.Sum(value => value * value));
            const float Step = 2e-3f;
            double At(float step)
            {
                for (var i = 0; i < direction.Length; i++) model.Trained.Slice(tensor)[i] += step / norm * direction[i];
                model.Repack();
                return Evaluate(model, sequences).Loss;
            }

            var saved = model.Trained.Slice(tensor).ToArray();
            var plus = At(Step);
            saved.CopyTo(model.Trained.Slice(tensor));
            var minus = At(-Step);
            saved.CopyTo(model.Trained.Slice(tensor));
            var numeric = (plus - minus) / (2 * Step);
            var analytic = direction.Select((value, i) => (double)value / norm * gradient[tensor.Offset + i]).Sum();
            Assert.True(Math.Abs(numeric - analytic) <= 0.02 * Math.Abs(analytic) + 0.03 * scale + 0.02,
                $"{tensor.Name}: {analytic} analytic, {numeric} numeric");
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Backward_SharedPrefixes_EqualUnshared(ModelFamily family, bool lora)
    {
        using var weights = TinyModels.Weights(family);
        using var adapter = lora ? Adapter(weights.Config) : null;
        using var model = new TrainingModel(weights, adapter, laneCount: 2);
        var (_, shared, logProbs) = Evaluate(model, Sequences(), 400);
        var (_, separate, otherLogProbs) = Evaluate(model, Sequences(), 400, share: false);
        Assert.Equal(otherLogProbs.Count, logProbs.Count);
        Assert.All(otherLogProbs, pair => Assert.Equal(pair.Value, logProbs[pair.Key], 1e-5f));
        var norm = Math.Sqrt(separate.Sum(value => (double)value * value));
        Assert.True(Math.Sqrt(shared.Zip(separate, (a, b) => Math.Pow(a - b, 2)).Sum()) <= 1e-5 * norm);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Backward_ActivationsComputedAgain_BitwiseEqual(ModelFamily family, bool lora)
    {
        using var weights = TinyModels.Weights(TinyModels.Config(family) with { LayerCount = 5 }, 1);
        using var adapter = lora ? Adapter(weights.Config) : null;
        using var everything = new TrainingModel(weights, adapter, laneCount: 2);
        using var products = new TrainingModel(weights, adapter, laneCount: 2) { Memory = ActivationMemory.Products };
        var expected = Evaluate(everything, Sequences(), 60);
        var actual = Evaluate(products, Sequences(), 60);
        Assert.Equal(expected.Gradient, actual.Gradient);
        Assert.Equal(expected.LogProbs, actual.LogProbs);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void ForwardScore_WithoutActivations_BitwiseEqual(ModelFamily family, bool lora)
    {
        using var weights = TinyModels.Weights(TinyModels.Config(family) with { LayerCount = 5 }, 1);
        using var adapter = lora ? Adapter(weights.Config) : null;
        using var everything = new TrainingModel(weights, adapter, laneCount: 1);
        using var scores = new TrainingModel(weights, adapter, 1, CpuKernels.Best, scoresOnly: true);
        foreach (var batch in PackedBatch.Plan(Sequences(), 60))
        {
            float[] expected = new float[batch.Targets.Count], actual = new float[expected.Length], entropies = new float[expected.Length];
            everything.ForwardScore(everything.Lanes[0], batch, 1, expected, entropies);
            scores.ForwardScore(scores.Lanes[0], batch, 1, actual, entropies);
            Assert.Equal(expected, actual);
            Assert.Throws<InvalidOperationException>(() => scores.Backward(scores.Lanes[0], batch, entropies));
        }
    }

    [Fact]
    public void MicrobatchRows_LargeModel_FitAGibibyte()
    {
        var large = new ModelConfig
        {
            Family = ModelFamily.Qwen2,
            VocabularySize = 8,
            HiddenSize = 896,
            LayerCount = 24,
            HeadCount = 14,
            KeyValueHeadCount = 2,
            HeadWidth = 64,
            FeedForwardSize = 4864,
        };
        Assert.InRange(TrainingWorkspace.BytesPerRow(large, ActivationMemory.Products) * 704, 0, 1 << 30);
        Assert.InRange(TrainingWorkspace.BytesPerRow(large, ActivationMemory.Nothing) * 1024, 0, 1 << 28);
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var model = new TrainingModel(weights, laneCount: 1);
        Assert.Equal((1024, 0, ActivationMemory.Everything), (model.MicrobatchRows, model.MicrobatchOverflow, model.Memory));
    }

    [Fact]
    public void ForEachBatch_OneOrMoreThreads_BitwiseEqual()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen3);
        using var model = new TrainingModel(weights, laneCount: 3);
        TrainingSequence[] sequences = [.. Sequences(1), .. Sequences(20), .. Sequences(40)];
        var one = Evaluate(model, sequences, 64);
        var two = Evaluate(model, sequences, 64, workers: 2);
        var four = Evaluate(model, sequences, 64, workers: 4);
        Assert.Equal(one.Gradient, two.Gradient);
        Assert.Equal(one.Gradient, four.Gradient);
        Assert.Equal(one.LogProbs, two.LogProbs);
    }

    [Fact]
    public void ForwardScore_AllKernelSets_Agree()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        var results = VectorKernels.Supported.Select(kernels =>
        {
            using var model = new TrainingModel(weights, null, 1, kernels);
            return Evaluate(model, Sequences()).Gradient;
        }).ToList();
        var norm = Math.Sqrt(results[0].Sum(value => (double)value * value));
        foreach (var other in results.Skip(1)) Assert.True(Math.Sqrt(results[0].Zip(other, (a, b) => Math.Pow(a - b, 2)).Sum()) <= 1e-5 * norm);
    }

    [Fact]
    public void ForwardScore_EqualsInferenceLogits()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var training = new TrainingModel(weights, laneCount: 1);
        using var inference = InferenceModel.Create(weights);
        var tokens = TinyModels.Tokens(90, 3);
        var logits = Vectors.EngineVectors.Logits(inference, tokens);
        var (_, _, logProbs) = Evaluate(training, [new TrainingSequence(tokens, 1)], temperature: 1f);
        for (var position = 1; position < tokens.Length; position++)
        {
            var row = logits[position - 1];
            var expected = row[tokens[position]] - Math.Log(row.Sum(value => Math.Exp(value)));
            Assert.Equal(expected, logProbs[(0, position - 1)], 1e-5);
        }
    }

    [Fact]
    public void ForwardScore_AnotherPrompt_ChangesTheCompletion()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var model = new TrainingModel(weights, laneCount: 1);
        var completion = TinyModels.Tokens(8, 30);
        var first = Evaluate(model, [new TrainingSequence([.. TinyModels.Tokens(20, 31), .. completion], 20)]);
        var second = Evaluate(model, [new TrainingSequence([.. TinyModels.Tokens(20, 32), .. completion], 20)]);
        Assert.All(first.LogProbs, pair => Assert.True(Math.Abs(pair.Value - second.LogProbs[pair.Key]) > 1e-4));
    }

    [Fact]
    public void Backward_OnlyPromptTokens_GradientIsExactlyZero()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen3);
        using var model = new TrainingModel(weights, laneCount: 1);
        var batch = PackedBatch.Plan([new TrainingSequence(TinyModels.Tokens(30, 1), 10)], 100)[0];
        float[] logProbs = new float[20], entropies = new float[20], gradient = new float[20];
        model.ForwardScore(model.Lanes[0], batch, 1f, logProbs, entropies);
        model.Backward(model.Lanes[0], batch, gradient);
        Assert.All(model.SumGradients().ToArray(), value => Assert.Equal(0f, value));

        // A text that is all prompt has no targets at all.
        var prompt = PackedBatch.Plan([new TrainingSequence(TinyModels.Tokens(30, 1), 30)], 100)[0];
        Assert.Empty(prompt.Targets);
        model.ForwardScore(model.Lanes[0], prompt, 1f, [], []);
        model.Backward(model.Lanes[0], prompt, []);
        Assert.All(model.SumGradients().ToArray(), value => Assert.Equal(0f, value));
    }

    [Fact]
    public void Backward_LossOnCompletionOnly_LastPromptRowFeedsItAlone()
    {
        // The row of the last prompt token predicts the first completion token; tokens that occur only after it get no input gradient.
        using var weights = TinyModels.Weights(ModelFamily.Llama);
        using var model = new TrainingModel(weights, laneCount: 1);
        int[] tokens = [3, 4, 5, 6, 50, 51, 52];
        var batch = PackedBatch.Plan([new TrainingSequence(tokens, 4)], 100)[0];
        float[] logProbs = new float[3], entropies = new float[3];
        model.ForwardScore(model.Lanes[0], batch, 1f, logProbs, entropies);
        model.Backward(model.Lanes[0], batch, [1f, 0f, 0f]);
        var gradient = model.SumGradients();
        var embedding = weights.Tensor(ParameterNames.Embedding);
        float Largest(Span<float> values, int token) => values.Slice(embedding.Offset + token * 24, 24).ToArray().Max(Math.Abs);
        Assert.True(Largest(gradient, 6) > 0);
        Assert.Equal(0f, Largest(gradient, 50));
        Assert.Equal(0f, Largest(gradient, 51));
    }

    [Fact]
    public void Backward_WithoutForward_Throws()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var model = new TrainingModel(weights, laneCount: 1);
        var batch = PackedBatch.Plan([new TrainingSequence([1, 2, 3], 1)], 100)[0];
        Assert.Throws<InvalidOperationException>(() => model.Backward(model.Lanes[0], batch, [1f, 1f]));
    }

    [Fact]
    public void ForEachBatch_FailingWork_ThrowsItsException()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var model = new TrainingModel(weights, laneCount: 2);
        var batches = PackedBatch.Plan(Sequences(), 64);
        Assert.Throws<InvalidOperationException>(
            () => model.ForEachBatch(batches, 2, (_, _) => throw new InvalidOperationException("stop"), TestContext.Current.CancellationToken));
    }
}
