using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>A step or a program: code without state. Sub-modules are found through <see cref="GetChildren"/>.</summary>
[DynamicallyAccessedMembers(ModuleReflector.Members)]
public abstract class Module
{
    private protected Module()
    {
    }

    /// <summary>
    /// The sub-modules with their names, in declaration order. The source generator overrides this in partial modules; otherwise fields,
    /// lists and dictionaries of modules are found by reflection.
    /// </summary>
    protected internal virtual IEnumerable<KeyValuePair<string, Module>> GetChildren() => ModuleReflector.GetChildren(this);

    /// <summary>The model that the module brings with it for one of its children; null where it leaves that to its surroundings.</summary>
    internal virtual LM? ModelOf(string child) => null;

    // A predictor is known by its path, any other module by its type.
    private protected string NameIn(HoneScope? scope) => PathIn(scope) is { } path && this is IPredictorModule ? path : GetType().Name;

    /// <summary>What observers are told that a call of the module is.</summary>
    private protected virtual CallKind Kind => CallKind.Module;

    /// <summary>The module's path in the running program; null where it has none of its own.</summary>
    private protected virtual string? PathIn(HoneScope? scope) =>
        this is IPredictorModule single ? scope?.Bindings?.GetValueOrDefault(single.Predictor)?.Path : null;

    /// <summary>Runs the module's work so that observers and spans tell of it.</summary>
    private protected Task<T> ObserveAsync<T>(object? input, Func<Task<T>> work)
    {
        var scope = HoneScope.Current;
        return Observation.RunAsync(Kind, NameIn(scope), input, work, PathIn(scope));
    }
}

/// <summary>A step from an input to an output. Write <see cref="ForwardAsync"/> in plain C#; keep no per-run state in fields.</summary>
public abstract class Module<TIn, TOut> : Module
{
    /// <summary>Runs the module inside the current scope.</summary>
    /// <exception cref="HoneException">No model is in scope.</exception>
    public Task<TOut> CallAsync(TIn input, CancellationToken cancellationToken = default) => Observation.IsOn(HoneScope.Current)
        ? ObservedAsync(input, cancellationToken)
        : ForwardAsync(input, cancellationToken);

    /// <summary>What the module does.</summary>
    protected abstract Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken);

    private Task<TOut> ObservedAsync(TIn input, CancellationToken cancellationToken) =>
        ObserveAsync(input, () => ForwardAsync(input, cancellationToken));
}
