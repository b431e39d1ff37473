using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A module that offers tools to a model. Their texts are state of the program.</summary>
internal interface IToolModule
{
    /// <summary>The tools as they say of themselves, in declaration order.</summary>
    ImmutableArray<AIFunction> Tools { get; }

    /// <summary>Names that no tool may take.</summary>
    ImmutableArray<string> ReservedToolNames { get; }
}
