using System.CommandLine;
using System.Globalization;
using Hone;
using Microsoft.Extensions.AI;

namespace SampleCommon;

/// <summary>What a small sample has when it runs.</summary>
/// <param name="Model">The model of --model, or the script.</param>
/// <param name="IsScripted">No model was given.</param>
/// <param name="Arguments">Values of the sample's own options.</param>
/// <param name="CancellationToken">Ends with Ctrl-C.</param>
public sealed record SampleRun(LM Model, bool IsScripted, ParseResult Arguments, CancellationToken CancellationToken);

/// <summary>The frame of the small samples: options, the model, errors, Ctrl-C.</summary>
/// <param name="description">One sentence for --help.</param>
/// <param name="script">Plays the model when none is given.</param>
/// <param name="options">Options besides --model.</param>
public sealed class SampleApp(string description, Func<IChatClient> script, params Option[] options)
{
    private readonly Option<string?> model = new("--model")
    {
        Description = "A model of an OpenAI-compatible server, e.g. http://localhost:8000/v1#qwen3; without it a script answers. The key is read from OPENAI_API_KEY.",
    };

    /// <summary>An option that is a whole number.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it says, for --help.</param>
    /// <param name="usual">The number without it.</param>
    /// <param name="least">The smallest that makes sense.</param>
    public static Option<int> Number(string name, string description, int usual, int least = 1)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var given) && given < least)
                result.AddError($"{name} is at least {least.ToString(CultureInfo.InvariantCulture)}, not {token.Value}.");
        });
        return option;
    }

    /// <summary>Runs the sample; the exit code is 1 after an error, whose message is on standard error.</summary>
    public async Task<int> RunAsync(string[] args, Func<SampleRun, Task> bodyAsync)
    {
        var command = new RootCommand(description) { model };
        foreach (var option in options)
            command.Add(option);
        command.SetAction((arguments, token) => RunAsync(arguments, bodyAsync, token));
        return await command.Parse(args).InvokeAsync();
    }

    private async Task<int> RunAsync(ParseResult arguments, Func<SampleRun, Task> bodyAsync, CancellationToken token)
    {
        try
        {
            var server = ServerModel.Parse("--model", arguments.GetValue(model));
            await bodyAsync(new(server ?? new LM(script(), "script"), server is null, arguments, token));
            return 0;
        }
        catch (Exception error) when (error is HoneException or IOException or UnauthorizedAccessException or AggregateException { InnerException: HoneException })
        {
            // An evaluation that was stopped holds what its examples failed with.
            Console.Error.WriteLine($"error: {(error is AggregateException ? error.InnerException! : error).Message}");
            return 1;
        }
    }
}
