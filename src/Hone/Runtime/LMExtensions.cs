using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Models for code that speaks to chat clients.</summary>
public static class LMExtensions
{
    /// <summary>
    /// The model with everything around it, for code that speaks to chat clients. Default options are not applied: they are the caller's choice. Inside a program's run
    /// or a scope its calls are part of <see cref="Trace.Direct"/>, and in a search under its budget.
    /// </summary>
    public static IChatClient AsChatClient(this LM model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.DirectBy(static made => new DirectClient(made.Pipeline, made));
    }
}
