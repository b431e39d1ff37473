using System.ComponentModel;
using Microsoft.Extensions.AI;

namespace TextGame;

/// <summary>What the player is to do.</summary>
public sealed record Quest(string Goal);

/// <summary>What the player tells at the end.</summary>
public sealed record Tale(string Story);

/// <summary>The game: five rooms, three things, one treasure. Without chance, so the same moves give the same tale.</summary>
internal sealed class Adventure
{
    public const int MaxScore = 50;

    private readonly Dictionary<string, Dictionary<string, string>> exits = new()
    {
        ["hall"] = new() { ["north"] = "library", ["east"] = "kitchen" },
        ["library"] = new() { ["south"] = "hall" },
        ["kitchen"] = new() { ["west"] = "hall", ["down"] = "cellar" },
        ["cellar"] = new() { ["up"] = "kitchen", ["east"] = "vault" },
        ["vault"] = new() { ["west"] = "cellar" },
    };

    private readonly Dictionary<string, string> things = new() { ["lamp"] = "library", ["key"] = "cellar", ["rope"] = "hall", ["treasure"] = "vault" };
    private readonly HashSet<string> seen = ["hall"];
    private bool isLit, isOpen;
    private string room = "hall";

    public int Moves { get; private set; }

    public bool IsWon => things["treasure"] == "you";

    /// <summary>Five for each room and each thing used, twenty for the treasure.</summary>
    public int Score => (5 * (seen.Count - 1)) + (isLit ? 5 : 0) + (isOpen ? 5 : 0) + (IsWon ? 20 : 0);

    public AIFunction[] Tools() => [AIFunctionFactory.Create(Look, "look"), AIFunctionFactory.Create(Go, "go"), AIFunctionFactory.Create(Take, "take"), AIFunctionFactory.Create(Use, "use")];

    [Description("Tells where you are, what is here, and where you can go.")]
    private string Look() => room == "cellar" && !isLit
        ? "You are in the cellar. It is too dark to see. Exits: up."
        : $"You are in the {room}. Here: {List(things.Where(thing => thing.Value == room).Select(thing => thing.Key))}. Exits: {List(exits[room].Keys)}.";

    [Description("Goes through an exit.")]
    private string Go(string direction)
    {
        Moves++;
        if (!exits[room].TryGetValue(direction, out var next) || (room == "cellar" && !isLit && direction != "up"))
            return $"You cannot go {direction}. {Look()}";
        if (next == "vault" && !isOpen)
            return "The door is locked.";
        seen.Add(room = next);
        return Look();
    }

    [Description("Takes a thing that is here.")]
    private string Take(string thing)
    {
        Moves++;
        if (things.GetValueOrDefault(thing) != room || (room == "cellar" && !isLit))
            return $"There is no {thing} here.";
        things[thing] = "you";
        return $"You have the {thing}.";
    }

    [Description("Uses a thing that you have.")]
    private string Use(string thing)
    {
        Moves++;
        if (things.GetValueOrDefault(thing) != "you")
            return $"You have no {thing}.";
        if (room == "cellar" && thing == "lamp")
            isLit = true;
        else if (room == "cellar" && thing == "key" && isLit)
            isOpen = true;
        else
            return "Nothing happens.";
        return isOpen ? "The door to the east is open." : $"There is light. {Look()}";
    }

    private static string List(IEnumerable<string> names) => string.Join(", ", names) is { Length: > 0 } list ? list : "nothing";
}
