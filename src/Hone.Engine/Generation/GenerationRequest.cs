using System.Threading.Channels;

namespace Hone.Engine;

/// <summary>Why a completion ended.</summary>
internal enum GenerationEnd
{
    /// <summary>The model sampled an end token.</summary>
    EndToken,

    /// <summary>A stop sequence appeared.</summary>
    StopSequence,

    /// <summary>The token limit or the end of the context was reached.</summary>
    Length,
}

/// <summary>What a finished request gives.</summary>
/// <param name="Tokens">Sampled ids, with the end token when it was sampled.</param>
/// <param name="LogProbs">Log-probability of each.</param>
/// <param name="End">Why it ended.</param>
/// <param name="ModelVersion">Version of the weights that sampled all of it.</param>
/// <param name="CachedTokens">Prompt tokens whose keys and values were there already.</param>
internal sealed record GenerationResult(int[] Tokens, float[] LogProbs, GenerationEnd End, int ModelVersion, int CachedTokens);

/// <summary>A prompt to continue. Its mutable part belongs to the worker that takes it up.</summary>
internal sealed class GenerationRequest
{
    private readonly TaskCompletionSource<GenerationResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int[] _tokens;
    private float[] _logProbs;
    private RandomStream _random;
    private volatile bool _isCancelled;

    public GenerationRequest(int[] prompt, SamplingOptions sampling, int maxNewTokens, IReadOnlyList<int> endTokens)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        if (prompt.Length == 0) throw new ArgumentException("A prompt needs at least one token.", nameof(prompt));
        if (maxNewTokens < 1) throw new ArgumentOutOfRangeException(nameof(maxNewTokens), maxNewTokens, "At least one token must be asked for.");
        Prompt = prompt;
        Sampling = sampling.Validated();
        MaxNewTokens = maxNewTokens;
        EndTokens = [.. endTokens];
        _random = new RandomStream(sampling.Seed);
        // Usual completions fit without growing; a limit far above what is sampled must not cost memory.
        var capacity = Math.Min(maxNewTokens, 256);
        (_tokens, _logProbs) = (new int[capacity], new float[capacity]);
    }

    public int[] Prompt { get; }
    public SamplingOptions Sampling { get; }
    public int MaxNewTokens { get; }
    public int[] EndTokens { get; }

    /// <summary>Stop sequences to watch for, with the bytes of each token; null for none.</summary>
    public StopMatcher? Stop { get; init; }

    /// <summary>Bytes of tokens; needed with <see cref="Stop"/>.</summary>
    public Tokenizer? Tokenizer { get; init; }

    /// <summary>Receives every token as it is sampled; null for none.</summary>
    public ChannelWriter<int>? Stream { get; init; }

    /// <summary>Number of tokens sampled so far.</summary>
    public int Count { get; private set; }

    public bool IsCancelled => _isCancelled;

    public Task<GenerationResult> Completion => _completion.Task;

    /// <summary>The last sampled token.</summary>
    public int LastToken => _tokens[Count - 1];

    /// <summary>Sampled tokens so far.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Count);

    /// <summary>Draws the next token; returns why the completion ends with it, or null when it goes on.</summary>
    public GenerationEnd? SampleNext(Sampler sampler, Span<float> logits)
    {
        var token = sampler.Sample(logits, Sampling, ref _random);
        if (Count == _tokens.Length)
        {
            Array.Resize(ref _tokens, Math.Min(MaxNewTokens, Count * 2));
            Array.Resize(ref _logProbs, _tokens.Length);
        }
        _tokens[Count] = token.Id;
        _logProbs[Count++] = token.LogProb;
        Stream?.TryWrite(token.Id);
        if (Array.IndexOf(EndTokens, token.Id) >= 0) return GenerationEnd.EndToken;
        if (Stop is not null && !Tokenizer!.IsSpecial(token.Id) && Stop.Add(Tokenizer.BytesOf(token.Id))) return GenerationEnd.StopSequence;
        return Count == MaxNewTokens ? GenerationEnd.Length : null;
    }

    public void Finish(GenerationEnd end, int modelVersion, int cachedTokens)
    {
        _completion.TrySetResult(new GenerationResult(_tokens[..Count], _logProbs[..Count], end, modelVersion, cachedTokens));
        Stream?.TryComplete();
    }

    public void Fail(Exception error)
    {
        _completion.TrySetException(error);
        Stream?.TryComplete(error);
    }

    /// <summary>Ends the wait at once; the worker drops the row at its next step.</summary>
    public void Cancel(CancellationToken cancellationToken)
    {
        _isCancelled = true;
        _completion.TrySetCanceled(cancellationToken);
        Stream?.TryComplete(new OperationCanceledException(cancellationToken));
    }
}
