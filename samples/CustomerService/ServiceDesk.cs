using System.ComponentModel;
using Hone;
using Microsoft.Extensions.AI;

namespace CustomerService;

/// <summary>What a customer writes.</summary>
public sealed record Inquiry(string Request);

/// <summary>What the agent did about it.</summary>
public sealed record Outcome([property: Description("What was done, not what was tried")] Resolution Resolution, [property: Description("One or two sentences for the customer")] string Message);

/// <summary>The agent, with what it may do.</summary>
internal static class ServiceDesk
{
    /// <summary>The agent of one request; refunds above <paramref name="limit"/> are not approved.</summary>
    public static ReAct<Inquiry, Outcome> Agent(Airline airline, decimal limit) => new(
        "Serve the customer of an airline. What you may not do becomes a ticket for a colleague.",
        [
            AIFunctionFactory.Create(airline.Find, "look_up_booking", "Gives a booking by its number."),
            AIFunctionFactory.Create(airline.Change, "change_flight", "Moves a booking to another flight to the same city."),
            new ApprovalRequiredAIFunction(AIFunctionFactory.Create(airline.Refund, "refund", "Cancels a booking and pays its price back.")),
            AIFunctionFactory.Create(airline.OpenTicket, "open_ticket", "Asks a colleague to help; gives the ticket's name."),
        ],
        new() { MaxSteps = 6, ApproveAsync = (call, _) => ValueTask.FromResult(airline.PriceOf($"{call.Arguments["number"]}") <= limit) });
}
