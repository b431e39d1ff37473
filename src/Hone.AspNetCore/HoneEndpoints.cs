using System.Diagnostics.CodeAnalysis;
using Hone;
using Hone.AspNetCore;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Programs as endpoints of a web service.</summary>
public static class HoneEndpoints
{
    /// <summary>
    /// Serves a program. POST takes the inputs as a JSON object and answers with <c>{"value": …, "usage": …}</c>; a request that accepts
    /// <c>text/event-stream</c> is told what happens while it happens, as server-sent events. GET answers with the JSON schemas of inputs and outputs. A client that goes
    /// away stops the run and its requests. Errors are problem details: 400 for inputs that do not fit, 429 for a spent budget, 503 with Retry-After
    /// where trying again may help, 502 for other failures of a model.
    /// </summary>
    /// <typeparam name="TIn">A record whose properties are the inputs, or <see cref="FieldMap"/> for a program of one predictor.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="endpoints">The routes.</param>
    /// <param name="pattern">The route, e.g. <c>/triage</c>.</param>
    /// <param name="program">The program; null takes the one that <c>AddProgram</c> has registered.</param>
    /// <param name="options">Settings of each run.</param>
    public static IEndpointConventionBuilder MapHoneProgram<
        [DynamicallyAccessedMembers(TypeSupport.Members)] TIn, [DynamicallyAccessedMembers(TypeSupport.Members)] TOut>(
        this IEndpointRouteBuilder endpoints, string pattern, Program<TIn, TOut>? program = null, RunOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var endpoint = new ProgramEndpoint<TIn, TOut>(program ?? endpoints.ServiceProvider.GetRequiredService<Program<TIn, TOut>>(), options);
        return endpoints.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Post], endpoint.InvokeAsync);
    }

    /// <summary>
    /// Serves a program as a model of the OpenAI chat protocol, so that any chat client can talk to it. Streaming requests get the answer in one piece. Options of the
    /// request, e.g. its temperature, are the program's affair and ignored.
    /// </summary>
    /// <typeparam name="TIn">What goes in.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="endpoints">The routes.</param>
    /// <param name="pattern">The route, e.g. <c>/v1/chat/completions</c>.</param>
    /// <param name="name">The model's name in answers.</param>
    /// <param name="input">The input of a conversation; system messages included.</param>
    /// <param name="text">The answer's text of an output.</param>
    /// <param name="program">The program; null takes the one that <c>AddProgram</c> has registered.</param>
    /// <param name="options">Settings of each run.</param>
    public static IEndpointConventionBuilder MapHoneChat<TIn, TOut>(
        this IEndpointRouteBuilder endpoints,
        string pattern,
        string name,
        Func<IReadOnlyList<ChatMessage>, TIn> input,
        Func<TOut, string> text,
        Program<TIn, TOut>? program = null,
        RunOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(text);
        var served = program ?? endpoints.ServiceProvider.GetRequiredService<Program<TIn, TOut>>();
        var endpoint = new ChatEndpoint(name, messages =>
        {
            var read = input(messages);
            return async cancellationToken =>
            {
                var run = await served.RunAsync(read, options, cancellationToken).ConfigureAwait(false);
                return (text(run.Value), run.Usage);
            };
        });
        return endpoints.MapPost(pattern, endpoint.InvokeAsync);
    }

    /// <summary>As the other overload, for a program from text to text: its input is the last message of the user.</summary>
    /// <param name="endpoints">The routes.</param>
    /// <param name="pattern">The route, e.g. <c>/v1/chat/completions</c>.</param>
    /// <param name="name">The model's name in answers.</param>
    /// <param name="program">The program; null takes the one that <c>AddProgram</c> has registered.</param>
    /// <param name="options">Settings of each run.</param>
    public static IEndpointConventionBuilder MapHoneChat(
        this IEndpointRouteBuilder endpoints, string pattern, string name, Program<string, string>? program = null, RunOptions? options = null) =>
        endpoints.MapHoneChat(pattern, name, LastOfUser, static answer => answer, program, options);

    private static string LastOfUser(IReadOnlyList<ChatMessage> messages) => messages.LastOrDefault(message => message.Role == ChatRole.User)?.Text
        ?? throw new HoneException("The conversation has no message of the user.");
}
