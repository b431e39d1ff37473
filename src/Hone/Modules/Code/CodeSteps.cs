using System.Globalization;
using System.Text;

namespace Hone;

/// <summary>
/// The steps of an agent by code, as its requests show them. Where they are too long, the older ones are left out, then the middle of what the last one gave.
/// </summary>
internal sealed class CodeSteps
{
    private const int LeastShown = 500;

    private readonly List<(string Code, string Given)> steps = [];
    private int shownFrom;
    private int mostShown = int.MaxValue;

    public int Count => steps.Count;

    public void Add(string code, string given) => steps.Add((code, given));

    /// <summary>Shows less from now on. False when nothing is left that could be left out.</summary>
    public bool ShowLess()
    {
        var shown = steps.Count - shownFrom;
        if (shown > 1)
        {
            shownFrom += shown / 2;
            return true;
        }

        if (shown == 0)
            return false;
        var longest = Math.Min(steps[^1].Given.Length, mostShown);
        if (longest <= LeastShown)
            return false;
        mostShown = Math.Max(longest / 2, LeastShown);
        return true;
    }

    /// <summary>The steps as text; empty when there are none.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        if (shownFrom > 0)
            text.Append(CultureInfo.InvariantCulture, $"[Steps 1 to {shownFrom} are left out. Their variables are there.]\n\n");
        for (var i = shownFrom; i < steps.Count; i++)
        {
            var (code, given) = steps[i];
            text.Append(i > shownFrom ? "\n\n" : string.Empty);
            text.Append(CultureInfo.InvariantCulture, $"Step {i + 1}, code:\n{code}\nStep {i + 1}, output:\n{RlmText.Ends(given, mostShown, null)}");
        }

        return text.ToString();
    }
}
