using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What an adapter renders: a signature with the values of one call.</summary>
/// <param name="Signature">The effective signature, overlay applied.</param>
/// <param name="Inputs">Canonical values by input name.</param>
/// <param name="Demos">Worked examples, in the order given.</param>
public sealed record AdapterRequest(Signature Signature, FieldMap Inputs, ImmutableArray<Demo> Demos)
{
    /// <summary>True when tools go to the model as tools: then earlier turns show their calls and results as messages of that kind.</summary>
    public bool UsesNativeTools { get; init; }

    /// <summary>How an agent wants its tools offered; null leaves it to the adapter.</summary>
    internal ToolUse? ToolUse { get; init; }
}

/// <summary>How an agent wants its tools offered to the model.</summary>
/// <param name="IsNative">True gives them as tools wherever the model knows tools, whatever the adapter prefers; false leaves it to the adapter.</param>
/// <param name="Mode">Which tool the model must call; null leaves it free.</param>
/// <param name="Note">What the model is told in this turn alone.</param>
internal sealed record ToolUse(bool IsNative, ChatToolMode? Mode = null, string? Note = null);

/// <summary>Renders a request as chat messages and parses the answer back into fields. Pure: calls no model, does no I/O.</summary>
/// <remarks>
/// An adapter of your own overrides the four abstract members and is one small file; derive from <see cref="PromptAdapter"/> to get demos,
/// conversations, media and tools for free. Everything else has a default. <see cref="ReadOutputs"/>, <see cref="FormatOutput"/> and
/// <see cref="HintFor"/> do for it what they do for Hone's own.
/// </remarks>
public abstract class Adapter
{
    /// <summary>Name for errors, traces and saved state.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// True to give tools to the model as tools, and to read its calls as calls, when the signature has a <see cref="ToolCalls"/> output and the
    /// model knows tools. False writes both as text.
    /// </summary>
    public bool UseNativeTools { get; init; }

    /// <summary>True to let a reasoning model's own thoughts fill a <see cref="Reasoning"/> output, and its citations a <see cref="Citations"/> one.</summary>
    /// <value>True by default.</value>
    public bool UseNativeTypes { get; init; } = true;

    /// <summary>
    /// True to mend the structure of an answer without asking again: markers in markup, JSON that is not quite JSON or stands in prose. False takes the
    /// structure literally. Single values are always read tolerantly: <c>**42**</c> is 42.
    /// </summary>
    /// <value>True by default.</value>
    public bool RepairsLocally { get; init; } = true;

    /// <summary>The messages of a call: system, demos, history, current inputs.</summary>
    public abstract IReadOnlyList<ChatMessage> Render(AdapterRequest request);

    /// <summary>The output fields found in a completion, in signature order, coerced to their types.</summary>
    /// <exception cref="AdapterParseException">A field is missing or its value does not fit its type.</exception>
    public abstract FieldMap Parse(Signature signature, string completion);

    /// <summary>The assistant text that a model following this adapter would write for these outputs.</summary>
    public abstract string RenderOutputs(Signature signature, FieldMap outputs);

    /// <summary>The response format to ask the provider for; null for none.</summary>
    /// <param name="signature">What is asked for.</param>
    /// <param name="capabilities">What the model can do.</param>
    public virtual ChatResponseFormat? ResponseFormatFor(Signature signature, ModelCapabilities capabilities) => null;

    /// <summary>A reader of fields out of a completion that is still arriving; null when fields can only be read from the whole.</summary>
    public virtual FieldStreamReader? ReadStream(Signature signature) => null;

    /// <summary>
    /// A second call that reads the outputs out of a first answer in prose; null when <see cref="Parse"/> reads them. See
    /// <see cref="TwoStepAdapter"/>.
    /// </summary>
    public virtual AdapterFollowUp? FollowUpFor(Signature signature, string completion) => null;

    /// <summary>What is said to the model when its answer could not be read: what was wrong, and what to answer instead.</summary>
    public virtual string RenderCorrection(Signature signature, AdapterParseException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return $"Your answer could not be read: {failure.Reason} Answer again, completely and in the required format.";
    }

    /// <summary>
    /// The outputs of the raw texts that an adapter of your own has cut out of an answer: converted to their types, checked against their bounds;
    /// an output without text takes its default, or null where it may be null.
    /// </summary>
    /// <param name="signature">What was asked for.</param>
    /// <param name="completion">The whole answer, kept in errors.</param>
    /// <param name="texts">Raw texts by output name; other names are ignored.</param>
    /// <exception cref="AdapterParseException">An output is missing or its text does not fit its type.</exception>
    protected FieldMap ReadOutputs(Signature signature, string completion, IReadOnlyDictionary<string, string> texts)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(completion);
        ArgumentNullException.ThrowIfNull(texts);
        var raw = new (bool Found, object? Value)[signature.Outputs.Length];
        for (var i = 0; i < raw.Length; i++)
            raw[i] = texts.TryGetValue(signature.Outputs[i].Name, out var text) ? (true, text) : (false, null);
        return OutputReader.Read(Name, signature, completion, raw);
    }

    /// <summary>The value of an output as text; what is absent, or null where the type has no null, is marked as not supplied.</summary>
    protected static string FormatOutput(SignatureField field, FieldMap outputs)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(outputs);
        return outputs.TryGetValue(field.Name, out var value) && (value is not null || field.Type.AdmitsNull)
            ? ValueFormatter.Format(value, field.Type)
            : DemoRenderer.NotSupplied;
    }

    /// <summary>What the model should know of the form of an output's value, as in <c>must be a single integer</c>; null for plain text.</summary>
    protected static string? HintFor(SignatureField field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return TypeHints.For(field.Type);
    }

    /// <summary>True when the schemas of <see cref="ResponseFormatFor"/> are made for providers that keep to them strictly.</summary>
    internal virtual bool AsksStrictly => false;

    /// <summary>As <see cref="Parse"/>, saying also whether the answer had to be mended.</summary>
    internal virtual ParsedAnswer Read(Signature signature, string completion) => new(Parse(signature, completion), IsRepaired: false);
}

/// <summary>A call that follows an answer and reads the outputs out of it.</summary>
/// <param name="Model">The model to ask; null for the one that gave the answer.</param>
/// <param name="Adapter">How to ask.</param>
/// <param name="Request">What to ask; the outputs are those of the original signature.</param>
public sealed record AdapterFollowUp(LM? Model, Adapter Adapter, AdapterRequest Request);

/// <summary>The outputs of a completion.</summary>
internal readonly record struct ParsedAnswer(FieldMap Outputs, bool IsRepaired);
