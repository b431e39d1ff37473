using Hone;
using SampleCommon;
using TextGame;

var steps = SampleApp.Number("--steps", "How many turns the player has.", 30);

var app = new SampleApp("A little adventure that an agent plays.", ScriptedModel.Create, steps);
return await app.RunAsync(args, async run =>
{
    var game = new Adventure();
    using var scope = HoneScope.Use(run.Model);
    var player = new ReAct<Quest, Tale>(
        "You play a text adventure. Explore, take what you find, and use it where it fits.", game.Tools(), new() { MaxSteps = run.Arguments.GetValue(steps), MaxParallelTools = 1 });
    var result = await player.RunAsync(new("Find the treasure of the old house."), cancellationToken: run.CancellationToken);
    Console.WriteLine($"{string.Join('\n', Transcript.Lines(result.Steps))}\n\n{result.Reason} after {result.Steps.Length} turns: {result.Output?.Story}");

    // What the player tells is a tale; the score is the game's.
    Console.WriteLine($"{game.Score} of {Adventure.MaxScore} points in {game.Moves} moves{(game.IsWon ? ", and the treasure" : "")}");
});
