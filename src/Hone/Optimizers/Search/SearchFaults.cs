namespace Hone.Optimizers;

/// <summary>Whose fault an error is: the candidate's, the infrastructure's, or the set-up's.</summary>
internal static class SearchFaults
{
    /// <summary>True when a model could not be reached or was overloaded: nothing is known about the candidate.</summary>
    public static bool IsOutage(Exception error) => Any(error, inner => inner is LMException { IsRetryable: true });

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

    private static bool Any(Exception? error, Func<Exception, bool> matches) => error is not null
        && (matches(error) || (error is AggregateException many ? many.InnerExceptions.Any(inner => Any(inner, matches)) : Any(error.InnerException, matches)));
}
