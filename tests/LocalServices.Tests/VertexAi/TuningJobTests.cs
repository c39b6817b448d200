using System.Text;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;

namespace FeedbackLoop.Local.VertexAi;

public sealed class TuningJobTests : VertexAiTestBase
{
    [Fact]
    public async Task The_answer_to_a_creation_is_the_job_itself()
    {
        await PutDatasetAsync();

        var job = await CreateAsync();

        Assert.Matches("^projects/[0-9]+/locations/us-central1/tuningJobs/[0-9]+$", job.Name);
        Assert.Equal(JobState.Pending, job.State);
        Assert.Equal("r1", job.Labels["run"]);
        Assert.NotNull(job.CreateTime);
    }

    [Fact]
    public async Task A_finished_job_names_its_model_and_an_endpoint_for_each_checkpoint()
    {
        await PutDatasetAsync();

        var job = await TuneAsync(each => each.SupervisedTuningSpec.HyperParameters = new() { EpochCount = 3 });

        Assert.Equal(JobState.Succeeded, job.State);
        Assert.Matches("^projects/[0-9]+/locations/us-central1/models/[0-9]+@1$", job.TunedModel.Model);
        Assert.Equal(["1", "2", "3"], job.TunedModel.Checkpoints.Select(each => each.CheckpointId));
        Assert.Equal(3, job.TunedModel.Checkpoints.Select(each => each.Endpoint).Distinct().Count());
        Assert.Equal(job.TunedModel.Checkpoints[^1].Endpoint, job.TunedModel.Endpoint);
        Assert.True(job.StartTime >= job.CreateTime && job.EndTime >= job.StartTime);
        Assert.Contains("/metadataStores/default/contexts/", job.Experiment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_last_checkpoint_can_be_asked_for()
    {
        await PutDatasetAsync();

        var job = await TuneAsync(each => each.SupervisedTuningSpec.ExportLastCheckpointOnly = true);

        Assert.Empty(job.TunedModel.Checkpoints);
        Assert.Contains("/endpoints/", job.TunedModel.Endpoint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_statistics_count_the_dataset()
    {
        await PutDatasetAsync(examples: 30);

        var job = await TuneAsync();

        var stats = job.TuningDataStats.SupervisedTuningDataStats;
        Assert.Equal((30, 0), (stats.TuningDatasetExampleCount, stats.TotalTruncatedExampleCount));
        Assert.Equal(
            stats.UserInputTokenDistribution.Sum + stats.UserOutputTokenDistribution.Sum,
            stats.TotalBillableTokenCount);
        Assert.Equal(4 * 4, stats.TuningStepCount);
        Assert.Equal(2, stats.UserMessagePerExampleDistribution.Mean);
    }

    [Fact]
    public async Task A_dataset_that_is_gone_when_the_job_starts_fails_it()
    {
        await PutDatasetAsync();
        Storage.Faults.Answer(CloudStorage.StorageOperation.DownloadObject, status: 404, times: 1);

        var job = await TuneAsync();

        Assert.Equal(JobState.Failed, job.State);
        Assert.Equal((int)StatusCode.NotFound, job.Error.Code);
        Assert.Null(job.TunedModel);
    }

    [Theory]
    [InlineData("""{"messages":[]}""", "contains the unknown field \"messages\".")]
    [InlineData("""{"contents":[]}""", "has no \"contents\".")]
    [InlineData(
        """{"contents":[{"role":"user","parts":[{"text":"x"}]}]}""",
        "must ask as \"user\" and end with a turn of the role \"model\".")]
    [InlineData(
        """{"contents":[{"role":"user","parts":[{"functionCall":{}}]}]}""",
        "contains an unsupported modality in the \"parts\" field.")]
    [InlineData("not json", "is not valid JSON.")]
    public async Task A_line_that_is_no_example_fails_the_job_and_is_named(string line, string problem)
    {
        var good = StaffNotes.File(2, seed: 1);
        await PutAsync("run-1/train.jsonl", [.. good, .. Encoding.UTF8.GetBytes(line + "\n"), .. good]);

        var job = await TuneAsync();

        Assert.Equal(JobState.Failed, job.State);
        Assert.Equal($"Dataset example 3 of 5 {problem}", job.Error.Message);
    }

    [Fact]
    public async Task Jobs_are_listed_newest_first_and_page_by_page()
    {
        await PutDatasetAsync();
        var older = await CreateAsync();
        var newer = await CreateAsync();

        var first = await Tuning.ListTuningJobsAsync(
            new ListTuningJobsRequest { Parent = Parent, PageSize = 1 }, cancellationToken: Cancel);
        var second = await Tuning.ListTuningJobsAsync(
            new ListTuningJobsRequest { Parent = Parent, PageSize = 1, PageToken = first.NextPageToken },
            cancellationToken: Cancel);
        var elsewhere = await Tuning.ListTuningJobsAsync(
            new ListTuningJobsRequest { Parent = "projects/demo/locations/europe-west4" }, cancellationToken: Cancel);

        Assert.Equal([newer.Name], first.TuningJobs.Select(job => job.Name));
        Assert.Equal([older.Name], second.TuningJobs.Select(job => job.Name));
        Assert.Equal("", second.NextPageToken);
        Assert.Empty(elsewhere.TuningJobs);
    }

    [Fact]
    public async Task A_job_is_found_by_the_projects_id_and_by_its_number()
    {
        await PutDatasetAsync();
        var job = await CreateAsync();
        var byId = Parent + job.Name[job.Name.IndexOf("/tuningJobs/", StringComparison.Ordinal)..];

        Assert.Equal(job.Name, (await GetAsync(byId)).Name);
        Assert.Equal(job.Name, (await GetAsync(job.Name)).Name);
    }

    [Fact]
    public async Task A_job_that_does_not_exist_is_not_found()
    {
        var error = await RefusalOfAsync(() => GetAsync($"{Parent}/tuningJobs/1"));

        Assert.Equal(StatusCode.NotFound, error.StatusCode);
    }

    [Fact]
    public async Task A_cancelled_job_ends_with_code_one()
    {
        await PutDatasetAsync();
        Server.Faults.EndNextJob(JobState.Running, "");
        var job = await CreateAsync();

        await Tuning.CancelTuningJobAsync(new CancelTuningJobRequest { Name = job.Name }, cancellationToken: Cancel);
        var ended = await EndAsync(job.Name);

        Assert.Equal((JobState.Cancelled, 1), (ended.State, ended.Error.Code));
        Assert.NotNull(ended.EndTime);
        var again = await RefusalOfAsync(() => Tuning.CancelTuningJobAsync(
            new CancelTuningJobRequest { Name = job.Name }, cancellationToken: Cancel).ResponseAsync);
        Assert.Equal(StatusCode.FailedPrecondition, again.StatusCode);
    }

    [Fact]
    public async Task Jobs_and_models_are_still_there_after_a_restart()
    {
        await PutDatasetAsync(examples: 60);
        var job = await TuneAsync();
        var before = await AskAsync(job.TunedModel.Endpoint, StaffNotes.Write(1, seed: 5)[0].Text);
        await RestartAsync();

        Assert.Equal(job, await GetAsync(job.Name));
        var after = await AskAsync(job.TunedModel.Endpoint, StaffNotes.Write(1, seed: 5)[0].Text);
        Assert.Equal(before.Candidates[0], after.Candidates[0]);
    }

    [Fact]
    public async Task A_job_that_a_restart_interrupts_goes_on()
    {
        await PutDatasetAsync();
        Server.Faults.EndNextJob(JobState.Running, "");
        var job = await CreateAsync();
        await RestartAsync();

        Assert.Equal(JobState.Succeeded, (await EndAsync(job.Name)).State);
    }
}
