using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// Fields that the provider fills by a feature of its own instead of text: tool calls, a reasoning model's thoughts, citations. They are left out
/// of what is rendered and parsed, and read from the response.
/// </summary>
internal sealed class NativeFeatures
{
    // Adapters keep what they render of a signature: one that is made anew for every request would be rendered anew.
    private static readonly ConditionalWeakTable<Signature, ConcurrentDictionary<LeftOut, Signature>> Signatures = new();

    private readonly SignatureField? toolCalls;
    private readonly SignatureField? reasoning;
    private readonly SignatureField? citations;
    private readonly IList<AITool> tools;
    private readonly bool mayRunInParallel;
    private readonly ChatToolMode? mode;

    private NativeFeatures(
        AdapterRequest request, SignatureField? toolCalls, SignatureField? toolInput, SignatureField? reasoning, SignatureField? citations, bool isParallel)
    {
        (this.toolCalls, this.reasoning, this.citations, mayRunInParallel) = (toolCalls, reasoning, citations, isParallel);
        mode = request.ToolUse?.Mode;
        tools = toolInput is null ? [] : ToolsOf(request.Inputs[toolInput.Name]);
        var declared = request.Signature;
        var left = new LeftOut(toolCalls?.Name, toolInput?.Name, reasoning?.Name, citations?.Name);
        Rendered = Signatures.GetValue(declared, static _ => new()).GetOrAdd(left, Render, declared);
    }

    /// <summary>The signature without the native fields.</summary>
    public Signature Rendered { get; }

    /// <summary>True when tools are given to the model as tools.</summary>
    public bool UsesTools => toolCalls is not null;

    /// <summary>What the model does natively for this request; null when everything is text.</summary>
    public static NativeFeatures? Find(Adapter adapter, AdapterRequest request, ModelCapabilities capabilities, CallOptions options)
    {
        SignatureField? toolCalls = null, reasoning = null, citations = null;
        foreach (var output in request.Signature.Outputs)
        {
            switch (KindOf(output))
            {
                case FieldTypeKind.ToolCalls when (adapter.UseNativeTools || request.ToolUse is { IsNative: true }) && capabilities.NativeTools:
                    toolCalls = output;
                    break;
                case FieldTypeKind.Reasoning when TakesThoughts(adapter, capabilities, options):
                    reasoning = output;
                    break;
                case FieldTypeKind.Citations when adapter.UseNativeTypes && capabilities.Citations:
                    citations = output;
                    break;
                default:
                    break;
            }
        }

        if (toolCalls is null && reasoning is null && citations is null)
            return null;
        var toolInput = toolCalls is null ? null : ToolInputOf(request, toolCalls);
        return new(request, toolCalls, toolInput, reasoning, citations, capabilities.ParallelTools);
    }

    /// <summary>True when the model will think over a call: an effort is chosen, or an output is taken from its thoughts.</summary>
    public static bool MakesThink(Adapter adapter, Signature signature, ModelCapabilities capabilities, CallOptions options) =>
        options.ReasoningEffort is not (null or ReasoningEffort.None)
        || (TakesThoughts(adapter, capabilities, options) && signature.Outputs.Any(output => KindOf(output) == FieldTypeKind.Reasoning));

    public void Configure(ChatOptions options)
    {
        if (tools.Count > 0)
        {
            options.Tools = tools;
            options.AllowMultipleToolCalls ??= mayRunInParallel ? null : false;
            options.ToolMode = mode ?? options.ToolMode;
        }

        // A model that must call a tool does not think first: providers refuse both at once.
        if (mode is not null)
            options.Reasoning = null;
        else if (reasoning is not null)
            AskForThoughts(options.Reasoning ??= new());
    }

    public ParsedAnswer Read(Adapter adapter, Signature declared, ChatResponse response, string text)
    {
        var calls = toolCalls is null ? ToolCalls.Empty : CallsIn(response);
        if (Rendered.Outputs.IsEmpty && calls.Calls.IsEmpty && (string.IsNullOrWhiteSpace(text) || response.FinishReason == ChatFinishReason.Length))
        {
            throw new AdapterParseException(
                adapter.Name, declared, text, ParseFailureKind.Empty, FieldMap.Empty, "the answer holds neither text nor tool calls.");
        }

        var answer = ReadText(adapter, response, text, !calls.Calls.IsEmpty);
        return answer with { Outputs = Complete(declared, response, answer.Outputs) };
    }

    /// <summary>The outputs that were read, and those that the provider filled.</summary>
    public FieldMap Complete(Signature declared, ChatResponse response, FieldMap read) => FieldMap.Create(declared.Outputs.Select(field =>
        KeyValuePair.Create(field.Name, ValueOf(field, read, response, toolCalls is null ? ToolCalls.Empty : CallsIn(response)))));

