using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Cli;

/// <summary>From a command to a ready model, and to every other end, over the chain as it is deployed.</summary>
public sealed class ChainTests(PostgresFixture postgres) : IAsyncLifetime
{
    private Chain _chain = null!;  // xunit initializes it before each test

    private string Organization => $"{_chain.Organization}";

    private string Project => $"{_chain.Project}";

    public async ValueTask InitializeAsync() => _chain = await Chain.StartAsync(postgres);

    public ValueTask DisposeAsync() => _chain.DisposeAsync();

    [Fact]
    public async Task A_general_model_is_in_use_and_a_projects_model_on_top_is_kept_back_until_a_person_promotes_it()
    {
        var before = await _chain.RunAsync("select-model", "--project", Project, "--json");
        var general = await _chain.RunAsync(
            "train-general-model", "--organization", Organization, "--epochs", "3", "--watch", "--json");
        var between = await _chain.RunAsync("select-model", "--project", Project, "--json");
        var project = await _chain.RunAsync("train-project-model", "--project", Project, "--watch");
        var kept = await _chain.RunAsync("select-model", "--project", Project, "--json");
        await _chain.RunAsync(
            "promote", await _chain.Database.ScalarAsync<string>(
                "select id::text from ml.fine_tuned_models where project_id is not null",
                TestContext.Current.CancellationToken),
            "--reason", "it names the project's own systems", "--yes");
        var after = await _chain.RunAsync("select-model", "--project", Project, "--json");
        var shown = await _chain.RunAsync("training-status", Text(between, "modelId"));
        var models = await _chain.RunAsync("list-models", "--organization", Organization, "--status", "ready", "--json");

        Assert.Equal((0, ""), (general.ExitCode, general.Error));
        Assert.Equal("base", Text(before, "tier"));
        Assert.Equal("general", Text(between, "tier"));
        Assert.Equal("general", Text(kept, "tier"));
        Assert.Equal("project", Text(after, "tier"));
        Assert.Equal("gemini-3.1-flash-lite", Text(after, "baseModel"));

        var last = general.JsonLines[^1];
        Assert.Equal("succeeded", last.GetProperty("state").GetString());
        Assert.Equal(Text(between, "modelId"), last.GetProperty("model").GetProperty("id").GetString());
        Assert.Equal(
            ["requested", "exporting", "exported", "creating", "tuning", "evaluating", "succeeded"],
            last.GetProperty("timeline").EnumerateArray().Select(e => e.GetProperty("state").GetString()));
        Assert.True(last.GetProperty("progress").GetProperty("examples").GetInt64() >= 100);
        Assert.True(last.GetProperty("actualCostUsd").GetDecimal() > 0);
        Assert.StartsWith(
            "https://console.cloud.google.com/vertex-ai/tuning/locations/us-central1/tuningJob/",
            last.GetProperty("tuningJobPage").GetString(), StringComparison.Ordinal);
        Assert.All(general.JsonLines, line => Assert.Equal(Text(between, "modelId"), line.GetProperty("runId").GetString()));

        Assert.Equal((3, ""), (project.ExitCode, project.Error));
        Assert.Contains(
            $"It goes on from the general model {Text(between, "modelId")}, which rests on gemini-3.1-flash-lite.\n",
            project.Output, StringComparison.Ordinal);
        Assert.Contains("The message is sent; the chain starts now.\n", project.Output, StringComparison.Ordinal);
        Assert.Matches(@"\n\S+ \S+Z  tuning\n", project.Output);
        Assert.Contains("not in use, no evidence that it is better: ", project.Output, StringComparison.Ordinal);
        Assert.EndsWith("is deprecated.\n", project.Output, StringComparison.Ordinal);

        foreach (var line in (string[])
            [
                @"State +succeeded\n", @"Scope +Halvorsund Group\n", @"Requested +.*Z by cli:\w+ \(manual\)\n",
                @"Export +[\d,]+ extractions read, [\d,]+ examples, [\d.]+ MB\n", @"Cost +[\d.]+ USD, [\d.]+ USD estimated\n",
                @"Tuning job +projects/\d+/locations/us-central1/tuningJobs/\S+\n",
                @"Console +https://console\.cloud\.google\.com/\S+\n", @"Model +[0-9a-f-]{36}, version 1, ready\n",
            ])
        {
            Assert.Matches(line, shown.Output);
        }

        Assert.Equal(2, models.Json.GetProperty("models").GetArrayLength());
    }

