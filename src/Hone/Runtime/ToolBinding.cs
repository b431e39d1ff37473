using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What a program knows of one of its tools.</summary>
/// <param name="Path">The dotted path: that of the module that holds the tool, and the tool's own name.</param>
/// <param name="Function">The tool with the state's texts laid over it.</param>
internal sealed record ToolBinding(string Path, AIFunction Function);
