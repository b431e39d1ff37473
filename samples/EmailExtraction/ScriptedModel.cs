using System.Globalization;
using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace EmailExtraction;

/// <summary>Plays the model: reads by patterns. It writes a currency as the e-mail does and calls what is urgent a 9, until it is told that this does not do.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        var (body, isAskedAgain) = (request.Input("body"), request.LastText.Contains("could not be read", StringComparison.Ordinal));
        var sent = DateOnly.Parse(request.Input("sent"), CultureInfo.InvariantCulture);
        var dates = Dates().Matches(body).Select(match => match.Value);
        var amounts = Amounts().Matches(body).Select(match => FieldMap.Of(
            ("amount", decimal.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)), ("currency", isAskedAgain ? match.Groups[2].Value[..3].ToUpperInvariant() : match.Groups[2].Value)));
        return ScriptedChatClient.ChatText(FieldMap.Of(
            ("sender", request.Input("from").Split(" <")[0]),
            ("intent", Has("invoice") ? "invoice" : Has("meet") ? "meeting" : Has("complain") ? "complaint" : "question"),
            ("dates", (Has("tomorrow") ? dates.Append($"{sent.AddDays(1):yyyy-MM-dd}") : dates).ToArray()),
            ("amounts", amounts.ToArray()),
            ("action_items", Wishes().Matches(body).Select(match => match.Groups[1].Value).ToArray()),
            ("priority", Has("hurry") ? 2 : !Has("urgent") ? 3 : isAskedAgain ? 5 : 9)));

        bool Has(string word) => body.Contains(word, StringComparison.OrdinalIgnoreCase);
    });

    [GeneratedRegex(@"\d{4}-\d\d-\d\d")]
    private static partial Regex Dates();

    [GeneratedRegex(@"(\d+(?:\.\d+)?) (EUR|euros|USD|GBP)")]
    private static partial Regex Amounts();

    [GeneratedRegex(@"Please ([^.]+)\.")]
    private static partial Regex Wishes();
}
