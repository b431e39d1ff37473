namespace Hone;

/// <summary>More items of a batch failed than its error budget allows. The inner exceptions are the causes; what was finished before is not lost.</summary>
/// <typeparam name="T">What an item gives.</typeparam>
public sealed class BatchStoppedException<T> : AggregateException
{
    internal BatchStoppedException(string message, IReadOnlyList<ItemResult<T>?> results, IEnumerable<Exception> causes) : base(message, causes) =>
        Results = results;

    /// <summary>The outcomes in item order; null for an item that was not begun, or was cancelled.</summary>
    public IReadOnlyList<ItemResult<T>?> Results { get; }
}
