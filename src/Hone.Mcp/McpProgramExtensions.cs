using System.Diagnostics.CodeAnalysis;
using Hone.Mcp;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Server;

namespace Hone;

/// <summary>Offers programs as tools of a server of the Model Context Protocol.</summary>
public static class McpProgramExtensions
{
    /// <summary>
    /// The program as a tool of a server: its arguments are the program's inputs, its result the outputs, as structured content and as text. What goes
    /// wrong in Hone is told to the client in a sentence; other errors are not.
    /// </summary>
    /// <typeparam name="TIn">A record whose properties are the inputs, or <see cref="FieldMap"/> for a program of one predictor.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="program">The program.</param>
    /// <param name="name">The name of the tool; letters, digits, <c>_</c> and <c>-</c>.</param>
    /// <param name="description">What it does and when to use it; null takes the instructions of a program that is one predictor.</param>
    /// <param name="options">Settings of each run.</param>
    /// <exception cref="HoneException">The inputs are field maps, and the program is more than one predictor: nothing says what they hold.</exception>
    public static McpServerTool AsMcpTool<
        [DynamicallyAccessedMembers(TypeSupport.Members)] TIn, [DynamicallyAccessedMembers(TypeSupport.Members)] TOut>(
        this Program<TIn, TOut> program, string name, string? description = null, RunOptions? options = null)
    {
        var tool = program.AsTool(name, description, options);
        return McpServerTool.Create(new SpeakingTool(tool), new() { UseStructuredContent = tool.ReturnJsonSchema is not null });
    }

    /// <summary>Adds a program to the server's tools.</summary>
    /// <typeparam name="TIn">A record whose properties are the inputs, or <see cref="FieldMap"/> for a program of one predictor.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="server">The server.</param>
    /// <param name="program">The program.</param>
    /// <param name="name">The name of the tool; letters, digits, <c>_</c> and <c>-</c>.</param>
    /// <param name="description">What it does and when to use it; null takes the instructions of a program that is one predictor.</param>
    /// <param name="options">Settings of each run.</param>
    public static IMcpServerBuilder WithProgram<
        [DynamicallyAccessedMembers(TypeSupport.Members)] TIn, [DynamicallyAccessedMembers(TypeSupport.Members)] TOut>(
        this IMcpServerBuilder server, Program<TIn, TOut> program, string name, string? description = null, RunOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        server.Services.AddSingleton(program.AsMcpTool(name, description, options));
        return server;
    }

    /// <summary>Adds the program that <c>AddProgram</c> has registered to the server's tools.</summary>
    /// <typeparam name="TIn">A record whose properties are the inputs, or <see cref="FieldMap"/> for a program of one predictor.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="server">The server.</param>
    /// <param name="name">The name of the tool; letters, digits, <c>_</c> and <c>-</c>.</param>
    /// <param name="description">What it does and when to use it; null takes the instructions of a program that is one predictor.</param>
    /// <param name="options">Settings of each run.</param>
    public static IMcpServerBuilder WithProgram<
        [DynamicallyAccessedMembers(TypeSupport.Members)] TIn, [DynamicallyAccessedMembers(TypeSupport.Members)] TOut>(
        this IMcpServerBuilder server, string name, string? description = null, RunOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        server.Services.AddSingleton(services => services.GetRequiredService<Program<TIn, TOut>>().AsMcpTool(name, description, options));
        return server;
    }
}
