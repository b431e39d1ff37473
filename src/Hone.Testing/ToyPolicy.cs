using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Testing;

/// <summary>
/// A policy that learns in microseconds: for every predictor a softmax over a fixed list of completions, with exact gradients. A completion is one
/// token; a predictor is recognised by a text that its prompt contains. It tests programs, metrics and optimizers without a model.
/// </summary>
public sealed class ToyPolicy : IChatClient, ITrainableModel, IWeightStore, ITokenTextSource
{
    private readonly Func<double[][]> logits;
    private readonly Func<int> version;

    /// <summary>Creates a policy that prefers nothing.</summary>
    public ToyPolicy(params IReadOnlyList<ToyChoice> choices)
    {
        Choices = [.. choices];
        var start = choices.Select(choice => new double[choice.Completions.Length]).ToArray();
        logits = () => start;
        version = () => 0;
    }

    internal ToyPolicy(ImmutableArray<ToyChoice> choices, Func<double[][]> logits, Func<int> version) =>
        (Choices, this.logits, this.version) = (choices, logits, version);

    /// <summary>What the policy chooses between.</summary>
    public ImmutableArray<ToyChoice> Choices { get; }

    /// <summary>Current probability of a completion.</summary>
    public double Probability(int choice, int completion) => Math.Exp(LogSoftmax(logits()[choice], 1)[completion]);

    /// <summary>The texts of completions: they are numbered through all choices. A prompt is the number of its choice, which has no text.</summary>
    public IReadOnlyList<string> TextsOf(IReadOnlyList<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        string[] vocabulary = [.. Choices.SelectMany(choice => choice.Completions)];
        return [.. ids.Select(id => vocabulary.ElementAtOrDefault(id) ?? string.Empty)];
    }

    /// <inheritdoc/>
    public string WeightsDigest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\u0001', Choices.SelectMany(choice => choice.Completions.Prepend(choice.PromptText))) + string.Join(' ', logits().SelectMany(row => row).Select(value => value.ToString("R", CultureInfo.InvariantCulture))))))[..16];

    /// <inheritdoc/>
    public Task<ITrainingSession> StartTrainingAsync(TrainingOptions options, CancellationToken cancellationToken = default) =>
        Task.FromResult<ITrainingSession>(new ToyTrainingSession(Choices, logits().Select(row => row.ToArray()).ToArray()));

    /// <inheritdoc/>
    public Task SaveWeightsAsync(string directory, CancellationToken cancellationToken = default) =>
        AtomicFile.WriteDirectoryAsync(directory, (temporary, token) => ToyTrainingSession.WriteAsync(temporary, logits(), [], version(), token), cancellationToken);

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var choice = ChoiceOf(messages);
        var temperature = options?.Temperature ?? 1;
        var (completion, logProb) = Sample(logits()[choice], temperature, options?.Seed ?? 0);
        var response = ScriptedChatClient.Respond(Choices[choice].Completions[completion]);
        response.AdditionalProperties = new()
        {
            [SampledTokens.Key] = new SampledTokens([choice], [FirstToken(Choices, choice) + completion], [(float)logProb], version(), temperature, false),
        };
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false)).ToChatResponseUpdates())
            yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("toy", null, "toy") : serviceType.IsInstanceOfType(this) ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>The token of a choice's first completion.</summary>
    internal static int FirstToken(ImmutableArray<ToyChoice> choices, int choice) => choices.Take(choice).Sum(before => before.Completions.Length);

    internal static double[] LogSoftmax(double[] row, double temperature)
    {
        var scaled = row.Select(value => value / temperature).ToArray();
        var max = scaled.Max();
        var logSum = max + Math.Log(scaled.Sum(value => Math.Exp(value - max)));
        return [.. scaled.Select(value => value - logSum)];
    }

    /// <summary>A completion and its log-probability. Of the seed 31 bits count, as with services: a wire changes nothing.</summary>
    internal static (int Completion, double LogProb) Sample(double[] row, double temperature, long seed)
    {
        var logProbs = LogSoftmax(row, temperature <= 0 ? 1 : temperature);
        var completion = temperature <= 0 ? IndexOfMax(logProbs) : Draw(logProbs, seed & int.MaxValue);
        return (completion, logProbs[completion]);
    }

    /// <summary>The choice whose text the prompt contains.</summary>
    internal static int ChoiceOf(IReadOnlyList<ToyChoice> choices, string prompt)
    {
        for (var i = 0; i < choices.Count; i++)
        {
            if (prompt.Contains(choices[i].PromptText, StringComparison.Ordinal))
                return i;
        }

        throw new InvalidOperationException($"No choice of the toy policy matches the prompt: {prompt}");
    }

    private int ChoiceOf(IEnumerable<ChatMessage> messages) => ChoiceOf(Choices, string.Join('\n', messages.Select(message => message.Text)));

    private static int Draw(double[] logProbs, long seed)
    {
        var draw = new SeedStream(seed).Derive("toy").CreateRandom().NextDouble();
        for (var i = 0; i < logProbs.Length; i++)
        {
            draw -= Math.Exp(logProbs[i]);
            if (draw <= 0)
                return i;
        }

        return logProbs.Length - 1;
    }

    private static int IndexOfMax(double[] values) => Array.IndexOf(values, values.Max());
}

/// <summary>What a toy policy chooses between for one predictor.</summary>
/// <param name="PromptText">Text that identifies the predictor's prompt, e.g. an output's marker.</param>
/// <param name="Completions">The possible answers.</param>
public sealed record ToyChoice(string PromptText, params ImmutableArray<string> Completions);
