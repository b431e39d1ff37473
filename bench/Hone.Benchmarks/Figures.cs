namespace Hone.Benchmarks;

/// <summary>Named figures of a run, printed as they come in.</summary>
internal sealed class Figures
{
    public SortedDictionary<string, double> Values { get; } = new(StringComparer.Ordinal);

    public void Add(string name, double value, string note = "")
    {
        Values[name] = Math.Round(value, 3);
        Console.WriteLine($"{name,-40} {value,14:N2}  {note}");
    }
}