    [Fact]
    public async Task Too_little_data_is_refused_before_there_is_a_run_with_what_was_left_out()
    {
        var result = await _chain.RunAsync(
            "train-project-model", "--project", Project, "--min-examples", "100000", "--watch");

        Assert.Equal((3, ""), (result.ExitCode, result.Output));
        Assert.Matches(@"^error: \d+ usable examples of \d+ extractions, 100000 needed\. Left out: \d+ ", result.Error);
        Assert.Equal(0, await _chain.Database.ScalarAsync<long>(
            "select count(*) from ml.training_runs where parameters::text like '%100000%'",
            TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_job_that_fails_ends_the_watch_with_4()
    {
        _chain.Local.Vertex.Faults.EndNextJob(JobState.Failed, "the examples contradict each other");

        var result = await _chain.RunAsync("train-general-model", "--organization", Organization, "--watch", "--json");

        Assert.Equal((4, ""), (result.ExitCode, result.Error));
        var last = result.JsonLines[^1];
        Assert.Equal("failed", last.GetProperty("state").GetString());
        Assert.Contains(
            "the examples contradict each other", last.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_at_work_is_cancelled_with_its_run()
    {
        _chain.Local.Vertex.Faults.EndNextJob(JobState.Running, "");
        var started = await _chain.RunAsync("train-general-model", "--organization", Organization, "--json");
        var run = Text(started, "runId");
        using var watch = FeedbackloopProcess.Start(
            _chain.Environment, [.. FeedbackloopProcess.Program, "training-status", run, "--watch"]);
        await WaitForStateAsync(run, RunState.Tuning);

        var cancelled = await _chain.RunAsync("cancel", run, "--reason", "wrong month");
        var watched = await watch.WaitAsync();

        Assert.Equal(0, cancelled.ExitCode);
        Assert.StartsWith(
            $"Run {run} is cancelling.\nThe message is sent; the run ends soon.\n", cancelled.Output,
            StringComparison.Ordinal);
        Assert.Equal((3, ""), (watched.ExitCode, watched.Error));
        Assert.Matches(@"  cancelling +wrong month\n", watched.Output);
        Assert.Matches(@"  cancelled +wrong month\n$", watched.Output);
    }

    [Fact]
    public async Task An_export_goes_to_a_folder_and_from_there_to_a_bucket()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"cli-tests-{Guid.NewGuid()}");
        var exported = await _chain.RunAsync("export-training-data", "--project", Project, "--output", folder, "--json");
        var uploaded = await _chain.RunAsync(
            "upload-training-data", folder, "--to", $"gs://{Local.LocalChain.Bucket}/by/hand", "--json");
        var direct = await _chain.RunAsync(
            "export-training-data", "--project-id", Project, "--output", $"gs://{Local.LocalChain.Bucket}/direct/");

        Directory.Delete(folder, recursive: true);
        Assert.Equal((0, 0, 0), (exported.ExitCode, uploaded.ExitCode, direct.ExitCode));
        Assert.Equal(
            ["train.jsonl", "validation.jsonl", "test.jsonl", "metadata.json"],
            uploaded.Json.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("uri").GetString()!.Split('/')[^1]));
        Assert.EndsWith($"gs://{Local.LocalChain.Bucket}/direct/metadata.json\n", direct.Output, StringComparison.Ordinal);
    }

    private static string Text(CommandResult result, string name) => result.Json.GetProperty(name).GetString()!;

    private Task WaitForStateAsync(string run, string state) => Patience.UntilAsync(
        async () => await _chain.Rows.StateAsync(new RunId(Guid.Parse(run))) == state, () => $"run {run} is not {state}");
}
