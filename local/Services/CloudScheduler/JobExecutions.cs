using System.Collections.Concurrent;
using Google.Cloud.PubSub.V1;
using Google.Cloud.Scheduler.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>Jobs that are due, to messages on their topics.</summary>
internal sealed partial class JobExecutions(CloudSchedulerOptions options, CloudSchedulerFaults faults) : IAsyncDisposable
{
    private static readonly TimeSpan PublishTimeout = TimeSpan.FromMinutes(2);

    // The default of min_backoff_duration.
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = options.Loggers.CreateLogger<JobExecutions>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<JobAttempt> _attempts = new();
    private readonly ConcurrentDictionary<Task, byte> _running = new();
    private readonly GrpcChannel _channel = GrpcChannel.ForAddress(options.PubSubAddress);

    public IReadOnlyList<JobAttempt> Attempts => [.. _attempts];

    /// <summary>Starts an execution, after the one before it, and returns.</summary>
    public void Start(ScheduledJob job, DateTimeOffset dueAt) => Keep(RunInTurnAsync(job, dueAt));

    /// <summary>Starts an execution, "even if the job is already running" (cloudscheduler.proto), and returns.</summary>
    public void StartAtOnce(ScheduledJob job) => Keep(RunAsync(job, options.Time.GetUtcNow()));

    /// <summary>Returns when nothing is being carried out; what waits for a repeat is.</summary>
    public async Task WaitUntilIdleAsync(CancellationToken cancellationToken)
    {
        while (_running.Keys.Where(execution => !execution.IsCompleted).ToList() is { Count: > 0 } running)
        {
            await Task.WhenAll(running).WaitAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await WaitUntilIdleAsync(CancellationToken.None);
        _channel.Dispose();
        _stopping.Dispose();
    }

    private void Keep(Task execution)
    {
        _running.TryAdd(execution, 0);
        execution.ContinueWith(
            done => _running.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private async Task RunInTurnAsync(ScheduledJob job, DateTimeOffset dueAt)
    {
        try
        {
            await job.Turn.WaitAsync(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        try
        {
            await RunAsync(job, dueAt);
        }
        finally
        {
            job.Turn.Release();
        }
    }

    private async Task RunAsync(ScheduledJob job, DateTimeOffset dueAt)
    {
        try
        {
            if (faults.LateBy > TimeSpan.Zero)
            {
                await Task.Delay(faults.LateBy, options.Time, _stopping.Token);
            }

            var backoff = FirstBackoff;
            for (var repeats = job.Read().RetryConfig?.RetryCount ?? 0; ; repeats--, backoff *= 2)
            {
                var attempt = await AttemptAsync(job, dueAt);
                var isLast = attempt.Code == StatusCode.OK || repeats == 0
                    || options.Time.GetUtcNow() + backoff >= job.Read().ScheduleTime?.ToDateTimeOffset();
                var pause = isLast ? Task.CompletedTask : Task.Delay(backoff, options.Time, _stopping.Token);

                // Only now: whoever sees the attempt may move the clock, and the repeat must already be waiting for it.
                _attempts.Enqueue(attempt);
                if (isLast)
                {
                    return;
                }

                await pause;
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // What is under way when the server ends is lost.
        }
    }

    private async Task<JobAttempt> AttemptAsync(ScheduledJob job, DateTimeOffset dueAt)
    {
        var startedAt = options.Time.GetUtcNow();
        job.Note(kept => kept.LastAttemptTime = Timestamp.FromDateTimeOffset(startedAt));
        var description = job.Read();
        var answer = faults.TakeFailure()
            ? new Status(StatusCode.Unavailable, "The attempt failed on purpose.")
            : await PublishAsync(description.PubsubTarget);
        job.Note(kept => kept.Status = new Google.Rpc.Status { Code = (int)answer.StatusCode, Message = answer.Detail });
        if (answer.StatusCode != StatusCode.OK)
        {
            LogFailed(description.Name, description.PubsubTarget.TopicName, answer.StatusCode, answer.Detail);
        }

        return new JobAttempt(description.Name, dueAt, startedAt, answer.StatusCode);
    }

    private async Task<Status> PublishAsync(PubsubTarget target)
    {
        var request = new PublishRequest { Topic = target.TopicName };
        var message = new PubsubMessage { Data = target.Data, Attributes = { target.Attributes } };
        var publisher = new Publisher.PublisherClient(_channel);
        request.Messages.Add(message);
        try
        {
            for (var copy = 0; copy < faults.Copies; copy++)
            {
                // The real clock: gRPC judges the deadline by it, whatever the jobs go by.
                await publisher.PublishAsync(
                    request, deadline: TimeProvider.System.GetUtcNow().UtcDateTime + PublishTimeout,
                    cancellationToken: _stopping.Token);
            }

            return Status.DefaultSuccess;
        }
        catch (RpcException e) when (!_stopping.IsCancellationRequested)
        {
            return new Status(e.StatusCode, e.Status.Detail);
        }
        catch (RpcException e)
        {
            throw new OperationCanceledException(e.Message, e, _stopping.Token);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Scheduler job {Job} could not publish to {Topic}: {Code}, {Detail}")]
    private partial void LogFailed(string job, string topic, StatusCode code, string detail);
}
