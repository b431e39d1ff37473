namespace Hone.Conformance;

/// <summary>Runs suites and prints one line for each, failures below it, and each difference once.</summary>
internal static class Runner
{
    public static int Run(CommandLine options, TextWriter output)
    {
        var suites = SuiteList.All.Where(suite => options.Only is null || suite.Name == options.Only).ToList();
        if (suites.Count == 0)
        {
            output.WriteLine($"There is no suite '{options.Only}'. Suites: {string.Join(", ", SuiteList.All.Select(suite => suite.Name))}.");
            return 1;
        }

        var hasFailed = false;
        foreach (var suite in suites)
            hasFailed |= Report(suite, options.Vectors, output);
        return hasFailed ? 1 : 0;
    }

    private static bool Report(IVectorSuite suite, string vectors, TextWriter output)
    {
        List<CaseResult> results;
        try
        {
            results = [.. suite.Run(vectors)];
        }
        catch (Exception exception) when (exception is IOException or System.Text.Json.JsonException or KeyNotFoundException or InvalidOperationException)
        {
            output.WriteLine($"{suite.Name}: 0 passed, 1 failed, 0 differ");
            output.WriteLine($"  cannot run: {exception.Message}");
            return true;
        }

        int Count(Outcome outcome) => results.Count(result => result.Outcome == outcome);

        var notYet = Count(Outcome.NotYet);
        if (notYet == results.Count)
        {
            output.WriteLine($"{suite.Name}: not yet");
            return false;
        }

        output.WriteLine(
            $"{suite.Name}: {Count(Outcome.Passed)} passed, {Count(Outcome.Failed)} failed, {Count(Outcome.Differs)} differ{(notYet > 0 ? $", {notYet} not yet" : string.Empty)}");
        foreach (var failure in results.Where(result => result.Outcome == Outcome.Failed))
            output.WriteLine($"  {failure.Id}: {Shorten(failure.Detail)}");
        foreach (var rule in results.Where(result => result.Rule is not null).GroupBy(result => result.Rule!))
            output.WriteLine($"  differs {rule.Count()} x {rule.Key.Code}: {rule.Key.Reason}");
        return Count(Outcome.Failed) > 0;
    }

    private static string Shorten(string detail)
    {
        var line = detail.ReplaceLineEndings(" ");
        return line.Length <= 300 ? line : line[..297] + "...";
    }
}
