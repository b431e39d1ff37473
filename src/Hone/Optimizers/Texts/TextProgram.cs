using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>
/// Makes programs of code that is not written with Hone: an agent, a pipeline, a bare chat client. Its texts (system prompts, templates, tool
/// descriptions) become instructions that optimizers rewrite; what it does with them stays its own affair.
/// </summary>
public static class TextProgram
{
    /// <summary>A program of any function with named texts.</summary>
    /// <param name="texts">The texts as they are now, by name; a name may be any identifier, e.g. <c>system_prompt</c>.</param>
    /// <param name="run">The function: input, the texts to use, cancellation.</param>
    /// <remarks>
    /// Calls that the function makes by itself are not counted by budgets; those of Hone programs inside it are. Optimizers that add demos refuse such a
    /// program: there is nothing that would show them.
    /// </remarks>
    /// <exception cref="HoneException">There are no texts, or a name is empty.</exception>
    public static Program<TIn, TOut> From<TIn, TOut>(
        IReadOnlyDictionary<string, string> texts, Func<TIn, IReadOnlyDictionary<string, string>, CancellationToken, Task<TOut>> run)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(run);
        if (texts.Count == 0 || texts.Keys.Any(string.IsNullOrWhiteSpace))
            throw new HoneException("A program of texts needs at least one text, each with a name.");
        return new(new TextModule<TIn, TOut>(texts, run));
    }

    /// <summary>A program of a chat client and its system prompt, which optimizers rewrite under the name <c>system_prompt</c>.</summary>
    /// <param name="client">The client.</param>
    /// <param name="systemPrompt">The prompt as it is now.</param>
    /// <param name="options">Options of every call.</param>
    public static Program<string, string> FromClient(IChatClient client, string systemPrompt, ChatOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(systemPrompt);
        return new(new ClientModule(systemPrompt, options), new LM(client));
    }

    /// <summary>The part of a run that belongs to a text, told to the trace: what went in, what came out.</summary>
    internal static void Record(TextPart part, string input, string? output, Exception? error, LM? model, ChatResponse? response)
    {
        if (HoneScope.Current is not { Recorder: { } recorder } scope)
            return;
        var signature = part.Effective(scope);
        var path = scope.Bindings?.GetValueOrDefault(part.Predictor)?.Path ?? ModuleTree.Self;
        var (place, ordinal) = recorder.Begin(path);
        recorder.Record(place, new()
        {
            Path = path,
            Ordinal = ordinal,
            Signature = signature,
            Inputs = FieldMap.Of((TextPart.Input, input)),
            Messages = [new(ChatRole.System, signature.Instructions), new(ChatRole.User, input)],
            Model = model?.Name ?? "foreign",
            Role = model?.Role ?? "foreign",
            Text = output ?? string.Empty,
            Outputs = output is null ? null : FieldMap.Of((TextPart.Output, output)),
            Failure = error is null ? null : new("text", signature, string.Empty, ParseFailureKind.Structural, FieldMap.Empty, error.Message, error),
            FinishReason = response?.FinishReason,
            IsCacheHit = response is not null && ResponseFacts.IsCacheHit(response),
            Usage = response is null || model is null ? default : ResponseFacts.UsageOf(response, model),
        });
    }
}

/// <summary>A text of foreign code, at the place of a predictor: its instructions are the text.</summary>
internal sealed class TextPart(string text) : Module, IPredictorModule
{
    public const string Input = "input";
    public const string Output = "output";

    public Predictor Predictor { get; } = new(new Signature(
        [new SignatureField(Input, FieldType.String, FieldDirection.Input), new SignatureField(Output, FieldType.String, FieldDirection.Output)], text, "Text"));

    /// <summary>The signature with the text in effect.</summary>
    public Signature Effective(HoneScope? scope) => scope?.Bindings?.GetValueOrDefault(Predictor)?.Signature ?? Predictor.Signature;

    /// <param name="program">The program.</param>
    /// <param name="optimizer">Who would add demos.</param>
    /// <param name="instead">What to do.</param>
    /// <exception cref="HoneException">The program has a text of foreign code.</exception>
    public static void RefuseDemos<TIn, TOut>(
        Program<TIn, TOut> program, string optimizer, string instead = "Use an optimizer that rewrites instructions, e.g. Gepa or Copro.")
    {
        if (program.Module is ITextModule)
            throw new HoneException($"{optimizer} adds demos, and the program is foreign code that shows none. {instead}");
    }

    /// <exception cref="HoneException">The program has a text of foreign code.</exception>
    public static void RefuseTuning<TIn, TOut>(Program<TIn, TOut> program, string optimizer)
    {
        if (program.Module is ITextModule)
            throw new HoneException($"{optimizer} tunes models on what predictors were sent, and the program is foreign code that sends its own prompts.");
    }
}

/// <summary>A module of foreign code.</summary>
internal interface ITextModule;

/// <summary>A function with texts as a module.</summary>
internal sealed class TextModule<TIn, TOut>(
    IReadOnlyDictionary<string, string> texts, Func<TIn, IReadOnlyDictionary<string, string>, CancellationToken, Task<TOut>> run) : Module<TIn, TOut>, ITextModule
{
    private readonly ImmutableArray<KeyValuePair<string, TextPart>> parts =
        [.. texts.OrderBy(text => text.Key, StringComparer.Ordinal).Select(text => KeyValuePair.Create(text.Key, new TextPart(text.Value)))];

    protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() =>
        parts.Select(part => KeyValuePair.Create(part.Key, (Module)part.Value));

    protected override async Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken)
    {
        var scope = HoneScope.Current;
        var effective = parts.ToImmutableDictionary(part => part.Key, part => part.Value.Effective(scope).Instructions);
        try
        {
            var output = await run(input, effective, cancellationToken).ConfigureAwait(false);
            Tell(input, ValueText.Of(output), null);
            return output;
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Tell(input, null, error);
            throw;
        }
    }

    private void Tell(TIn input, string? output, Exception? error)
    {
        foreach (var (_, part) in parts)
            TextProgram.Record(part, ValueText.Of(input), output, error, model: null, response: null);
    }
}

/// <summary>A chat client with a system prompt as a module. Its calls are under the run's budget, cache and retries like any other.</summary>
internal sealed class ClientModule(string systemPrompt, ChatOptions? options) : Module<string, string>, ITextModule
{
    private readonly TextPart prompt = new(systemPrompt);

    protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [new("system_prompt", prompt)];

    protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
    {
        var scope = HoneScope.Current;
        var model = scope?.Model ?? throw new HoneException("There is no model in scope. Run the program that TextProgram.FromClient gave.");
        ChatMessage[] messages = [new(ChatRole.System, prompt.Effective(scope).Instructions), new(ChatRole.User, input)];
        var asked = HoneChatOptions.CopyOf(options);
        asked.Role = model.Role;
        asked.Path ??= "system_prompt";
        if (scope.Options is { } over)
            (asked.Temperature, asked.SampleId) = (over.Temperature ?? asked.Temperature, over.SampleId ?? asked.SampleId);
        var response = await ModelCall.SendAsync(scope, model, messages, asked, stream: null, cancellationToken).ConfigureAwait(false);
        var text = ModelCall.AssistantText(response);
        TextProgram.Record(prompt, input, text, error: null, model, response);
        return text;
    }
}
