using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What an adapter renders: a signature with the values of one call.</summary>
/// <param name="Signature">The effective signature, overlay applied.</param>
/// <param name="Inputs">Canonical values by input name.</param>
/// <param name="Demos">Worked examples, in the order given.</param>
public sealed record AdapterRequest(Signature Signature, FieldMap Inputs, ImmutableArray<Demo> Demos);

/// <summary>Renders a request as chat messages and parses the answer back into fields. Pure: holds no client, does no I/O.</summary>
public abstract class Adapter
{
    /// <summary>Name for errors, traces and saved state.</summary>
    public abstract string Name { get; }

    /// <summary>The messages of a call: system, demos, history, current inputs.</summary>
    public abstract IReadOnlyList<ChatMessage> Render(AdapterRequest request);

    /// <summary>The output fields found in a completion, in signature order, coerced to their types.</summary>
    /// <exception cref="AdapterParseException">A field is missing or its value does not fit its type.</exception>
    public abstract FieldMap Parse(Signature signature, string completion);

    /// <summary>The assistant text that a model following this adapter would write for these outputs.</summary>
    public abstract string RenderOutputs(Signature signature, FieldMap outputs);
}
