namespace Hone.Optimizers;

/// <summary>Whose fault an error is: the candidate's, the infrastructure's, or the set-up's.</summary>
internal static class SearchFaults
{
    /// <summary>
    /// True when something that the program needs could not be reached, was overloaded or too slow: nothing is known about the candidate. What an error
    /// of Hone's says of itself counts, not what caused it.
    /// </summary>
    public static bool IsOutage(Exception? error) => error switch
    {
        null => false,
        LMException or RetrievalException => ((HoneException)error).IsRetryable,
        HttpRequestException request => request.StatusCode is not { } status || IsPassing((int)status),
        FileNotFoundException or DirectoryNotFoundException or PathTooLongException => false,
        IOException or TimeoutException => true,
        AggregateException many => many.InnerExceptions.Any(IsOutage),
        _ => IsOutage(error.InnerException),
    };

    /// <summary>True when no run can succeed: wrong credentials, no such model, contradictory settings.</summary>
    public static bool IsFatal(Exception error) => Any(
        error,
        inner => inner is LMAuthException or LMBillingException or LMConfigurationException or LMUnsupportedModelException or LMUnsupportedFeatureException);

    public static BudgetExceededException? Refusal(Exception error)
    {
        BudgetExceededException? found = null;
        Any(error, inner => (found ??= inner as BudgetExceededException) is not null);
        return found;
    }

    // A server that refuses a request of the candidate's own making would refuse it again.
    private static bool IsPassing(int status) => status is 408 or 425 or 429 or >= 500;

    private static bool Any(Exception? error, Func<Exception, bool> matches) => error is not null
        && (matches(error) || (error is AggregateException many ? many.InnerExceptions.Any(inner => Any(inner, matches)) : Any(error.InnerException, matches)));
}
