using System.ComponentModel;
using Hone;

namespace CodeGeneration;

/// <summary>A function of the library that the task needs.</summary>
public sealed record ApiNote([property: Description("How it is called, e.g. tally.note")] string Name, [property: Description("What it does, and in which units")] string Purpose);

/// <summary>The pieces that were written, each with how it failed.</summary>
public sealed record Work(bool Passes, IReadOnlyList<(string? Code, string? Failure)> Attempts);

/// <summary>Reads the documentation for a task, writes code, runs it against the tests in a session of its own, and writes anew what failed.</summary>
internal sealed partial class Developer(ICodeInterpreter interpreter, int maxAttempts) : Module<Job, Work>
{
    [Predict("Note what the task needs of the library.", Output = "notes")]
    private partial Task<IReadOnlyList<ApiNote>> Read(string wanted, IReadOnlyList<string> documentation, CancellationToken cancellationToken);

    [return: CodeLanguage("javascript")]
    [ChainOfThought("Write JavaScript for the task with the library, which is loaded already. The failure is that of the previous code, if there was one.", Output = "code")]
    private partial Task<Code> Write(string wanted, IReadOnlyList<ApiNote> notes, string? previous, string? failure, CancellationToken cancellationToken);

    protected override async Task<Work> ForwardAsync(Job input, CancellationToken cancellationToken)
    {
        var notes = await Read(input.Wanted, Tally.Documentation, cancellationToken);
        var attempts = new List<(string? Code, string? Failure)>();
        do
        {
            var last = attempts.LastOrDefault();
            var code = await Write(input.Wanted, notes, last.Code, last.Failure, cancellationToken);
            attempts.Add((code, await TestAsync(code, input.Tests, cancellationToken)));
        }
        while (attempts[^1].Failure is not null && attempts.Count < maxAttempts);
        return new(attempts[^1].Failure is null, attempts);
    }

    private async Task<string?> TestAsync(string code, IReadOnlyList<string> tests, CancellationToken cancellationToken)
    {
        try
        {
            var failed = (await interpreter.ExecuteAsync($"{Tally.Source}\n{code}\n[{string.Join(", ", tests)}].indexOf(false)", cancellationToken: cancellationToken)).Value;
            return failed is long and >= 0 and var index ? $"This is not true: {tests[(int)index]}" : null;
        }
        catch (CodeException error)
        {
            return $"{error.ErrorType}: {error.Description}";
        }
    }
}
