using System.Collections.Immutable;

namespace FeedbackLoop.Datasets;

/// <summary>Names of the files of a dataset, inside its folder.</summary>
public static class DatasetFiles
{
    public const string Train = "train.jsonl";
    public const string Validation = "validation.jsonl";
    public const string Test = "test.jsonl";
    public const string Metadata = "metadata.json";

    /// <summary>All that an export may write, the last one last.</summary>
    public static ImmutableArray<string> All { get; } = [Train, Validation, Test, Metadata];
}
