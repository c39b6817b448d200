using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Exports;

/// <summary>The files of a dataset, and only those: a name from outside never becomes a path.</summary>
internal static class ExportFiles
{
    public static IReadOnlyList<ExportFile> Of(RunId id, DatasetMetadata metadata) =>
    [
        .. metadata.Files
            .OrderBy(file => DatasetFiles.All.IndexOf(file.Key))
            .Select(file => new ExportFile(
                file.Key, file.Value.Examples, file.Value.Bytes, file.Value.Sha256, HrefOf(id, file.Key))),
        new ExportFile(DatasetFiles.Metadata, null, null, null, HrefOf(id, DatasetFiles.Metadata)),
    ];

    private static string HrefOf(RunId id, string name) =>
        $"{RunStarter.HrefOf(id, RunPurpose.Export)}/download/{name}";
}
