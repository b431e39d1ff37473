namespace Hone.Optimizers;

/// <summary>
/// A page on a training run, served by the process that trains: curves, rollouts token by token, answers before and after, cost, and buttons to pause,
/// save and stop. Pass <see cref="Progress"/> and <see cref="Control"/> to the run's <see cref="GrpoOptions"/>.
/// </summary>
public sealed class Dashboard : IAsyncDisposable
{
    private readonly DashboardServer server;
    private readonly RunRecorder? recorder;
    private readonly RunControl? control;
    private readonly bool ownsControl;

    private Dashboard(DashboardServer server, RunRecorder? recorder, RunControl? control, bool ownsControl) =>
        (this.server, this.recorder, this.control, this.ownsControl) = (server, recorder, control, ownsControl);

    /// <summary>Where the page is, with its token where one is needed: open it in a browser.</summary>
    public Uri Address => server.Address;

    /// <summary>What the run tells its events: <see cref="GrpoOptions.Progress"/>.</summary>
    /// <exception cref="HoneException">The dashboard shows a directory.</exception>
    public IProgress<GrpoEvent> Progress => recorder ?? throw ReadOnly();

    /// <summary>What the page's buttons act on: <see cref="GrpoOptions.Control"/>.</summary>
    /// <exception cref="HoneException">The dashboard shows a directory.</exception>
    public RunControl Control => control ?? throw ReadOnly();

    /// <summary>Serves a page on a run of this process.</summary>
    /// <param name="options">Loopback and a free port by default.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<Dashboard> StartAsync(DashboardOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        var control = options.Control ?? new RunControl();
        var recorder = new RunRecorder(options, control);
        var server = await DashboardServer.StartAsync(options, recorder, control, cancellationToken).ConfigureAwait(false);
        return new(server, recorder, control, ownsControl: options.Control is null);
    }

    /// <summary>Serves a page on what a run left in its directory. Nothing is written there, and there are no buttons.</summary>
    /// <param name="runDirectory">The directory that the run had as <see cref="GrpoOptions.RunDirectory"/>.</param>
    /// <param name="options">Loopback and a free port by default.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    /// <exception cref="HoneException">The directory holds no run.</exception>
    public static async Task<Dashboard> OpenAsync(string runDirectory, DashboardOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        var stored = await StoredRun.OpenAsync(runDirectory, options, cancellationToken).ConfigureAwait(false);
        var server = await DashboardServer.StartAsync(options, stored, control: null, cancellationToken).ConfigureAwait(false);
        return new(server, recorder: null, control: null, ownsControl: false);
    }

    /// <summary>Tells open pages that the process is done, and stops serving.</summary>
    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync().ConfigureAwait(false);
        if (ownsControl)
            control?.Dispose();
    }

    private static HoneException ReadOnly() => new("This dashboard shows a run that was kept in a directory: it takes no events and controls nothing. Use Dashboard.StartAsync for a run of this process.");
}
