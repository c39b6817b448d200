namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>
/// The moments right after an effect of a forgetting, where a process may die; see <see cref="Platform.Failpoint"/>.
/// </summary>
public static class ForgettingPoint
{
    public const string Recorded = "forget.recorded";
    public const string FileWritten = "forget.file_written";
    public const string MetadataErased = "forget.metadata_erased";
    public const string MetadataWritten = "forget.metadata_written";
    public const string DatasetRecorded = "forget.dataset_recorded";
    public const string FileErased = "forget.file_erased";
    public const string FileStruckOff = "forget.file_struck_off";
    public const string LeftoverErased = "forget.leftover_erased";

    public static IReadOnlyList<string> All { get; } =
    [
        Recorded, FileWritten, MetadataErased, MetadataWritten, DatasetRecorded, FileErased, FileStruckOff, LeftoverErased,
    ];
}
