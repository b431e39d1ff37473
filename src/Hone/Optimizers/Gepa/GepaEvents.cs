using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>An iteration of GEPA begins.</summary>
/// <param name="Iteration">Its number, from 1.</param>
/// <param name="MetricCalls">Evaluations asked for so far.</param>
/// <param name="Remaining">Evaluations that the budget still allows.</param>
public sealed record GepaIterationStarted(int Iteration, long MetricCalls, long Remaining) : OptimizerEvent;

/// <summary>A parent and a minibatch were chosen.</summary>
/// <param name="Iteration">The iteration.</param>
/// <param name="Parent">The candidate that may be changed.</param>
/// <param name="Examples">Positions of training examples.</param>
public sealed record GepaMinibatchSampled(int Iteration, int Parent, ImmutableArray<int> Examples) : OptimizerEvent;

/// <summary>A parent and a minibatch led to no proposal.</summary>
/// <param name="Iteration">The iteration.</param>
/// <param name="Parent">The candidate that stays as it is.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record GepaTaskSkipped(int Iteration, int Parent, string Reason) : OptimizerEvent;

/// <summary>Records were made for a text that is to be changed.</summary>
/// <param name="Iteration">The iteration.</param>
/// <param name="Parent">The candidate that is changed.</param>
/// <param name="Data">The records.</param>
public sealed record GepaRecordsBuilt(int Iteration, int Parent, ReflectionData Data) : OptimizerEvent;

/// <summary>Two candidates are joined.</summary>
/// <param name="Iteration">The iteration.</param>
/// <param name="First">One of them.</param>
/// <param name="Second">The other.</param>
/// <param name="Ancestor">What both descend from.</param>
public sealed record GepaMergeAttempted(int Iteration, int First, int Second, int Ancestor) : OptimizerEvent;
