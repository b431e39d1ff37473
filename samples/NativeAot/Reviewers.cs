using Hone;

namespace NativeAot;

/// <summary>A text to review, and what to look for.</summary>
public sealed record Draft(string Text, IReadOnlyList<string> Topics);

/// <summary>A remark on a passage.</summary>
public sealed record Remark(string Passage, string Advice);

/// <summary>All remarks; a record within a record, which nobody but the program itself can keep for a predictor made by hand.</summary>
public sealed record Review(IReadOnlyList<Remark> Remarks);

/// <summary>A base class whose private predictor must be found as well.</summary>
public abstract class Panel : Module<Draft, int>
{
    private readonly Predict<Draft, Review> _chair = new("Say what to change.");

    /// <summary>The chair's remarks.</summary>
    protected Task<Review> AskChairAsync(Draft draft, CancellationToken cancellationToken) => _chair.CallAsync(draft, cancellationToken);
}

/// <summary>Predictors made by hand in fields, lists and dictionaries, found by reflection.</summary>
public sealed class Reviewers : Panel
{
    private readonly Predict[] _readers = [Predict.Parse("text -> verdict: Literal['good', 'bad']"), Predict.Parse("text -> length: int")];

    private readonly Dictionary<string, Module<Draft, Review>> _experts = new() { ["law"] = new ChainOfThought<Draft, Review>("Look for legal trouble.") };

    /// <inheritdoc/>
    protected override async Task<int> ForwardAsync(Draft input, CancellationToken cancellationToken)
    {
        var verdict = await _readers[0].CallAsync(FieldMap.Of(("text", input.Text)), cancellationToken);
        return (string)verdict["verdict"]! == "good" ? 0
            : (await AskChairAsync(input, cancellationToken)).Remarks.Count + (await _experts["law"].CallAsync(input, cancellationToken)).Remarks.Count;
    }
}
