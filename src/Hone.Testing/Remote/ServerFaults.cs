namespace Hone.Testing;

/// <summary>What can be made to go wrong in a fake training server.</summary>
public enum ServerFaultKind
{
    /// <summary>The answer is <c>null</c> with status 200; nothing is done.</summary>
    NullBody,

    /// <summary>The answer is an error 500; nothing is done.</summary>
    ServerError,

    /// <summary>The answer is an error 503; nothing is done.</summary>
    Unavailable,

    /// <summary>No answer ever comes; nothing is done.</summary>
    Hang,

    /// <summary>What was asked is done, but the connection breaks in the middle of the answer.</summary>
    CutBody,

    /// <summary>The result is "not ready yet" (408), however ready it is. Only where results are asked for.</summary>
    TryAgain,
}

/// <summary>Something that is to go wrong.</summary>
/// <param name="Kind">What.</param>
/// <param name="Operation">Last part of the path that it happens to, e.g. <c>optim_step</c>.</param>
/// <param name="Times">How often.</param>
public sealed record ServerFault(ServerFaultKind Kind, string Operation, int Times = 1);

/// <summary>A request that a fake training server has seen.</summary>
/// <param name="Operation">Last part of the path.</param>
/// <param name="Path">The path.</param>
/// <param name="Body">The body as it was sent.</param>
/// <param name="Headers">The headers.</param>
public sealed record ServerRequest(string Operation, string Path, string Body, IReadOnlyDictionary<string, string> Headers);

/// <summary>A request's refusal.</summary>
internal sealed class RefusalException(int status, string body) : Exception
{
    public LoopbackReply Reply => new(status, body);
}

/// <summary>The faults of a server, the requests it has seen, and its one lock: a fake does one thing at a time.</summary>
internal sealed class FaultyServer : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly List<ServerRequest> requests = [];
    private readonly List<(ServerFaultKind Kind, string Operation)> faults = [];
    private readonly Func<string, LoopbackRequest, string> handle;
    private readonly LoopbackServer server;

    /// <param name="handle">Does an operation; returns the answer or throws a refusal. Never runs twice at once.</param>
    public FaultyServer(Func<string, LoopbackRequest, string> handle)
    {
        this.handle = handle;
        server = new(Answer);
    }

    public Uri Address => server.Address;

    public IReadOnlyList<ServerRequest> Requests
    {
        get
        {
            lock (gate)
                return [.. requests];
        }
    }

    public void Inject(ServerFault fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        lock (gate)
            faults.AddRange(Enumerable.Repeat((fault.Kind, fault.Operation), fault.Times));
    }

    public T Locked<T>(Func<T> read)
    {
        lock (gate)
            return read();
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private LoopbackReply Answer(LoopbackRequest request)
    {
        var operation = request.Path[(request.Path.LastIndexOf('/') + 1)..];
        lock (gate)
        {
            requests.Add(new(operation, request.Path, request.Body, request.Headers));
            var at = faults.FindIndex(fault => fault.Operation == operation);
            var fault = at < 0 ? (ServerFaultKind?)null : faults[at].Kind;
            if (at >= 0)
                faults.RemoveAt(at);
            return fault switch
            {
                ServerFaultKind.NullBody => new(200, "null"),
                ServerFaultKind.ServerError => new(500, """{"detail":"Internal Server Error"}"""),
                ServerFaultKind.Unavailable => new(503, """{"detail":"Service Unavailable"}"""),
                ServerFaultKind.Hang => new(200, string.Empty) { Hangs = true },
                ServerFaultKind.TryAgain => new(408, """{"detail":"Timeout waiting for result"}"""),
                ServerFaultKind.CutBody => Handle(operation, request) with { IsCut = true },
                _ => Handle(operation, request),
            };
        }
    }

    private LoopbackReply Handle(string operation, LoopbackRequest request)
    {
        try
        {
            return new(200, handle(operation, request));
        }
        catch (RefusalException refusal)
        {
            return refusal.Reply;
        }
        catch (Exception error) when (error is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return new(500, new System.Text.Json.Nodes.JsonObject { ["detail"] = error.Message }.ToJsonString());
        }
    }
}
