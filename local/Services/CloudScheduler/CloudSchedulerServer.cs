using FeedbackLoop.Local.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>
/// Cloud Scheduler on loopback: gRPC over HTTP/2 without TLS. Its jobs really publish at their times; it forgets them when it
/// ends.
/// </summary>
public sealed class CloudSchedulerServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ScheduledJobs _jobs;
    private readonly JobExecutions _executions;

    private CloudSchedulerServer(
        WebApplication app, ScheduledJobs jobs, JobExecutions executions, CloudSchedulerFaults faults)
    {
        (_app, _jobs, _executions, Faults) = (app, jobs, executions, faults);
        Address = app.Address();
    }

    public Uri Address { get; }

    public CloudSchedulerFaults Faults { get; }

    /// <summary>Attempts that have ended, oldest first.</summary>
    public IReadOnlyList<JobAttempt> Attempts => _executions.Attempts;

    public static async Task<CloudSchedulerServer> StartAsync(
        CloudSchedulerOptions options, CancellationToken cancellationToken)
    {
        var faults = new CloudSchedulerFaults();
        var executions = new JobExecutions(options, faults);
        var jobs = new ScheduledJobs(options, executions);
        var app = await Loopback.StartAsync(
            options.Port,
            HttpProtocols.Http2,
            options.Loggers,
            services =>
            {
                services.AddGrpc();
                services.AddSingleton(new SchedulerApi(jobs, faults));
            },
            map => map.MapGrpcService<SchedulerApi>(),
            cancellationToken);
        return new CloudSchedulerServer(app, jobs, executions, faults);
    }

    /// <summary>
    /// Returns when no job is being carried out. One that waits for its repeat is: move the clock first.
    /// </summary>
    public Task WaitUntilIdleAsync(CancellationToken cancellationToken) =>
        _executions.WaitUntilIdleAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _jobs.Dispose();
        await _executions.DisposeAsync();
        await _app.StopAndDisposeAsync();
    }
}
