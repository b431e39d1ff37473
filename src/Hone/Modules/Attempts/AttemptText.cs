using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// What the advisor of <see cref="Refine{TIn,TOut}"/> is shown of an attempt: every value, but none at a length that would crowd out the others. Media are
/// named, conversations counted; tools are left out.
/// </summary>
internal static class AttemptText
{
    private const int MostOfValue = 2_000;

    /// <summary>The beginning and the end of a text.</summary>
    public static string Cut(string text) => RlmText.Ends(text, MostOfValue, null);

    /// <summary>A value as text; what has none of its own is only named.</summary>
    public static string Of(object? value)
    {
        try
        {
            return (value is FieldMap or History ? value : ClrValues.ToCanonical(value)) switch
            {
                FieldMap map => OfFields(map),
                string text => Cut(text),
                Media media => media.ToString(),
                History history => Counted(history.Turns.Length),
                var canonical => Cut(ValueFormatter.Format(canonical, FieldType.Any)),
            };
        }
        catch (HoneException)
        {
            return $"({value!.GetType().Name})";
        }
    }

    /// <summary>Fields as an object in JSON.</summary>
    /// <param name="fields">The values.</param>
    /// <param name="signature">Whose they are; null where nobody knows. In a trace a conversation is a list of turns like any other.</param>
    public static string OfFields(FieldMap fields, Signature? signature = null)
    {
        var text = new StringBuilder("{");
        foreach (var (name, value) in fields)
        {
            if (value is AITool or ImmutableArray<object?> and [AITool, ..])
                continue;
            if (text.Length > 1)
                text.Append(", ");
            JsonText.WriteString(text, name);
            text.Append(": ");
            if (value is ImmutableArray<object?> turns && signature?.Find(name)?.Type.Kind == FieldTypeKind.History)
                text.Append(Counted(turns.Length));
            else
                Append(text, value);
        }

        return text.Append('}').ToString();
    }

    private static void Append(StringBuilder text, object? value)
    {
        if (value is string plain)
        {
            JsonText.WriteString(text, Cut(plain));
            return;
        }

        if (value is History history)
        {
            text.Append(Counted(history.Turns.Length));
            return;
        }

        var json = new StringBuilder();
        JsonText.Write(json, value, static special => special is Media media ? media.ToString() : $"({special.GetType().Name})");
        text.Append(Cut(json.ToString()));
    }

    private static string Counted(int turns) => string.Create(CultureInfo.InvariantCulture, $"(a conversation of {turns} turns)");
}
