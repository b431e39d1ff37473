using System.Collections.Immutable;

namespace Hone;

/// <summary>Log-probabilities of a call in the trace.</summary>
public static class LogProbExtensions
{
    /// <summary>
    /// The tokens of the answer with their log-probabilities, where they were asked for (<see cref="CallOptions.LogProbs"/>) and the client is
    /// OpenAI's or gives JSON of that shape; otherwise empty. Read anew at each call.
    /// </summary>
    /// <param name="call">A call in the trace.</param>
    public static ImmutableArray<TokenLogProb> GetLogProbs(this PredictorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return LogProbReader.Read(call.RawResponse);
    }
}
