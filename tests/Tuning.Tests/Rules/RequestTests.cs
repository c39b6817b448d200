using FeedbackLoop.Datasets;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using Google.Cloud.AIPlatform.V1;
using AdapterSize = Google.Cloud.AIPlatform.V1.SupervisedHyperParameters.Types.AdapterSize;

namespace FeedbackLoop.Tuning.Tests.Rules;

public sealed class RequestTests
{
    private static readonly TuningTarget Target = new("projects/p/locations/us-central1", "prod");
    private static readonly ReadyModel General = new(
        new RunId(Guid.CreateVersion7()), null, 3, "gemini-3.5-flash", "projects/1/locations/us-central1/models/7@1",
        "projects/1/locations/us-central1/endpoints/8", new string('a', 64));

    private static readonly Dataset Files = new(
        Guid.CreateVersion7(), Guid.CreateVersion7(), null, General.Id, "gs://b/f/", new string('a', 64),
        "gs://b/f/train.jsonl", 1, new string('b', 64), 1_000, 100, "gs://b/f/validation.jsonl", 2,
        new string('c', 64), 100, 10, TestUri: null, TestGeneration: null, TestSha256: null, TestBytes: null, 0, 5_000);

    [Fact]
    public void What_nobody_chose_is_left_to_vertex()
    {
        var job = Build(Run(), new TuningPlan("gemini-3.5-flash", null)).TuningJob;

        Assert.Null(job.SupervisedTuningSpec.HyperParameters);
        Assert.True(job.SupervisedTuningSpec.ExportLastCheckpointOnly);
        Assert.Equal("gemini-3.5-flash", job.BaseModel);
        Assert.Null(job.PreTunedModel);
        Assert.Equal("gs://b/f/validation.jsonl", job.SupervisedTuningSpec.ValidationDatasetUri);
    }

    [Fact]
    public void What_was_chosen_is_sent()
    {
        var wish = new TuningParameters { Epochs = 3, LearningRateMultiplier = 0.5, AdapterSize = 2 };

        var parameters = Build(Run(wish), new TuningPlan("m", null)).TuningJob.SupervisedTuningSpec.HyperParameters;

        Assert.Equal((3L, 0.5, AdapterSize.Two),
            (parameters.EpochCount, parameters.LearningRateMultiplier, parameters.AdapterSize));
    }

