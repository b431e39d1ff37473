namespace Hone.Engine;

/// <summary>Sizes of one worker.</summary>
/// <param name="Sequences">Requests that run at the same time.</param>
/// <param name="PrefillRows">Prompt tokens computed in one step beside one token of every running request.</param>
/// <param name="MaxContext">Longest prompt plus completion.</param>
/// <param name="CacheBytes">Memory for keys and values of finished requests.</param>
internal sealed record GenerationLimits(int Sequences, int PrefillRows, int MaxContext, long CacheBytes);
