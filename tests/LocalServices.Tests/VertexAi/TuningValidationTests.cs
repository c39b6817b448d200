using FeedbackLoop.Local.Hosting;
using Google.Cloud.AIPlatform.V1;
using Google.Rpc;
using Grpc.Core;
using AdapterSize = Google.Cloud.AIPlatform.V1.SupervisedHyperParameters.Types.AdapterSize;

namespace FeedbackLoop.Local.VertexAi;

public sealed class TuningValidationTests : VertexAiTestBase
{
    private const string Spec = "tuning_job.supervised_tuning_spec";
    private const string Training = Spec + ".training_dataset_uri";
    private const string Validation = Spec + ".validation_dataset_uri";

    public static TheoryData<string, Action<TuningJob>> Wrong => new()
    {
        { "tuning_job.base_model", job => job.ClearBaseModel() },
        { Spec, job => job.SupervisedTuningSpec = null },
        { Training, job => job.SupervisedTuningSpec.TrainingDatasetUri = "gs://datasets/x.csv" },
        { Training, job => job.SupervisedTuningSpec.TrainingDatasetUri = "/tmp/x.jsonl" },
        { Training, job => job.SupervisedTuningSpec.TrainingDatasetUri = "gs://datasets/no.jsonl" },
        { Validation, job => job.SupervisedTuningSpec.ValidationDatasetUri = "gs://datasets/no.jsonl" },
        { $"{Spec}.hyper_parameters", job => job.SupervisedTuningSpec.HyperParameters = new() { EpochCount = -1 } },
        {
            $"{Spec}.hyper_parameters.adapter_size",
            job => job.SupervisedTuningSpec.HyperParameters = new() { AdapterSize = AdapterSize.ThirtyTwo }
        },
        { "tuning_job.labels", job => job.Labels["Run"] = "1" },
        { "tuning_job.labels", job => job.Labels["run"] = "A" },
        { "tuning_job.tuned_model_display_name", job => job.TunedModelDisplayName = new string('x', 129) },
        { "tuning_job.encryption_spec", job => job.EncryptionSpec = new EncryptionSpec { KmsKeyName = "k" } },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public async Task A_wrong_job_is_refused_with_the_field_that_is_wrong(string field, Action<TuningJob> change)
    {
        await PutDatasetAsync();

        var error = await RefusalOfAsync(() => CreateAsync(change));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal(field, Assert.Single(error.Detail<BadRequest>().FieldViolations).Field);
        Assert.Empty(Server.Jobs);
    }

    [Theory]
    [InlineData("projects/demo"), InlineData("projects/demo/locations/global"), InlineData("")]
    public async Task A_parent_that_is_no_tuning_region_is_refused(string parent)
    {
        var request = Request();
        request.Parent = parent;

        var error = await RefusalOfAsync(
            () => Tuning.CreateTuningJobAsync(request, cancellationToken: Cancel).ResponseAsync);

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public async Task A_missing_dataset_is_refused_in_the_words_of_the_service()
    {
        var error = await RefusalOfAsync(() => CreateAsync());

        Assert.Equal("training_dataset_uri should be a GCS object of type JSONL", error.Status.Detail);
    }

    [Fact]
    public async Task A_base_model_that_is_not_known_is_not_found()
    {
        await PutDatasetAsync();

        var error = await RefusalOfAsync(() => CreateAsync(job => job.BaseModel = "gemini-1.0-pro"));

        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        Assert.Equal("RESOURCE_NOT_FOUND", error.Detail<ErrorInfo>().Reason);
    }

    [Fact]
    public async Task A_parent_model_that_is_not_known_is_not_found()
    {
        await PutDatasetAsync();

        var error = await RefusalOfAsync(() => CreateAsync(
            job => job.PreTunedModel = new PreTunedModel { TunedModelName = $"{Parent}/models/1@1" }));

        Assert.Equal(StatusCode.NotFound, error.StatusCode);
    }

    [Fact]
    public async Task More_jobs_than_the_quota_allows_are_refused()
    {
        await PutDatasetAsync();
        Server.Faults.MaxConcurrentJobs = 1;
        Server.Faults.EndNextJob(JobState.Running, "");
        await CreateAsync();

        var error = await RefusalOfAsync(() => CreateAsync());

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.NotNull(error.Details());
    }
}
