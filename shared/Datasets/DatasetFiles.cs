namespace FeedbackLoop.Datasets;

/// <summary>What an export calls its files.</summary>
public static class DatasetFiles
{
    public const string Train = "train.jsonl";
    public const string Validation = "validation.jsonl";
    public const string Test = "test.jsonl";
    public const string Metadata = "metadata.json";
}
