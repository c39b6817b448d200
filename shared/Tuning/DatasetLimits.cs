using FeedbackLoop.Datasets;

namespace FeedbackLoop.Tuning;

/// <param name="Name">What is limited.</param>
/// <param name="Value">What the files have.</param>
/// <param name="Limit">The most that the service takes.</param>
public sealed record DatasetLimit(string Name, long Value, long Limit);

/// <summary>
/// What Vertex AI takes as a dataset, so that a file it would refuse costs no call. Source: "About supervised fine-tuning",
/// Limitations, 2026-09-25; text only.
/// </summary>
public static class DatasetLimits
{
    public const long MaxTrainBytes = 1_000_000_000;
    public const int MaxTrainExamples = 10_000_000;

    /// <summary>Each limit with what the files have.</summary>
    public static IReadOnlyList<DatasetLimit> Measure(Dataset dataset) =>
    [
        new("train_bytes", dataset.TrainBytes, MaxTrainBytes),
        new("train_examples", dataset.TrainExamples, MaxTrainExamples),
        new("validation_examples", dataset.ValidationExamples, ValidationLimits.MostExamples(dataset.TrainExamples)),
        new("validation_bytes", dataset.ValidationBytes ?? 0, ValidationLimits.MostBytes(dataset.TrainBytes)),
    ];

    /// <returns>Why Vertex would refuse the dataset; null when it would not.</returns>
    public static string? Check(Dataset dataset) => dataset switch
    {
        { TrainExamples: 0 } => "train.jsonl has no example any more: its documents were forgotten",
        { TrainBytes: > MaxTrainBytes } =>
            $"train.jsonl has {dataset.TrainBytes} bytes, and Vertex takes {MaxTrainBytes}",
        { TrainExamples: > MaxTrainExamples } =>
            $"train.jsonl has {dataset.TrainExamples} examples, and Vertex takes {MaxTrainExamples}",
        _ => ValidationLimits.Check(
            dataset.TrainExamples, dataset.TrainBytes, dataset.ValidationExamples, dataset.ValidationBytes ?? 0),
    };
}
