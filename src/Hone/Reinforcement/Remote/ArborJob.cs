using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone.Reinforcement;

/// <summary>
/// One training job of an Arbor server: start, status, groups, checkpoints, end. Arbor ignores the number that a group is sent with and counts
/// arrivals, so groups go one by one, in ascending order, and never twice.
/// </summary>
internal sealed class ArborJob(ArborOptions options, TrainingOptions training) : IAsyncDisposable
{
    private const string Root = "fine_tuning/grpo/";
    private const int SendAttempts = 3;

    private readonly ServiceConnection connection = options.Connect();
    private readonly ServiceConnection slow = options.Connect(options.StartTimeout);
    private readonly SemaphoreSlim starting = new(1, 1);
    private ArborStatus? job;
    private string? lastCheckpoint;

    /// <summary>Groups that Arbor has taken; the number of the next one.</summary>
    public int GroupsSent { get; private set; }

    /// <summary>The job, started at the first call.</summary>
    public async ValueTask<ArborStatus> StartedAsync(CancellationToken cancellationToken)
    {
        if (job is { } running)
            return running;
        await starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return job ??= ArborStatus.Read(
                "initialize",
                await slow.PostForObjectAsync(Root + "initialize", writer => ArborWire.WriteStart(writer, options, training), isRepeatable: false, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            starting.Release();
        }
    }

    /// <summary>Waits until the trainer asks for the next group.</summary>
    /// <exception cref="TrainingServiceTimeoutException">It asked for nothing for too long.</exception>
    public async Task WaitUntilWantedAsync(CancellationToken cancellationToken)
    {
        var changed = connection.Time.GetTimestamp();
        string? seen = null;
        while (true)
        {
            var status = await StatusAsync(cancellationToken).ConfigureAwait(false);

            // Numbers below are of groups that have arrived: the status lags behind.
            var wanted = status.PendingBatchIds.Where(id => id >= GroupsSent).ToArray();
            if (wanted.Length > 0 && wanted[0] == GroupsSent)
                return;
            if (wanted.Length > 0)
                throw new TrainingStateLostException(
                    $"Arbor's job {status.JobId} asks for group {wanted[0]}, but this session has sent {GroupsSent}: someone else feeds the job too, or its trainer is ahead of this run.")
                { Operation = "status" };
            var now = string.Join(',', status.PendingBatchIds);
            if (now != seen)
                (seen, changed) = (now, connection.Time.GetTimestamp());
            else if (connection.Time.GetElapsedTime(changed) >= options.ProgressTimeout)
                throw new TrainingServiceTimeoutException(
                    $"Arbor's job {status.JobId} asked for no group for {options.ProgressTimeout} after {GroupsSent} were sent, though its status is '{status.Status}': "
                    + "its trainer has died or the job was terminated (the status does not show either). See grpo_training.log in the job's directory under ~/.arbor/storage. "
                    + $"{Left} Raise ArborOptions.ProgressTimeout when a step takes longer.")
                {
                    Operation = "status",
                };
            await Task.Delay(options.PollInterval, connection.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends one group when it is asked for. One whose answer got lost is sent again only if it is still asked for.</summary>
    public async Task SendAsync(IReadOnlyList<TrainingText> group, CancellationToken cancellationToken)
    {
        if (GroupsSent >= options.MaxGroups)
            throw new TrainingServiceException($"The Arbor job takes {options.MaxGroups} groups (ArborOptions.MaxGroups), and all were sent. Raise it for the next run.") { Operation = "step" };
        var running = await StartedAsync(cancellationToken).ConfigureAwait(false);
        for (var attempt = 1; ; attempt++)
        {
            await WaitUntilWantedAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                var reply = await connection.PostAsync(
                    Root + "step", writer => ArborWire.WriteGroup(writer, running.JobId, running.CurrentModel, GroupsSent, group), isRepeatable: false, cancellationToken).ConfigureAwait(false);
                ThrowIfRefused("step", reply);
                ArborStatus.Read("step", connection.ObjectOf("step", reply));
                break;
            }
            catch (TrainingServiceException error) when (attempt < SendAttempts && error is { Status: null or 200 or >= 500 } and not TrainingStateLostException)
            {
                RemoteLog.Repeating(connection.Log, "Arbor", "step", options.StatusLag, error.Message);
                if (await HasArrivedAsync(cancellationToken).ConfigureAwait(false))
                    break;
            }
        }

        GroupsSent++;
    }

    // A group whose number is still asked for when the status has caught up never arrived.
    private async Task<bool> HasArrivedAsync(CancellationToken cancellationToken)
    {
        var started = connection.Time.GetTimestamp();
        while (true)
        {
            await Task.Delay(options.PollInterval, connection.Time, cancellationToken).ConfigureAwait(false);
            if (!(await StatusAsync(cancellationToken).ConfigureAwait(false)).PendingBatchIds.Contains(GroupsSent))
                return true;
            if (connection.Time.GetElapsedTime(started) >= options.StatusLag)
                return false;
        }
    }

    /// <summary>Has the trainer write its weights; returns the directory on the server.</summary>
    public async Task<string> CheckpointAsync(string name, CancellationToken cancellationToken)
    {
        var running = await StartedAsync(cancellationToken).ConfigureAwait(false);
        var reply = await slow.PostAsync(
            Root + "checkpoint",
            writer =>
            {
                writer.WriteString("job_id", running.JobId);
                writer.WriteString("checkpoint_name", name);
            },
            isRepeatable: true, cancellationToken).ConfigureAwait(false);
        ThrowIfRefused("checkpoint", reply);
        var status = ArborStatus.Read("checkpoint", slow.ObjectOf("checkpoint", reply));
        return lastCheckpoint = status.CheckpointDirectories.TryGetValue(name, out var directory)
            ? directory
            : throw new TrainingServiceException($"Arbor wrote the checkpoint '{name}' but does not say where.") { Operation = "checkpoint" };
    }

    public ArborReference ReferenceTo(string checkpoint, int version) => new(options.Address.ToString(), job!.JobId, options.Model, GroupsSent, version, checkpoint);

    /// <summary>Goes on with an earlier job, if it is still where it was left.</summary>
    public async Task GoOnAsync(ArborReference reference, CancellationToken cancellationToken)
    {
        if (job is not null)
            throw new HoneException("The session has started a job of its own; load a state before anything else.");
        if (reference.Model != options.Model)
            throw new HoneException($"The state belongs to a job on '{reference.Model}', but ArborOptions.Model is '{options.Model}'.");
        (job, GroupsSent, lastCheckpoint) = (new(reference.JobId, null, reference.JobId, [], new Dictionary<string, string>()), reference.GroupsSent, reference.CheckpointDirectory);
        try
        {
            job = await StatusAsync(cancellationToken).ConfigureAwait(false);
            await WaitUntilWantedAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (TrainingStateLostException error)
        {
            job = null;
            throw new TrainingStateLostException(
                $"The run cannot go on with Arbor's job {reference.JobId}: {error.Message} Arbor's protocol cannot load a state, so the optimizer's moments and the steps since then are lost. {Left}", error)
            {
                Operation = "status",
                Status = error.Status,
            };
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref job, null) is not { } running || options.AtEnd == ArborJobEnd.Keep)
            return;
        try
        {
            await connection.PostForObjectAsync(
                Root + (options.AtEnd == ArborJobEnd.Cancel ? "cancel" : "terminate"), writer => writer.WriteString("job_id", running.JobId), isRepeatable: false, CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (TrainingServiceException error)
        {
            RemoteLog.NotClosed(options.Logger ?? NullLogger.Instance, "Arbor", error.Message);
        }
    }

    private string Left => lastCheckpoint is null
        ? "No checkpoint was written."
        : $"The last checkpoint is {lastCheckpoint} on the server: a new run can start from it (ArborOptions.Model).";

    private async Task<ArborStatus> StatusAsync(CancellationToken cancellationToken)
    {
        var id = job!.JobId;
        var reply = await connection.PostAsync(Root + "status", writer => writer.WriteString("job_id", id), isRepeatable: true, cancellationToken).ConfigureAwait(false);
        ThrowIfRefused("status", reply);
        var status = ArborStatus.Read("status", connection.ObjectOf("status", reply));
        return status.JobId != id
            ? throw new TrainingServiceException($"Arbor was asked for job {id} and answered with {status.JobId}.") { Operation = "status" }
            : status.HasEnded
                ? throw new TrainingStateLostException($"Arbor's job {id} has ended: its status is '{status.Status}'. {Left}") { Operation = "status" }
                : status;
    }

    // A job that Arbor does not know is a KeyError to it.
    private void ThrowIfRefused(string operation, ServiceReply reply)
    {
        if (reply.Status == HttpStatusCode.BadRequest && reply.Body is { ValueKind: JsonValueKind.Object } body && body.TryGetProperty("type", out var type) && type.ValueEquals("KeyError"))
            throw new TrainingStateLostException($"Arbor no longer knows the job {job!.JobId}: it was restarted, and the trainer with its optimizer is gone. {Left}")
            {
                Operation = operation,
                Status = 400,
            };
        if (!reply.IsSuccess)
            throw connection.Refused(operation, reply);
    }
}
