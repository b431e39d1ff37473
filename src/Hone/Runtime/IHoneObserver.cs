namespace Hone;

/// <summary>What kind of work an observed call is.</summary>
public enum CallKind
{
    /// <summary>A run of a program.</summary>
    Program,

    /// <summary>A module inside a program, predictors included.</summary>
    Module,

    /// <summary>Rendering of a request.</summary>
    Render,

    /// <summary>A request to a model.</summary>
    Model,

    /// <summary>Parsing of an answer.</summary>
    Parse,

    /// <summary>An evaluation of a program on a set.</summary>
    Evaluation,

    /// <summary>An optimizer's run.</summary>
    Optimization,

    /// <summary>A call of a tool.</summary>
    Tool,

    /// <summary>A piece of code in an interpreter; named by its language.</summary>
    Code,

    /// <summary>A run of an agent: turns of a model and its tools.</summary>
    Agent,

    /// <summary>A search of a retriever.</summary>
    Retrieval,
}

/// <summary>Work begins.</summary>
/// <param name="Kind">What kind of work.</param>
/// <param name="Id">Shared by the start and the end of one call; unique in the process.</param>
/// <param name="ParentId">The call it happens inside; null at the top.</param>
/// <param name="Name">Path of a predictor, name of a model, type of a module.</param>
/// <param name="Input">What goes in.</param>
public sealed record CallStarted(CallKind Kind, long Id, long? ParentId, string Name, object? Input);

/// <summary>Work has ended, well or not.</summary>
/// <param name="Kind">What kind of work.</param>
/// <param name="Id">Shared by the start and the end of one call.</param>
/// <param name="ParentId">The call it happened inside; null at the top.</param>
/// <param name="Name">As at the start.</param>
/// <param name="Output">What came out; null when it failed.</param>
/// <param name="Error">Why it failed, cancellation included; null when it did not.</param>
/// <param name="Duration">How long it took.</param>
public sealed record CallEnded(CallKind Kind, long Id, long? ParentId, string Name, object? Output, Exception? Error, TimeSpan Duration);

/// <summary>
/// Told of every step of the programs it watches, in order for each flow of calls, possibly from several threads. What it throws is logged and
/// does not disturb the program.
/// </summary>
public interface IHoneObserver
{
    /// <summary>Work begins.</summary>
    void OnStarted(CallStarted call);

    /// <summary>Work has ended. Called for every start, also on errors and cancellation.</summary>
    void OnEnded(CallEnded call);
}
