using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace CustomerService;

/// <summary>Plays the model: reads numbers and a few words of the request, and decides by what the tools gave last.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        var text = request.Input("request");
        var number = BookingNumber().Match(text).Value;
        return (request.ToolResults.LastOrDefault(), text) switch
        {
            (null, _) when number == "" => Submit("Answered", "Please tell me the number of your booking."),
            (null, _) => Call($"Who is {number}?", "look_up_booking", ("number", number)),
            ({ Name: "look_up_booking", IsError: true }, _) => Submit("Answered", $"I find no booking {number}. Please check the number."),
            ({ Name: "look_up_booking" }, _) when text.Contains("refund", StringComparison.OrdinalIgnoreCase) => Call("The customer wants the money back.", "refund", ("number", number)),
            ({ Name: "look_up_booking" }, _) when FlightName().Match(text) is { Success: true } flight => Call("I move the booking.", "change_flight", ("number", number), ("flight", flight.Value)),
            ({ Value: FieldMap booking, Name: "look_up_booking" }, _) => Submit("Answered", $"You fly on {booking["flight"]}."),
            ({ Name: "change_flight", IsError: true, Value: string reason }, _) when FlightName().Matches(reason) is [_, .., var other] => Call("That one does not work; there is another.", "change_flight", ("number", number), ("flight", other.Value)),
            ({ Name: "change_flight", Value: FieldMap booking }, _) => Submit("Changed", $"You fly on {booking["flight"]} now."),
            ({ Name: "refund", IsError: false }, _) => Submit("Refunded", $"We have cancelled {number}. The money is on its way."),
            ({ Name: "open_ticket", Value: var ticket }, _) => Submit("Ticketed", $"A colleague takes care of it: ticket {ticket}."),
            _ => Call("I may not do that myself.", "open_ticket", ("about", text)),
        };
    });

    private static string Call(string thought, string tool, params (string, object?)[] arguments) => ScriptedChatClient.ToolText(thought, (tool, FieldMap.Of(arguments)));
    private static string Submit(string resolution, string message) => Call("I can answer.", "submit", ("resolution", resolution), ("message", message));

    [GeneratedRegex(@"\b[A-Z]{2}\d{2}\b")]
    private static partial Regex BookingNumber();

    [GeneratedRegex(@"\bHN\d{3}\b")]
    private static partial Regex FlightName();
}
