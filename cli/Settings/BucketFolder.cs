using System.Text.RegularExpressions;
using FeedbackLoop.Datasets;
using FeedbackLoop.GoogleCloud;

namespace FeedbackLoop.Cli.Settings;

/// <summary>A folder in Cloud Storage.</summary>
/// <param name="Folder">With a slash at the end; empty for the bucket's root.</param>
internal sealed partial record BucketFolder(string Bucket, string Folder)
{
    private const string Scheme = "gs://";

    public static bool IsMeant(string text) => text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);

    /// <exception cref="CommandException">Not <c>gs://bucket</c> or <c>gs://bucket/folder</c>.</exception>
    public static BucketFolder Parse(string text)
    {
        var parts = IsMeant(text) ? text[Scheme.Length..].Split('/', 2) : [];
        if (parts is not [var bucket, ..] || !BucketName().IsMatch(bucket))
        {
            throw CommandException.Usage($"{text} names no bucket", "Write gs://bucket or gs://bucket/folder.");
        }

        var folder = parts is [_, var path] && path.Trim('/') is { Length: > 0 } inside ? inside + "/" : "";

        // Cloud Storage's own limit is 1,024 bytes for the whole name.
        return folder.Length <= 900
            ? new(bucket, folder)
            : throw CommandException.Usage(
                $"the folder in {Scheme}{bucket}/… has {folder.Length} characters", "At most 900 can be used.");
    }

    /// <exception cref="CommandException">This machine has no credentials.</exception>
    public IDatasetStore Open(OperatorSettings settings)
    {
        var emulator = settings.FindAddress("GoogleCloud:StorageAddress", "STORAGE_EMULATOR_HOST");
        return new GcsDatasetStore(
            GcsDatasetStore.CreateService(emulator, emulator is null ? MachineCredentials.Find() : null), Bucket);
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$")]
    private static partial Regex BucketName();
}
