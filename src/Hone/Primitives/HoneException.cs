namespace Hone;

/// <summary>Base of every error that Hone raises on purpose. The message says what was wrong, what was expected and what to do.</summary>
public class HoneException : Exception
{
    /// <summary>Creates the error.</summary>
    public HoneException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }

    /// <summary>True when the same call may succeed if it is simply made again (a rate limit, a time-out, an unparsable sample).</summary>
    public virtual bool IsRetryable => false;
}
