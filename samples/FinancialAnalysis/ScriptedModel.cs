using System.Globalization;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace FinancialAnalysis;

/// <summary>Plays the model: with tools it calls them; without it rounds to hundreds before it computes, as one does in the head.</summary>
internal static class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        var quarter = request.Input("quarter");
        if (request.FindInput("tools") is null)
            return ScriptedChatClient.ChatText(InTheHead(quarter, request.Input("figures")).With("reasoning", "About so much."));
        return request.ToolResults switch
        {
            [] => ScriptedChatClient.ToolText(
                "Two margins and the growth are wanted.",
                ("margin", FieldMap.Of(("quarter", quarter), ("costs", new[] { "cost_of_sales" }))),
                ("margin", FieldMap.Of(("quarter", quarter), ("costs", new[] { "cost_of_sales", "operating_expenses" }))),
                ("growth", FieldMap.Of(("item", "revenue"), ("quarter", quarter)))),
            [{ IsError: false, Value: var gross }, { Value: var operating }, var growth] => ScriptedChatClient.ToolText("All is computed.", ("submit", Report(gross, operating, growth.IsError ? null : growth.Value))),
            _ => ScriptedChatClient.ToolText("These figures I do not have."),
        };
    });

    private static FieldMap InTheHead(string quarter, string csv)
    {
        var rows = csv.Split('\n').Skip(1).Select(line => line.Split(',')).ToList();
        var index = rows.FindIndex(row => row[0] == quarter);
        var (revenue, cost, expenses) = (Rounded(rows[index][1]), Rounded(rows[index][2]), Rounded(rows[index][3]));
        double? growth = index == 0 ? null : Math.Round(100 * ((revenue / Rounded(rows[index - 1][1])) - 1), 1);
        return Report(Math.Round(100 * (revenue - cost) / revenue, 1), Math.Round(100 * (revenue - cost - expenses) / revenue, 1), growth);
    }

    private static double Rounded(string figure) => Math.Round(double.Parse(figure, CultureInfo.InvariantCulture) / 100) * 100;

    private static FieldMap Report(object? gross, object? operating, object? growth) => FieldMap.Of(
        ("gross_margin", gross), ("operating_margin", operating), ("revenue_growth", growth),
        ("verdict", FormattableString.Invariant($"Of the revenue, {operating} % remain after all costs; gross it is {gross} %.")));
}
