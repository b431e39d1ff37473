using Hone;

namespace ProgramOfThought;

/// <summary>A problem in words.</summary>
public sealed record Problem(string Text);

/// <summary>Its solution.</summary>
public sealed record Solution(double Number);

/// <summary>Problems with their solutions.</summary>
internal static class Problems
{
    public static readonly Example<Problem, Solution>[] All =
    [
        Of("eggs", "A farm packs 12 eggs to a box. How many eggs are in 7 boxes?", 84),
        Of("tiles", "A hall takes 137 tiles to a row. How many tiles are in 246 rows?", 33_702),
        Of("savings", "Ada saves 1200 euros at 3 percent a year, with interest on interest. How many euros does she have after 10 years, to the cent?", 1612.70),
        Of("interest", "Bo saves 950 euros at 4 percent a year, with interest on interest. How many euros does he have after 7 years, to the cent?", 1250.14),
        Of("divisors", "How many of the numbers from 1 to 500 can be divided by 7 or by 11?", 110),
        Of("multiples", "How many of the numbers from 1 to 300 can be divided by 4 or by 6?", 100),
    ];

    /// <summary>Right to the cent.</summary>
    public static Metric<Problem, Solution> Metric { get; } = Hone.Metric.From<Problem, Solution>((example, solution) => Math.Abs(solution.Number - example.Expected.Number) < 0.005);

    private static Example<Problem, Solution> Of(string id, string text, double number) => new(new(text), new(number)) { Id = id };
}
