using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>How <see cref="Rlm"/> works.</summary>
public sealed record RlmOptions
{
    /// <summary>How many pieces of code the model may write before the outputs are drawn from what there is.</summary>
    /// <value>20 by default; at least 1.</value>
    public int MaxSteps
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxSteps)); field = value; }
    } = 20;

    /// <summary>
    /// How many times the code of one run may call a model: each prompt of <c>llm_query</c> and <c>llm_query_batched</c> counts as one, and so does each step
    /// of a query that is a run itself. They are taken before the calls are made, so that calls side by side cannot exceed them. A request that is repeated,
    /// after an error of the provider or an answer that could not be read, is not counted again; an <see cref="LM.Budget"/> counts those, too.
    /// </summary>
    /// <value>50 by default.</value>
    public int MaxModelCalls
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxModelCalls)); field = value; }
    } = 50;

    /// <summary>How many prompts of one batch are asked at once. Results and trace do not depend on it.</summary>
    /// <value>8 by default; at least 1.</value>
    public int MaxParallelCalls
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxParallelCalls)); field = value; }
    } = 8;

    /// <summary>
    /// How many characters of what a step gave the model is shown: the beginning and the end. <see cref="RlmStep.Output"/> has what
    /// <see cref="CodeLimits.MaxOutputLength"/> lets through.
    /// </summary>
    /// <value>10,000 by default; at least 100.</value>
    public int MaxOutputLength
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 100, nameof(MaxOutputLength)); field = value; }
    } = 10_000;

    /// <summary>How many characters of an input the model is shown: the beginning and the end.</summary>
    /// <value>1,000 by default; 0 shows types and lengths alone.</value>
    public int PreviewLength
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(PreviewLength)); field = value; }
    } = 1000;

    /// <summary>
    /// How deep runs may stand in each other: 1 lets code ask a model (<c>llm_query</c>); from 2 on it can also start a run on a part of its data
    /// (<c>rlm_query</c>), whose code can do the same one level less.
    /// </summary>
    /// <value>1 by default; at most 8.</value>
    public int MaxDepth
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxDepth));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 8, nameof(MaxDepth));
            field = value;
        }
    } = 1;

    /// <summary>
    /// The model that code asks, and that runs inside the run are taken with; null takes the one in scope. In a program it is a named model, called by the path of the
    /// first predictor that it answers (<c>llm_query</c> where the module stands by itself), which the state names for these predictors: trainers train it, files hold its
    /// weights, and <see cref="Program{TIn,TOut}.WithNamedModel"/> replaces it. A model that the state names otherwise comes before it. Beside a program's model that is
    /// to be trained, leave it null when both should stay one set of weights.
    /// </summary>
    public LM? SubModel { get; init; }

    /// <summary>What each piece of code may use up. The calls of models come on top of <see cref="CodeLimits.MaxToolCalls"/>.</summary>
    public CodeLimits Limits { get; init; } = new();

    /// <summary>How long a tool may take.</summary>
    /// <value>None by default; more than zero.</value>
    public TimeSpan? ToolTimeout
    {
        get;
        init
        {
            if (value is { } limit)
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(ToolTimeout));
            field = value;
        }
    }

    /// <summary>
    /// Asked before each call of a tool that needs approval (<see cref="ApprovalRequiredAIFunction"/>); false tells the code that it may not. Required when
    /// there is such a tool.
    /// </summary>
    public Func<ToolCall, CancellationToken, ValueTask<bool>>? ApproveAsync { get; init; }

    /// <summary>Services for tools that ask for some.</summary>
    public IServiceProvider? Services { get; init; }
}
