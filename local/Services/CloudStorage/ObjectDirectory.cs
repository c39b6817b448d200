using System.Globalization;
using System.Text.Json;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>
/// The files of one bucket: <c>bucket.json</c>, and for each object <c>GENERATION.bin</c> and <c>GENERATION.json</c>.
/// An object exists when its JSON file does.
/// </summary>
internal sealed class ObjectDirectory(string path)
{
    public string ContentOf(long generation) => Path.Combine(path, Name(generation) + ".bin");

    public void Create(StoredBucket bucket)
    {
        Directory.CreateDirectory(path);
        var json = JsonSerializer.SerializeToUtf8Bytes(bucket, StorageJson.Default.StoredBucket);
        WriteWhole(Path.Combine(path, "bucket.json"), json);
    }

    public void Add(StoredObject stored, string contentPath)
    {
        File.Move(contentPath, ContentOf(stored.Generation));
        var json = JsonSerializer.SerializeToUtf8Bytes(stored, StorageJson.Default.StoredObject);
        WriteWhole(Path.Combine(path, Name(stored.Generation) + ".json"), json);
    }

    public void Remove(long generation)
    {
        File.Delete(Path.Combine(path, Name(generation) + ".json"));
        File.Delete(ContentOf(generation));
    }

    /// <returns>Null when the directory holds no bucket.</returns>
    public (StoredBucket Bucket, IReadOnlyList<StoredObject> Objects)? Load()
    {
        var bucketFile = Path.Combine(path, "bucket.json");
        if (!File.Exists(bucketFile))
        {
            return null;
        }

        var bucket = JsonSerializer.Deserialize(File.ReadAllBytes(bucketFile), StorageJson.Default.StoredBucket)!;
        var all = Directory.EnumerateFiles(path, "*.json")
            .Where(file => Path.GetFileName(file) != "bucket.json")
            .Select(file => JsonSerializer.Deserialize(File.ReadAllBytes(file), StorageJson.Default.StoredObject)!)
            .ToList();

        // Two generations of one name: the process died between writing the new one and removing the old one.
        var live = all.GroupBy(each => each.Name).Select(same => same.MaxBy(each => each.Generation)!).ToList();
        foreach (var old in all.Except(live))
        {
            Remove(old.Generation);
        }

        return (bucket, live);
    }

    private static string Name(long generation) => generation.ToString(CultureInfo.InvariantCulture);

    private static void WriteWhole(string file, byte[] content)
    {
        File.WriteAllBytes(file + ".new", content);
        File.Move(file + ".new", file, overwrite: true);
    }
}
