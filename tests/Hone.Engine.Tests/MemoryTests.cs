namespace Hone.Engine.Tests;

/// <summary>Tests that measure the memory of the whole process run by themselves: others would show in their figures.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MemoryTests
{
    public const string Name = "Memory";
}
