using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Hone;

/// <summary>Reads one call of a predictor while its answer arrives, inside a program or a scope. Whoever streams the program sees the same pieces.</summary>
public static class PredictorStreamExtensions
{
    // As of a program's stream: a slow consumer slows the call down.
    private const int EventsAhead = 16;

    /// <summary>
    /// Asks the model in scope and tells what happens while it happens, last <see cref="RunCompleted{TOut}"/> with the value and the requests that this
    /// call took. The call begins with the loop; leaving the loop early stops it.
    /// </summary>
    /// <param name="predictor">The predictor.</param>
    /// <param name="input">The inputs.</param>
    /// <param name="options">Options over the predictor's, the run's and the model's.</param>
    /// <param name="cancellationToken">Stops the request.</param>
    /// <exception cref="AdapterParseException">The answer could not be read, and recovering did not help.</exception>
    public static async IAsyncEnumerable<RunEvent> StreamAsync<TIn, TOut>(
        this PredictorModule<TIn, TOut> predictor,
        TIn input,
        CallOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        var stream = new CallStream<RunEvent, TOut>(EventsAhead);
        await foreach (var happened in stream.ReadAsync(Ask(predictor, input, options), static happened => happened, cancellationToken).ConfigureAwait(false))
            yield return happened;
        yield return new RunCompleted<TOut>(stream.Prediction!);
    }

    /// <summary>
    /// Asks the model in scope and gives the text of its last output piece by piece, as it arrives. The call begins with the loop; leaving the loop
    /// early stops it. An answer that cannot be read is recovered from only as long as no piece of it was given.
    /// </summary>
    /// <param name="predictor">The predictor.</param>
    /// <param name="input">The inputs.</param>
    /// <param name="options">Options over the predictor's, the run's and the model's.</param>
    /// <param name="cancellationToken">Stops the request.</param>
    /// <exception cref="AdapterParseException">The answer could not be read.</exception>
    /// <exception cref="HoneException">The whole answer reads otherwise than the pieces that were given.</exception>
    public static IAsyncEnumerable<string> StreamTextAsync<TIn, TOut>(
        this PredictorModule<TIn, TOut> predictor, TIn input, CallOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        return TextAsync(predictor, input, options, cancellationToken);
    }

    // The call begins with the loop, and each loop is a call of its own.
    private static async IAsyncEnumerable<string> TextAsync<TIn, TOut>(
        PredictorModule<TIn, TOut> predictor, TIn input, CallOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pieces = new TextPieces(predictor.Signature.Outputs[^1].Name);
        var stream = new CallStream<string, TOut>(EventsAhead);
        await foreach (var piece in stream.ReadAsync(Ask(predictor, input, options), pieces.Read, cancellationToken).ConfigureAwait(false))
            yield return piece;
    }

    private static Func<CancellationToken, Task<Prediction<TOut>>> Ask<TIn, TOut>(PredictorModule<TIn, TOut> predictor, TIn input, CallOptions? options) =>
        token => predictor.PredictAsync(input, options, token);

    /// <summary>One call and what its reader sees.</summary>
    private sealed class CallStream<T, TOut>(int ahead)
        where T : class
    {
        private readonly Channel<T> channel = Channel.CreateBounded<T>(new BoundedChannelOptions(ahead) { SingleReader = true });

        /// <summary>The result, once everything was read.</summary>
        public Prediction<TOut>? Prediction { get; private set; }

        public async IAsyncEnumerable<T> ReadAsync(
            Func<CancellationToken, Task<Prediction<TOut>>> ask, Func<RunEvent, T?> read, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var run = RunAsync(ask, read, stop.Token);
            try
            {
                await foreach (var seen in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                    yield return seen;
                Prediction = await run.ConfigureAwait(false);
            }
            finally
            {
                await stop.CancelAsync().ConfigureAwait(false);
                await ((Task)run).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        // Everything is as around the call, but for where its events go.
        private async Task<Prediction<TOut>> RunAsync(
            Func<CancellationToken, Task<Prediction<TOut>>> ask, Func<RunEvent, T?> read, CancellationToken cancellationToken)
        {
            try
            {
                if (HoneScope.Current is not { } outer)
                    return await ask(cancellationToken).ConfigureAwait(false); // which says that there is no model
                using var scope = HoneScope.WithEvents(new CallEvents<T>(outer.Events, channel.Writer, read));
                return await ask(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                channel.Writer.Complete();
            }
        }
    }
}
