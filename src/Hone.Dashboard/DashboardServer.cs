using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Hone.Optimizers;

/// <summary>Serves the page, what happens, and what pages ask for. Nothing of the surroundings (variables, files, signals) reaches it.</summary>
internal sealed class DashboardServer : IAsyncDisposable
{
    /// <summary>Streams at once; each holds a connection.</summary>
    internal const int MaxStreams = 64;

    private readonly WebApplication application;
    private readonly IRunSource source;
    private readonly RunControl? control;
    private readonly Guard guard;
    private readonly PageFiles files;
    private readonly EventStream stream;
    private readonly CancellationTokenSource closing = new();
    private int streams;

    private DashboardServer(DashboardOptions options, IRunSource source, RunControl? control)
    {
        (this.source, this.control) = (source, control);
        guard = new(options);
        files = new(options.Title, guard.ActionToken);
        var version = typeof(DashboardServer).Assembly.GetName().Version?.ToString(3) ?? string.Empty;
        stream = new(
            source,
            new(
                Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)), options.Title, version, options.KeptSteps, source.IsLive,
                options.TokenTexts is not null, RunRecorder.FeedCapacity),
            options.Time);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 1024;
            kestrel.Limits.MaxConcurrentConnections = 4 * MaxStreams;
            kestrel.Listen(options.Address, options.Port);
        });

        // Signals belong to the program that trains.
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        application = builder.Build();
        application.Run(AnswerAsync);
    }

    public Uri Address { get; private set; } = null!;

    public static async Task<DashboardServer> StartAsync(
        DashboardOptions options, IRunSource source, RunControl? control, CancellationToken cancellationToken = default)
    {
        var server = new DashboardServer(options, source, control);
        try
        {
            await server.application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or System.Net.Sockets.SocketException)
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        server.Address = server.FindAddress(options);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        source.Feed.Close();

        // Open pages get the last word; whoever does not read it in time is cut off.
        closing.CancelAfter(TimeSpan.FromSeconds(2));
        await application.StopAsync(closing.Token).ConfigureAwait(false);
        await application.DisposeAsync().ConfigureAwait(false);
        closing.Dispose();
    }

    private Uri FindAddress(DashboardOptions options)
    {
        var bound = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        var host = options.Address.Equals(IPAddress.Any) || options.Address.Equals(IPAddress.IPv6Any)
            ? options.HostNames.FirstOrDefault() ?? "localhost"
            : bound.Host;
        return new UriBuilder(Uri.UriSchemeHttp, host, bound.Port) { Query = guard.Token is { } token ? $"token={token}" : string.Empty }.Uri;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Guard.Harden(context.Response);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, closing.Token);
        try
        {
            if (guard.Refuse(context) is var (status, reason))
                await SayAsync(context, status, reason, ended.Token).ConfigureAwait(false);
            else if (HttpMethods.IsPost(context.Request.Method))
                await ActAsync(context, ended.Token).ConfigureAwait(false);
            else
                await ShowAsync(context, ended.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException && ended.IsCancellationRequested)
        {
            // The page is gone, or the server is going: there is nobody to tell.
            context.Abort();
        }
    }

    private Task ActAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Action<RunControl>? action = context.Request.Path.Value switch
        {
            "/api/pause" => run => run.Pause(),
            "/api/continue" => run => run.Continue(),
            "/api/checkpoint" => run => run.RequestCheckpoint(),
            "/api/stop" => run => run.Stop(),
            _ => null,
        };
        if (action is null)
            return SayAsync(context, StatusCodes.Status404NotFound, "There is no such action.", cancellationToken);
        if (control is null)
            return SayAsync(context, StatusCodes.Status409Conflict, "This page shows a run that was kept in a directory: there is nothing to control.", cancellationToken);
        action(control);
        source.Feed.Touch();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private async Task ShowAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var path = context.Request.Path.Value ?? "/";
        if (files.Find(path) is var (type, content))
        {
            context.Response.ContentType = type;
            context.Response.ContentLength = content.Length;
            if (HttpMethods.IsGet(context.Request.Method))
                await context.Response.Body.WriteAsync(content, cancellationToken).ConfigureAwait(false);
            return;
        }

        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        await (parts switch
        {
            ["api", "events"] => StreamAsync(context, cancellationToken),
            ["api", "answers"] => WriteAsync(context, source.Answers(QueryOf(context.Request)), DashboardJson.Default.AnswerPage, cancellationToken),
            ["api", "rollouts"] => WriteAsync(context, new(source.Steps), DashboardJson.Default.StepList, cancellationToken),
            ["api", "rollouts", var step] when Number(step) is { } number => WriteAsync(
                context, await source.RolloutsOfAsync(number, cancellationToken).ConfigureAwait(false), DashboardJson.Default.StepRollouts, cancellationToken),
            ["api", "rollouts", var step, var rollout] when Number(step) is { } number && Number(rollout) is { } position => WriteAsync(
                context, await source.RolloutAsync(number, position, cancellationToken).ConfigureAwait(false), DashboardJson.Default.RolloutView, cancellationToken),
            _ => SayAsync(context, StatusCodes.Status404NotFound, "There is no such page.", cancellationToken),
        }).ConfigureAwait(false);
    }

    private async Task StreamAsync(HttpContext context, CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref streams) > MaxStreams)
                await SayAsync(context, StatusCodes.Status503ServiceUnavailable, "Too many pages are open.", cancellationToken).ConfigureAwait(false);
            else
                await stream.WriteAsync(context, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref streams);
        }
    }

    private static AnswerQuery QueryOf(HttpRequest request) => new(
        request.Query["set"] == "latest",
        (string?)request.Query["change"] switch { "better" => 1, "worse" => -1, _ => 0 },
        Number(request.Query["skip"]) ?? 0);

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static Task WriteAsync<T>(HttpContext context, T? value, JsonTypeInfo<T> json, CancellationToken cancellationToken)
        where T : class
    {
        if (value is null)
            return SayAsync(context, StatusCodes.Status404NotFound, "It is not there, or not any more.", cancellationToken);
        context.Response.ContentType = "application/json; charset=utf-8";
        return JsonSerializer.SerializeAsync(context.Response.Body, value, json, cancellationToken);
    }

    private static Task SayAsync(HttpContext context, int status, string text, CancellationToken cancellationToken)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text + "\n"), cancellationToken).AsTask();
    }

    private sealed class QuietLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
