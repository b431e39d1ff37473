using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>An iteration of GEPA begins.</summary>
/// <param name="Iteration">Its number, from 1.</param>
/// <param name="MetricCalls">Evaluations asked for so far.</param>
/// <param name="Remaining">Evaluations that the budget still allows.</param>
public sealed record GepaIterationStarted(int Iteration, long MetricCalls, long Remaining) : OptimizerEvent;

/// <summary>An iteration of GEPA has ended.</summary>
/// <param name="Iteration">Its number, from 1.</param>
/// <param name="Candidates">Candidates by now, the program as it came included.</param>
/// <param name="Best">The best of them.</param>
public sealed record GepaIterationFinished(int Iteration, int Candidates, int Best) : OptimizerEvent;

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

/// <summary>An accepted change was dropped before it was scored on the whole validation set: see <see cref="GepaOptions.ValidationSlice"/>.</summary>
/// <param name="Iteration">The iteration.</param>
/// <param name="Origin">Where the change comes from.</param>
/// <param name="Examples">Validation examples that it was scored on.</param>
/// <param name="Score">Its mean on them.</param>
/// <param name="Best">The mean of the best candidate on them.</param>
public sealed record GepaCandidateDropped(int Iteration, string Origin, int Examples, double Score, double Best) : OptimizerEvent;

/// <summary>Two candidates are joined.</summary>
/// <param name="Iteration">The iteration.</param>
/// <param name="First">One of them.</param>
/// <param name="Second">The other.</param>
/// <param name="Ancestor">What both descend from.</param>
public sealed record GepaMergeAttempted(int Iteration, int First, int Second, int Ancestor) : OptimizerEvent;
