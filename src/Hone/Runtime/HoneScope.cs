using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// What surrounds a call: model, adapter, state overlay, trace, seed. The only ambient value in Hone; it flows with async calls and is
/// opened by a program, an optimizer or <see cref="Use(LM)"/>.
/// </summary>
public sealed class HoneScope : IDisposable
{
    private static readonly AsyncLocal<HoneScope?> Ambient = new();

    private readonly HoneScope? outer;

    private HoneScope(HoneScope? outer) => this.outer = outer;

    /// <summary>The innermost open scope, or null.</summary>
    public static HoneScope? Current => Ambient.Value;

    /// <summary>The model that predictors call.</summary>
    public LM? Model { get; private init; }

    /// <summary>Renders prompts and parses answers.</summary>
    public Adapter Adapter { get; private init; } = ChatAdapter.Default;

    /// <summary>State laid over the predictors' signatures.</summary>
    public ProgramState State { get; private init; } = ProgramState.Default;

    /// <summary>Options over the model's, under the predictors'.</summary>
    public CallOptions? Options { get; private init; }

    /// <summary>Seed of the run; each call derives its own. Null sends no seed.</summary>
    public long? Seed { get; private init; }

    internal IReadOnlyDictionary<string, LM>? Models { get; private init; }

    internal IReadOnlyDictionary<object, string>? Paths { get; private init; }

    internal TraceRecorder? Recorder { get; private init; }

    internal TimeProvider Time { get; private init; } = TimeProvider.System;

    /// <summary>Until disposed, predictors outside a program call this client.</summary>
    public static HoneScope Use(IChatClient client) => Use(new LM(client));

    /// <summary>Until disposed, predictors outside a program call this model.</summary>
    public static HoneScope Use(LM model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var outer = Current;
        return Enter(new(outer) { Model = model, Adapter = outer?.Adapter ?? ChatAdapter.Default, Recorder = outer?.Recorder });
    }

    /// <summary>Restores the surrounding scope.</summary>
    public void Dispose()
    {
        if (ReferenceEquals(Ambient.Value, this))
            Ambient.Value = outer;
    }

    internal static HoneScope Open(ScopeSettings settings) => Enter(new(Current)
    {
        Model = settings.Model,
        Models = settings.Models,
        Adapter = settings.Adapter,
        State = settings.State,
        Options = settings.Options,
        Seed = settings.Seed,
        Paths = settings.Paths,
        Recorder = settings.Recorder,
        Time = settings.Time,
    });

    private static HoneScope Enter(HoneScope scope)
    {
        Ambient.Value = scope;
        return scope;
    }
}

/// <summary>The parts of a program's scope.</summary>
internal sealed record ScopeSettings(
    LM? Model,
    IReadOnlyDictionary<string, LM> Models,
    Adapter Adapter,
    ProgramState State,
    CallOptions? Options,
    long? Seed,
    IReadOnlyDictionary<object, string> Paths,
    TraceRecorder Recorder,
    TimeProvider Time);
