using System.Globalization;
using System.Security.Cryptography;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using Google.Cloud.AIPlatform.V1;
using Google.Protobuf;
using AdapterSize = Google.Cloud.AIPlatform.V1.SupervisedHyperParameters.Types.AdapterSize;
using Job = Google.Cloud.AIPlatform.V1.TuningJob;

namespace FeedbackLoop.Tuning;

/// <summary>The one request that creates a run's tuning job.</summary>
public static class TuningRequest
{
    /// <summary>Longest display name of a tuned model. Source: <c>tuning_job.proto</c>.</summary>
    public const int LongestDisplayName = 128;

    /// <param name="trainUri">The attempt's own copy of train.jsonl, which no other attempt names.</param>
    public static CreateTuningJobRequest Build(
        TuningTarget target, Run run, Dataset dataset, TuningPlan plan, string trainUri, int attempt)
    {
        var spec = new SupervisedTuningSpec
        {
            TrainingDatasetUri = trainUri,
            ValidationDatasetUri = dataset.ValidationUri ?? "",

            // Each other checkpoint would get an endpoint of its own.
            ExportLastCheckpointOnly = true,
        };
        if (HyperParameters(run.Parameters.Tuning) is { } hyperParameters)
        {
            spec.HyperParameters = hyperParameters;
        }

        var job = new Job
        {
            SupervisedTuningSpec = spec,
            TunedModelDisplayName = DisplayName(run),
            Description = $"Run {run.Id} of {run.Scope}",
            Labels =
            {
                { TuningLabels.App, TuningLabels.AppValue },
                { TuningLabels.Environment, target.Environment },
                { TuningLabels.Run, RunLabel(run.Id) },
                { TuningLabels.Attempt, attempt.ToString(CultureInfo.InvariantCulture) },
            },
        };
        if (plan.Parent is { } parent)
        {
            job.PreTunedModel = new PreTunedModel { TunedModelName = parent.VertexModel };
        }
        else
        {
            job.BaseModel = plan.BaseModel;
        }

        return new CreateTuningJobRequest { Parent = target.Parent, TuningJob = job };
    }

    /// <summary>
    /// The object that the next request names. Never the master file: an attempt without an answer burns its object, so
    /// that a request that lands late finds nothing. After a refusal nothing can land, and the object serves again.
    /// </summary>
    /// <param name="folder">Of the dataset, with a slash at the end.</param>
    /// <param name="attempts">Those that the run has made, the latest last.</param>
    public static string AttemptFile(string folder, IReadOnlyList<TuningAttempt> attempts) =>
        attempts is [.., { State: AttemptState.Rejected } last]
            ? DatasetUri.NameOf(last.DatasetUri)
            : $"{folder}attempts/{attempts.Count + 1}/train.jsonl";

    /// <summary>SHA-256 of what goes over the wire, lower-case hex.</summary>
    public static string Hash(CreateTuningJobRequest request) =>
        Convert.ToHexStringLower(SHA256.HashData(request.ToByteArray()));

    /// <summary>A run's id as a label may hold it: lower-case letters, digits, <c>_</c> and <c>-</c>, at most 63.</summary>
    public static string RunLabel(RunId id) => id.Value.ToString("D", CultureInfo.InvariantCulture);

    /// <summary>The run that a job says it was made for; null when its label is not one of ours.</summary>
    public static Guid? RunOf(TuningJob job) =>
        Guid.TryParseExact(job.Label(TuningLabels.Run), "D", out var id) ? id : null;

    // Always its own: on top of a tuned model the same name would make a version of that model instead of a new one. The
    // run's id is a second mark by which a job is known.
    private static string DisplayName(Run run)
    {
        var kind = run.ProjectId is { } project ? $"project {project}" : $"general {run.OrganizationId}";
        var name = $"feedback-loop {kind} run {run.Id}";
        return name.Length <= LongestDisplayName ? name : name[^LongestDisplayName..];
    }

    // What nobody chose is left out, and Vertex chooses: a zero would be sent as a wish.
    private static SupervisedHyperParameters? HyperParameters(TuningParameters wish)
    {
        if (wish is { Epochs: null, LearningRateMultiplier: null, AdapterSize: null })
        {
            return null;
        }

        var parameters = new SupervisedHyperParameters();
        if (wish.Epochs is { } epochs)
        {
            parameters.EpochCount = epochs;
        }

        if (wish.LearningRateMultiplier is { } multiplier)
        {
            parameters.LearningRateMultiplier = multiplier;
        }

        if (wish.AdapterSize is { } size)
        {
            parameters.AdapterSize = size switch
            {
                1 => AdapterSize.One,
                2 => AdapterSize.Two,
                4 => AdapterSize.Four,
                8 => AdapterSize.Eight,
                16 => AdapterSize.Sixteen,
                _ => throw new InvalidOperationException($"adapter size {size} passed the catalogue"),
            };
        }

        return parameters;
    }
}
