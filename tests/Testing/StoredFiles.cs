using FeedbackLoop.GoogleCloud;

namespace FeedbackLoop.Testing;

/// <summary>What stands in a bucket, or below a folder, for tests that look at all of it.</summary>
public static class StoredFiles
{
    /// <param name="storage">Address of the local Cloud Storage.</param>
    public static async Task<IReadOnlyDictionary<string, byte[]>> OfBucketAsync(
        Uri storage, string bucket, CancellationToken cancellationToken)
    {
        using var service = GcsDatasetStore.CreateService(storage, credential: null);
        var files = new Dictionary<string, byte[]>();
        string? page = null;
        do
        {
            var request = service.Objects.List(bucket);
            request.PageToken = page;
            var listed = await request.ExecuteAsync(cancellationToken);
            foreach (var file in listed.Items ?? [])
            {
                using var content = new MemoryStream();
                await service.Objects.Get(bucket, file.Name).DownloadAsync(content, cancellationToken);
                files[file.Name] = content.ToArray();
            }

            page = listed.NextPageToken;
        }
        while (page is not null);
        return files;
    }

    public static IReadOnlyDictionary<string, byte[]> OfFolder(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(
            path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'), File.ReadAllBytes)
        : new Dictionary<string, byte[]>();
}
