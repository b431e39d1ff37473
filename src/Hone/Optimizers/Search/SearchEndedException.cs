namespace Hone.Optimizers;

/// <summary>Ends a search from inside; the best so far is returned.</summary>
internal sealed class SearchEndedException(StopReason reason, string message, Exception? innerException = null) : HoneException(message, innerException)
{
    public StopReason Reason { get; } = reason;
}
