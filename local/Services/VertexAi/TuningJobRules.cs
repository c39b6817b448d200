using System.Text.RegularExpressions;
using FeedbackLoop.Local.Hosting;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;
using AdapterSize = Google.Cloud.AIPlatform.V1.SupervisedHyperParameters.Types.AdapterSize;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>
/// What CreateTuningJob accepts, as far as the request alone shows it. Source: comments of <c>tuning_job.proto</c>, and
/// messages that users quote (GoogleCloudPlatform/generative-ai #2081, googleapis/python-genai #908).
/// </summary>
internal static partial class TuningJobRules
{
    /// <returns>Project and location of the parent.</returns>
    public static (string Project, string Location) Check(CreateTuningJobRequest request, VertexAiOptions options)
    {
        if (ResourceNames.Parent(request.Parent) is not var (project, location))
        {
            throw RpcErrors.InvalidArgument("parent", $"Invalid resource name: {request.Parent}");
        }

        if (!options.TuningRegions.Contains(location))
        {
            throw RpcErrors.InvalidArgument("parent", $"Model tuning is not supported in the location {location}.");
        }

        var job = request.TuningJob ?? throw RpcErrors.InvalidArgument("tuning_job", "tuning_job is required.");
        CheckSource(job, options);
        CheckSpec(job.SupervisedTuningSpec);
        CheckLabels(job);
        if (job.TunedModelDisplayName.Length > 128)
        {
            throw RpcErrors.InvalidArgument(
                "tuning_job.tuned_model_display_name", "The display name must be up to 128 characters long.");
        }

        if (job.EncryptionSpec is not null)
        {
            throw RpcErrors.InvalidArgument(
                "tuning_job.encryption_spec", "Customer-managed encryption keys are not supported for this model.");
        }

        return (project, location);
    }

    /// <param name="kind"><c>training</c> or <c>validation</c>.</param>
    public static RpcException NotJsonLines(string kind) => RpcErrors.InvalidArgument(
        $"tuning_job.supervised_tuning_spec.{kind}_dataset_uri",
        $"{kind}_dataset_uri should be a GCS object of type JSONL");

    /// <returns>Null for anything but <c>gs://BUCKET/NAME.jsonl</c>.</returns>
    public static (string Bucket, string Name)? Dataset(string uri) =>
        DatasetPattern().Match(uri) is { Success: true } match ? (match.Groups[1].Value, match.Groups[2].Value) : null;

    private static void CheckSource(TuningJob job, VertexAiOptions options)
    {
        switch (job.SourceModelCase)
        {
            case TuningJob.SourceModelOneofCase.BaseModel when options.BaseModels.Contains(job.BaseModel):
                return;
            case TuningJob.SourceModelOneofCase.BaseModel:
                throw VertexErrors.NotFound($"The base model {job.BaseModel} is not found.", job.BaseModel);
            case TuningJob.SourceModelOneofCase.PreTunedModel when job.PreTunedModel.TunedModelName.Length > 0:
                return;
            default:
                throw RpcErrors.InvalidArgument(
                    "tuning_job.base_model", "One of base_model and pre_tuned_model must be set.");
        }
    }

    private static void CheckSpec(SupervisedTuningSpec? spec)
    {
        const string field = "tuning_job.supervised_tuning_spec";
        if (spec is null)
        {
            throw RpcErrors.InvalidArgument(field, "supervised_tuning_spec is required.");
        }

        if (Dataset(spec.TrainingDatasetUri) is null)
        {
            throw NotJsonLines("training");
        }

        if (spec.ValidationDatasetUri.Length > 0 && Dataset(spec.ValidationDatasetUri) is null)
        {
            throw NotJsonLines("validation");
        }

        if (spec.EvaluationConfig is not null)
        {
            throw VertexErrors.NotHere("evaluation within a tuning job");
        }

        var hyper = spec.HyperParameters ?? new SupervisedHyperParameters();
        if (hyper.EpochCount < 0 || hyper.LearningRateMultiplier < 0)
        {
            throw RpcErrors.InvalidArgument($"{field}.hyper_parameters", "Hyperparameters must not be negative.");
        }

        if (hyper.AdapterSize == AdapterSize.ThirtyTwo || !Enum.IsDefined(hyper.AdapterSize))
        {
            throw RpcErrors.InvalidArgument(
                $"{field}.hyper_parameters.adapter_size", "The adapter size is not supported for this base model.");
        }
    }

    private static void CheckLabels(TuningJob job)
    {
        var wrong = job.Labels.FirstOrDefault(
            label => !LabelKeyPattern().IsMatch(label.Key) || !LabelValuePattern().IsMatch(label.Value));
        if (wrong.Key is not null || job.Labels.Count > 64)
        {
            throw RpcErrors.InvalidArgument(
                "tuning_job.labels",
                $"Label {wrong.Key}={wrong.Value}: at most 64, of up to 64 lower-case letters, digits, '_' and '-'.");
        }
    }

    [GeneratedRegex(@"^gs://([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])/(.+\.jsonl)$")]
    private static partial Regex DatasetPattern();

    [GeneratedRegex("^[a-z][a-z0-9_-]{0,63}$")]
    private static partial Regex LabelKeyPattern();

    [GeneratedRegex("^[a-z0-9_-]{0,64}$")]
    private static partial Regex LabelValuePattern();
}
