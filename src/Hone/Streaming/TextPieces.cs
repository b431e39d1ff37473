using System.Text;

namespace Hone;

/// <summary>
/// The text of one output field as a reader sees it who cannot take anything back. While nothing was told, an answer may still be asked for again;
/// after that, an answer that does not hold ends the call.
/// </summary>
internal sealed class TextPieces(string field)
{
    private readonly StringBuilder told = new();
    private bool isTakenBack;

    /// <summary>The next piece; null when the event brings none.</summary>
    /// <exception cref="AdapterParseException">The answer of which pieces were told cannot be read.</exception>
    /// <exception cref="HoneException">The whole answer reads otherwise than its pieces.</exception>
    public string? Read(RunEvent happened) => happened switch
    {
        FieldReset reset when reset.Field == field => TakeBack(),
        FieldDelta delta when delta.Field == field => Next(isTakenBack ? Rest(delta) : delta.Text),
        CallCompleted { Record.Failure: { } failure } when told.Length > 0 => throw failure,
        _ => null,
    };

    private string? TakeBack()
    {
        isTakenBack = true;
        return null;
    }

    private string? Next(string text)
    {
        told.Append(text);
        return text.Length == 0 ? null : text;
    }

    // The field as it was read in the end: it holds when it goes on from what was told.
    private string Rest(FieldDelta whole)
    {
        isTakenBack = false;
        var before = told.ToString();
        return whole.Text.StartsWith(before, StringComparison.Ordinal) ? whole.Text[before.Length..] : throw new HoneException(
            $"Predictor '{whole.Path}': the answer as a whole reads otherwise than the pieces of '{field}' that were told before it was complete, which "
            + "cannot be taken back. Return Task<string> to get the whole only, or read the program's StreamAsync, where FieldReset says so.");
    }
}
