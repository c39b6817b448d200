using FeedbackLoop.Local.CloudScheduler;
using Google.Cloud.Scheduler.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Cli;

/// <summary><c>schedule sync-jobs</c> against Cloud Scheduler's protocol over gRPC. It needs no database.</summary>
public sealed class SyncJobsTests : IAsyncLifetime
{
    private const string Parent = "projects/demo/locations/us-central1";
    private const string Sweep = "feedback-loop-sweep";

    private CloudSchedulerServer _scheduler = null!;  // these two are set before each test
    private GrpcChannel _channel = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private CloudScheduler.CloudSchedulerClient Jobs => new(_channel);

    public async ValueTask InitializeAsync()
    {
        // Its clock stands still: no job comes due, and nobody has to listen at Pub/Sub's address.
        _scheduler = await CloudSchedulerServer.StartAsync(
            new()
            {
                PubSubAddress = new Uri("http://127.0.0.1:1"),
                Time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 22, 0, TimeSpan.Zero)),
            },
            Cancellation);
        _channel = GrpcChannel.ForAddress(_scheduler.Address);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _scheduler.DisposeAsync();
    }

    [Fact]
    public async Task The_two_jobs_are_created_once()
    {
        var first = await SyncAsync();
        var second = await SyncAsync();

        Assert.Equal(
            (0, "",
                """
                JOB                          WHAT     SCHEDULE               NEXT
                feedback-loop-schedule-tick  created  0 * * * * (Etc/UTC)    2026-11-23 10:00Z
                feedback-loop-sweep          created  */5 * * * * (Etc/UTC)  2026-11-23 09:25Z

                """),
            (first.ExitCode, first.Error, first.Output));
        Assert.Equal((0, first.Output.Replace("created  ", "unchanged  ", StringComparison.Ordinal).Replace(
            "WHAT     ", "WHAT       ", StringComparison.Ordinal)), (second.ExitCode, second.Output));
        Assert.Equal(
            [$"{Parent}/jobs/feedback-loop-schedule-tick", $"{Parent}/jobs/{Sweep}"],
            (await ListAsync()).Select(job => job.Name));
    }

    [Fact]
    public async Task A_machine_gets_one_object()
    {
        var result = await SyncAsync("--json");

        Assert.Equal(0, result.ExitCode);
        Assert.False(result.Json.GetProperty("isDryRun").GetBoolean());
        var sweep = result.Json.GetProperty("jobs")[1];
        Assert.Equal($"{Parent}/jobs/{Sweep}", sweep.GetProperty("name").GetString());
        Assert.Equal("poll-tick", sweep.GetProperty("topic").GetString());
        Assert.Equal("create", sweep.GetProperty("change").GetString());
        Assert.Equal("2026-11-23T09:25:00+00:00", sweep.GetProperty("nextAt").GetString());
    }

    [Fact]
    public async Task A_dry_run_changes_nothing()
    {
        var missing = await SyncAsync("--dry-run");
        Assert.Empty(await ListAsync());
        await SyncAsync();
        await ChangeScheduleAsync("* * * * *");

        var different = await SyncAsync("--dry-run");

        Assert.Equal((0, 0), (missing.ExitCode, different.ExitCode));
        Assert.Matches(@"\nfeedback-loop-sweep +to be created +\*/5 ", missing.Output);
        Assert.Matches(@"\nfeedback-loop-sweep +to be updated: schedule, time_zone +\*/5 ", different.Output);
        Assert.Equal("* * * * *", (await ListAsync())[1].Schedule);
    }

    [Fact]
    public async Task A_paused_job_is_put_right_and_told_with_the_command_that_resumes_it()
    {
        await SyncAsync();
        await ChangeScheduleAsync("* * * * *");
        await Jobs.PauseJobAsync(new() { Name = $"{Parent}/jobs/{Sweep}" }, cancellationToken: Cancellation);

        var result = await SyncAsync();

        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"\nfeedback-loop-sweep +updated: schedule, time_zone +\*/5 \* \* \* \* \(Etc/UTC\) +paused\n", result.Output);
        Assert.Equal(
            "feedback-loop-sweep is paused, and nothing runs until somebody resumes it:\n"
            + "gcloud scheduler jobs resume feedback-loop-sweep --project demo --location us-central1\n",
            result.Error);
        var sweep = (await ListAsync())[1];
        Assert.Equal((Job.Types.State.Paused, "*/5 * * * *"), (sweep.State, sweep.Schedule));
    }

    [Fact]
    public async Task A_refusal_exits_with_4_and_says_how_to_mend_it()
    {
        _scheduler.Faults.Refuse(SchedulerMethod.GetJob, StatusCode.PermissionDenied, "The caller does not have permission");

        var result = await SyncAsync();

        Assert.Equal((4, ""), (result.ExitCode, result.Output));
        Assert.Equal(
            "error: Cloud Scheduler does not let you set up feedback-loop-schedule-tick: The caller does not have permission\n"
            + "Grant roles/cloudscheduler.admin on project demo to the account of these credentials, or switch the API on: "
            + "gcloud services enable cloudscheduler.googleapis.com --project demo\n",
            result.Error);
    }

    [Fact]
    public async Task A_machine_gets_a_refusal_as_an_object_too()
    {
        var result = await RunAsync(new() { ["GoogleCloud__Location"] = "atlantis" }, "--json");

        Assert.Equal(4, result.Json.GetProperty("exitCode").GetInt32());
        Assert.Contains("its location atlantis", result.Json.GetProperty("problem").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GoogleCloud:ProjectId is not set\nSet GoogleCloud__ProjectId ", "GoogleCloud__ProjectId", null)]
    [InlineData("GoogleCloud:Location is not set\nSet GoogleCloud__Location ", "GoogleCloud__Location", null)]
    [InlineData(
        "GoogleCloud:SchedulerAddress is no address: http://:x\nWrite it ", "GoogleCloud__SchedulerAddress", "http://:x")]
    public async Task A_missing_or_wrong_setting_exits_with_2(string problem, string name, string? value)
    {
        var result = await RunAsync(new() { [name] = value });

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith($"error: {problem}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_without_credentials_is_told_how_to_get_them()
    {
        var home = Directory.CreateTempSubdirectory("cli-home-");

        var result = await RunAsync(new()
        {
            ["GoogleCloud__SchedulerAddress"] = null,
            ["HOME"] = home.FullName,
            ["NO_GCE_CHECK"] = "true",
        });

        Assert.Equal(4, result.ExitCode);
        Assert.StartsWith("error: there are no Google credentials on this machine\n", result.Error, StringComparison.Ordinal);
        home.Delete(recursive: true);
    }

    private Task<CommandResult> SyncAsync(params string[] args) => RunAsync([], args);

    private Task<CommandResult> RunAsync(Dictionary<string, string?> changes, params string[] args)
    {
        var environment = new Dictionary<string, string?>
        {
            ["GoogleCloud__ProjectId"] = "demo",
            ["GoogleCloud__Location"] = "us-central1",
            ["GoogleCloud__SchedulerAddress"] = _scheduler.Address.ToString(),
        };
        foreach (var (name, value) in changes)
        {
            environment[name] = value;
        }

        return FeedbackloopProcess.RunAsync(environment, "", ["schedule", "sync-jobs", .. args]);
    }

    private async Task<IReadOnlyList<Job>> ListAsync() =>
        (await Jobs.ListJobsAsync(new ListJobsRequest { Parent = Parent }, cancellationToken: Cancellation)).Jobs;

    private async Task ChangeScheduleAsync(string schedule) => await Jobs.UpdateJobAsync(
        new UpdateJobRequest
        {
            Job = new Job { Name = $"{Parent}/jobs/{Sweep}", Schedule = schedule },
            UpdateMask = new() { Paths = { "schedule" } },
        },
        cancellationToken: Cancellation);
}