    /// <summary>True when the model asked for tools, so that what it says beside is a courtesy.</summary>
    public bool HasCalls(ChatResponse response) => toolCalls is not null && !CallsIn(response).Calls.IsEmpty;

    private static void AskForThoughts(ReasoningOptions options)
    {
        options.Effort ??= ReasoningEffort.Low;
        options.Output ??= ReasoningOutput.Full;
    }

    // A field alone is no reason to make a model think that was given a temperature at which it cannot.
    private static bool TakesThoughts(Adapter adapter, ModelCapabilities capabilities, CallOptions options) =>
        adapter.UseNativeTypes && capabilities is { Reasoning: true, ReasoningText: true }
        && options.ReasoningEffort is not ReasoningEffort.None && options.ReasoningOutput is not ReasoningOutput.None
        && (options.ReasoningEffort is not null || capabilities.ReasoningTemperature || !ModelCapabilities.IsOtherThanOne(options.Temperature));

    private static FieldTypeKind KindOf(SignatureField field) => TypeHints.Bare(field.Type).Kind;

    // Text beside tool calls is a courtesy: what cannot be read of it is simply not there.
    private ParsedAnswer ReadText(Adapter adapter, ChatResponse response, string text, bool hasCalls)
    {
        if (Rendered.Outputs.IsEmpty)
            return new(FieldMap.Empty, IsRepaired: false);
        if (!hasCalls)
            return adapter.Read(Rendered, text);
        if (string.IsNullOrWhiteSpace(text))
            return new(FieldMap.Empty, IsRepaired: false);
        try
        {
            return adapter.Read(Rendered, text);
        }
        catch (AdapterParseException failure) when (response.FinishReason != ChatFinishReason.Length)
        {
            return new(failure.Parsed, IsRepaired: true);
        }
    }

    private object? ValueOf(SignatureField field, FieldMap parsed, ChatResponse response, ToolCalls calls) =>
        field == toolCalls ? ToolValues.Of(calls)
        : field == reasoning ? Thoughts(response) ?? (field.Type.AdmitsNull ? null : string.Empty)
        : field == citations ? CitationReader.Read(response)
        : parsed.TryGetValue(field.Name, out var value) ? value
        : field.Default;

    private static Signature Render(LeftOut left, Signature declared)
    {
        var fields = declared.Fields.Where(field => !left.Has(field.Name)).ToList();
        return new(fields, InstructionsFor(declared, fields, left.ToolCalls is not null), declared.Name);
    }

    // Instructions that only list the fields are made anew: the model is not told of fields that it does not see.
    private static string InstructionsFor(Signature declared, List<SignatureField> fields, bool usesTools)
    {
        if (declared.Instructions != new Signature(declared.Fields).Instructions)
            return declared.Instructions;
        if (!usesTools)
            return new Signature(fields).Instructions;
        return fields.Exists(field => field.Direction == FieldDirection.Output)
            ? $"{new Signature(fields).Instructions} Call tools where they help."
            : "Call the tools that the task needs.";
    }

    private static SignatureField ToolInputOf(AdapterRequest request, SignatureField toolCalls) =>
        request.Signature.Inputs.FirstOrDefault(input => IsTools(input.Type) && request.Inputs.ContainsKey(input.Name))
            ?? throw new HoneException(
                $"Signature '{request.Signature.Shape}' has the output '{toolCalls.Name}' of tool calls but no input with tools. "
                + "Add one: 'tools: list[Tool]', or IReadOnlyList<AITool> Tools on the input record.");

    private static bool IsTools(FieldType declared) =>
        TypeHints.Bare(declared) is var type && (type.Kind == FieldTypeKind.Tool || (type.Kind == FieldTypeKind.List && type.Arguments[0].Kind == FieldTypeKind.Tool));

    private static IList<AITool> ToolsOf(object? value) => value switch
    {
        AITool tool => [tool],
        IEnumerable<object?> list => [.. list.OfType<AITool>()],
        _ => [],
    };

    private static ToolCalls CallsIn(ChatResponse response) =>
        ToolValues.FromContents(response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>());

    private static string? Thoughts(ChatResponse response)
    {
        var thoughts = response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>().Select(content => content.Text).ToArray();
        return thoughts.Length == 0 ? null : string.Concat(thoughts);
    }

    /// <summary>Names of the fields that are not part of the text.</summary>
    private readonly record struct LeftOut(string? ToolCalls, string? ToolInput, string? Reasoning, string? Citations)
    {
        public bool Has(string name) => name == ToolCalls || name == ToolInput || name == Reasoning || name == Citations;
    }
}
