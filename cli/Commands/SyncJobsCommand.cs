using System.CommandLine;
using System.Globalization;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Scheduling;
using Google.Cloud.Scheduler.V1;
using Spectre.Console;

namespace FeedbackLoop.Cli.Commands;

/// <summary>The jobs of Cloud Scheduler that an installation needs.</summary>
internal sealed record SyncJobsResult(bool IsDryRun, IReadOnlyList<SyncedJobRow> Jobs);

/// <param name="Change"><c>create</c>, <c>update</c> or <c>none</c>: done, or in a dry run only found out.</param>
/// <param name="Fields">What an update changes.</param>
/// <param name="State">Null when there is no job yet.</param>
/// <param name="NextAt">Null when the job does not run.</param>
internal sealed record SyncedJobRow(
    string Name, string Topic, string Change, IReadOnlyList<string> Fields, string? State, bool IsEnabled,
    string Schedule, string TimeZone, DateTimeOffset? NextAt);

/// <summary>Makes the jobs of Cloud Scheduler what they should be.</summary>
internal sealed class SyncJobsCommand : OperatorCommand
{
    private readonly TimeProvider _time;

    private readonly Option<bool> _dryRun = new("--dry-run")
    {
        Description = "Show what would be done, and change nothing.",
    };

    public SyncJobsCommand(TimeProvider time)
        : base(
            "sync-jobs",
            "Creates the jobs of Cloud Scheduler that wake the chain, or puts right what differs. Safe to repeat. A job that "
            + "somebody paused stays paused. Project and location are GoogleCloud:ProjectId and GoogleCloud:Location.")
    {
        _time = time;
        Options.Add(_dryRun);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop schedule sync-jobs --dry-run",
        "feedbackloop schedule sync-jobs --settings production.json",
        "GoogleCloud__ProjectId=my-project GoogleCloud__Location=us-central1 feedbackloop schedule sync-jobs --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var settings = OperatorSettings.Read(arguments);
        var project = settings.Require("GoogleCloud:ProjectId");
        var location = settings.Require("GoogleCloud:Location");
        var address = settings.FindAddress("GoogleCloud:SchedulerAddress");
        if (address is null)
        {
            // The channel would find out in the middle of a call, and say it less well.
            MachineCredentials.Find();
        }

        using var channel = GoogleChannel.CreateWithoutRetry(
            new Uri("https://cloudscheduler.googleapis.com"), address, new GoogleAccess());
        var jobs = new SchedulerJobs(
            new CloudScheduler.CloudSchedulerClient(channel), project, location, _time);
        var isDryRun = arguments.GetValue(_dryRun);
        var rows = new List<SyncedJobRow>();
        foreach (var tick in TickJob.All)
        {
            var job = await jobs.SyncAsync(tick, isDryRun, cancellationToken);
            rows.Add(new SyncedJobRow(
                job.Name, tick.Topic, job.Change, job.Fields, job.State, job.IsEnabled, tick.Expression, tick.TimeZone,
                job.NextAt));
        }

        output.Result(new SyncJobsResult(isDryRun, rows), CliJson.Default.SyncJobsResult, Page(rows, isDryRun));
        foreach (var row in rows.Where(row => !row.IsEnabled))
        {
            output.Warn($"{IdOf(row)} is {row.State?.ToLowerInvariant()}, and nothing runs until somebody resumes it:");
            output.Warn($"gcloud scheduler jobs resume {IdOf(row)} --project {project} --location {location}");
        }

        return ExitCode.Done;
    }

    private static Table Page(IEnumerable<SyncedJobRow> rows, bool isDryRun)
    {
        var table = CommandOutput.Table("JOB", "WHAT", "SCHEDULE", "NEXT");
        foreach (var row in rows)
        {
            table.AddRow(
                new Text(IdOf(row)), new Text(What(row, isDryRun)), new Text($"{row.Schedule} ({row.TimeZone})"),
                new Text(
                    row.NextAt?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture)
                    ?? row.State?.ToLowerInvariant() ?? "–"));
        }

        return table;
    }

    private static string What(SyncedJobRow row, bool isDryRun) => (row.Change, isDryRun) switch
    {
        (JobChange.Create, false) => "created",
        (JobChange.Create, true) => "to be created",
        (JobChange.Update, false) => $"updated: {string.Join(", ", row.Fields)}",
        (JobChange.Update, true) => $"to be updated: {string.Join(", ", row.Fields)}",
        _ => "unchanged",
    };

    private static string IdOf(SyncedJobRow row) => row.Name[(row.Name.LastIndexOf('/') + 1)..];
}
