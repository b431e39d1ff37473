using System.ComponentModel;
using Hone;
using Microsoft.Extensions.AI;

namespace ReActAgent;

/// <summary>What the traveller wants.</summary>
public sealed record Wish(string Request, [property: Description("Most euros that may be spent")] double Budget);

/// <summary>What the agent arranged.</summary>
public sealed record Trip(string Train, double Price, [property: Description("One sentence for the traveller")] string Message);

/// <summary>A train of the timetable.</summary>
public sealed record Train(string Name, string From, string To, string Departs, double Price);

/// <summary>A timetable, three tools on it, and the agent that uses them.</summary>
internal static class TravelDesk
{
    private static readonly Train[] Timetable =
    [
        new("Morning Express", "Berlin", "Prague", "07:10", 79),
        new("Elbe Valley", "Berlin", "Prague", "09:35", 44),
        new("Night Owl", "Berlin", "Prague", "22:50", 29),
        new("Vltava", "Prague", "Berlin", "10:05", 39),
    ];

    /// <summary>The agent; <paramref name="approveAsync"/> is asked before a train is booked.</summary>
    public static ReAct<Wish, Trip> Agent(Func<ToolCall, CancellationToken, ValueTask<bool>> approveAsync) => new(
        "Arrange the train journey that the traveller asks for, within the budget.",
        [
            AIFunctionFactory.Create(FindTrains, "find_trains"),
            AIFunctionFactory.Create(Seats, "seats"),
            new ApprovalRequiredAIFunction(AIFunctionFactory.Create(Book, "book")),
        ],
        new() { MaxSteps = 8, ToolTimeout = TimeSpan.FromSeconds(10), ApproveAsync = approveAsync });

    [Description("Lists the trains from one city to another.")]
    private static Train[] FindTrains(string from, string to) => [.. Timetable.Where(train => train.From == from && train.To == to)];

    [Description("Tells how many seats a train has left.")]
    private static int Seats([Description("Name of the train")] string train) => Find(train).Departs == "09:35" ? 0 : 12;

    [Description("Books a seat. Costs money.")]
    private static string Book(string train) => $"Booked: {Find(train).Name}, seat 4A.";

    private static Train Find(string name) =>
        Timetable.FirstOrDefault(train => train.Name == name) ?? throw new ArgumentException($"There is no train called '{name}'.");
}