    [Fact]
    public void Labels_say_whose_job_it_is_in_the_letters_that_labels_may_have()
    {
        var run = Run();

        var labels = Build(run, new TuningPlan("m", null), attempt: 12).TuningJob.Labels;

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["app"] = "feedback-loop",
                ["env"] = "prod",
                ["run"] = run.Id.ToString(),
                ["attempt"] = "12",
            },
            labels);
        Assert.All(labels.Values, value => Assert.Matches("^[a-z0-9_-]{1,63}$", value));
    }

    [Fact]
    public void A_project_goes_on_from_the_general_model_under_a_name_of_its_own()
    {
        var run = Run(projectId: Guid.CreateVersion7());

        var job = Build(run, new TuningPlan("gemini-3.5-flash", General)).TuningJob;

        Assert.Equal(Google.Cloud.AIPlatform.V1.TuningJob.SourceModelOneofCase.PreTunedModel, job.SourceModelCase);
        Assert.Equal(General.VertexModel, job.PreTunedModel.TunedModelName);
        Assert.InRange(job.TunedModelDisplayName.Length, 1, 128);
        Assert.Contains($"{run.Id}", job.TunedModelDisplayName, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_intent_has_the_same_hash_and_another_one_has_not()
    {
        var run = Run();

        var hash = TuningRequest.Hash(Build(run, new TuningPlan("m", null)));

        Assert.Equal(hash, TuningRequest.Hash(Build(run, new TuningPlan("m", null))));
        Assert.NotEqual(hash, TuningRequest.Hash(Build(run, new TuningPlan("m", null), attempt: 2)));
        Assert.Matches("^[0-9a-f]{64}$", hash);
    }

    [Fact]
    public void A_run_without_a_general_model_starts_at_the_base_it_names_or_the_default()
    {
        Assert.Equal(("gemini-3.1-flash-lite", null), Plan(Run(projectId: Guid.CreateVersion7()), general: null));
        Assert.Equal(
            ("gemini-3.5-flash", null),
            Plan(Run(new TuningParameters { BaseModel = "gemini-3.5-flash" }), general: null));
    }

    [Fact]
    public void A_general_run_never_goes_on_from_the_general_model() =>
        Assert.Equal(("gemini-3.1-flash-lite", null), Plan(Run(), General));

    [Fact]
    public void A_project_run_goes_on_from_the_general_model_whatever_base_it_names() =>
        Assert.Equal(
            ("gemini-3.5-flash", General.Id),
            Plan(Run(new TuningParameters { BaseModel = "gemini-2.5-flash" }, Guid.CreateVersion7()), General));

    [Fact]
    public void A_general_model_on_a_retired_base_stops_a_project_with_a_reason()
    {
        var (plan, reason) = TuningPlan.Make(
            Run(projectId: Guid.CreateVersion7()), Files, General with { BaseModel = "gemini-2.5-flash" },
            Catalogues.Usual, "us-central1", new DateOnly(2026, 11, 25));

        Assert.Null(plan);
        Assert.Equal(
            "the general model cannot be tuned further, train it again first: gemini-2.5-flash was retired on 2026-10-20; "
            + "use gemini-3.5-flash",
            reason);
    }

    [Theory]
    [InlineData(1_000_000_000, 10_000_000, 1_000, 0, true)]
    [InlineData(1_000_000_001, 100, 0, 0, false)]
    [InlineData(1, 10_000_001, 0, 0, false)]
    [InlineData(1, 100, 1_000, 0, true)]
    [InlineData(1, 10_000, 3_000, 0, true)]
    [InlineData(1, 10_000, 3_001, 0, false)]
    [InlineData(1, 100_000, 5_000, 0, true)]
    [InlineData(1, 100_000, 5_001, 0, false)]
    [InlineData(403, 100, 10, 100, true)]
    [InlineData(403, 100, 10, 101, false)]
    [InlineData(3, 100, 10, 1, false)]
    public void Datasets_stay_within_vertexs_limits(
        long bytes, int train, int validation, long validationBytes, bool isTaken)
    {
        var dataset = Files with
        {
            TrainBytes = bytes,
            TrainExamples = train,
            ValidationExamples = validation,
            ValidationBytes = validationBytes,
        };

        Assert.Equal(isTaken, DatasetLimits.Check(dataset) is null);
        Assert.Equal(isTaken, DatasetLimits.Measure(dataset).All(each => each.Value <= each.Limit));
    }

    [Theory]
    [InlineData(JobState.Succeeded, TuningJobState.Succeeded)]
    [InlineData(JobState.PartiallySucceeded, TuningJobState.PartiallySucceeded)]
    [InlineData(JobState.Failed, TuningJobState.Failed)]
    [InlineData(JobState.Cancelled, TuningJobState.Cancelled)]
    [InlineData(JobState.Expired, TuningJobState.Expired)]
    [InlineData(JobState.Cancelling, TuningJobState.Cancelling)]
    [InlineData(JobState.Unspecified, TuningJobState.Working)]
    [InlineData(JobState.Queued, TuningJobState.Working)]
    [InlineData(JobState.Pending, TuningJobState.Working)]
    [InlineData(JobState.Running, TuningJobState.Working)]
    [InlineData(JobState.Paused, TuningJobState.Working)]
    [InlineData(JobState.Updating, TuningJobState.Working)]
    [InlineData((JobState)99, TuningJobState.Working)]
    public void States_that_nobody_knows_keep_polling(JobState vertex, TuningJobState ours) =>
        Assert.Equal(ours, TuningJobStates.Of(vertex));

    private static (string?, RunId?) Plan(Run run, ReadyModel? general)
    {
        var (plan, reason) = TuningPlan.Make(
            run, Files, general, Catalogues.Usual, "us-central1", new DateOnly(2026, 11, 25));
        Assert.Null(reason);
        return (plan?.BaseModel, plan?.Parent?.Id);
    }

    private static CreateTuningJobRequest Build(Run run, TuningPlan plan, int attempt = 1) =>
        TuningRequest.Build(Target, run, Files, plan, "gs://b/f/attempts/1/train.jsonl", attempt);

    private static Run Run(TuningParameters? wish = null, Guid? projectId = null) => new()
    {
        Id = General.Id,
        OrganizationId = Files.OrganizationId,
        ProjectId = projectId,
        Purpose = RunPurpose.Training,
        Trigger = RunTrigger.Manual,
        RequestedBy = "tester",
        ParametersJson = (RunParameters.Default with { Tuning = wish ?? new TuningParameters() }).ToJson(),
        Version = 1,
        State = RunState.Exported,
        Epoch = 1,
        StepAttempts = 1,
        PollCount = 0,
        CreatedAt = DateTimeOffset.UnixEpoch,
        IsOverdue = false,
    };
}
