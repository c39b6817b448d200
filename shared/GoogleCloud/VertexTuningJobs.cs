using FeedbackLoop.Tuning;
using Google.Cloud.AIPlatform.V1;
using Google.Protobuf.WellKnownTypes;
using Job = Google.Cloud.AIPlatform.V1.TuningJob;
using TuningJob = FeedbackLoop.Tuning.TuningJob;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Vertex's message for a tuning job to our record.</summary>
internal static class VertexTuningJobs
{
    public static TuningJob Read(Job job) => new()
    {
        Name = job.Name,
        State = TuningJobStates.Of(job.State),
        StateText = job.State.ToString(),
        Labels = new Dictionary<string, string>(job.Labels),
        BaseModel = job.BaseModel,
        PreTunedModel = job.PreTunedModel?.TunedModelName,
        TrainingDatasetUri = job.SupervisedTuningSpec?.TrainingDatasetUri ?? "",
        CreatedAt = job.CreateTime?.ToDateTimeOffset() ?? DateTimeOffset.UnixEpoch,
        StartedAt = Time(job.StartTime),
        EndedAt = Time(job.EndTime),
        Error = job.Error?.Message,
        Model = NullIfEmpty(job.TunedModel?.Model),
        Endpoint = NullIfEmpty(job.TunedModel?.Endpoint),
        CheckpointsJson = TunedCheckpoint.ToJson(
        [
            .. (job.TunedModel?.Checkpoints ?? []).Select(
                checkpoint => new TunedCheckpoint(
                    checkpoint.CheckpointId, checkpoint.Epoch, checkpoint.Step, checkpoint.Endpoint)),
        ]),
        StatisticsJson = Statistics(job.TuningDataStats?.SupervisedTuningDataStats),
    };

    private static string Statistics(SupervisedTuningDataStats? stats) => stats is null
        ? "{}"
        : new TuningStatistics(
            stats.TuningDatasetExampleCount, stats.TotalBillableTokenCount, stats.TuningStepCount,
            stats.TotalTruncatedExampleCount, stats.TruncatedExampleIndices, stats.DroppedExampleReasons).ToJson();

    private static DateTimeOffset? Time(Timestamp? time) => time?.ToDateTimeOffset();

    private static string? NullIfEmpty(string? text) => text is "" ? null : text;
}
