using System.Globalization;
using System.Text;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>Buckets and their live objects. The index is in memory, everything else in the data directory.</summary>
internal sealed class ObjectStore
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);
    private readonly CloudStorageOptions _options;
    private readonly string _uploads;
    private long _lastGeneration;

    public ObjectStore(CloudStorageOptions options)
    {
        _options = options;
        _uploads = Directory.CreateDirectory(Path.Combine(options.DataDirectory, "uploads")).FullName;
        foreach (var left in Directory.EnumerateFiles(_uploads))
        {
            File.Delete(left);
        }

        var buckets = Directory.CreateDirectory(Path.Combine(options.DataDirectory, "buckets"));
        foreach (var directory in buckets.EnumerateDirectories().Select(each => new ObjectDirectory(each.FullName)))
        {
            if (directory.Load() is not var (bucket, objects))
            {
                continue;
            }

            var loaded = new Bucket(bucket, directory);
            foreach (var stored in objects)
            {
                loaded.Objects.Add(stored.Name, stored);
                _lastGeneration = Math.Max(_lastGeneration, stored.Generation);
            }

            _buckets.Add(bucket.Name, loaded);
        }
    }

    /// <summary>An empty file that no object owns yet. It disappears at the next start.</summary>
    public ContentFile NewContent()
    {
        var path = Path.Combine(_uploads, Guid.CreateVersion7(_options.Time.GetUtcNow()).ToString("N"));
        File.WriteAllBytes(path, []);
        return new ContentFile(path);
    }

    public StoredBucket AddBucket(StoredBucket bucket)
    {
        lock (_lock)
        {
            if (_buckets.ContainsKey(bucket.Name))
            {
                throw new StorageRefusal(
                    409, "conflict",
                    "Your previous request to create the named bucket succeeded and you already own it.");
            }

            var directory = new ObjectDirectory(Path.Combine(_options.DataDirectory, "buckets", bucket.Name));
            directory.Create(bucket);
            _buckets.Add(bucket.Name, new Bucket(bucket, directory));
            return bucket;
        }
    }

    public StoredBucket GetBucket(string name)
    {
        lock (_lock)
        {
            return Find(name).Resource;
        }
    }

    public IReadOnlyList<StoredObject> List(string bucket, string prefix)
    {
        lock (_lock)
        {
            return [.. Find(bucket).Objects.Values
                .Where(stored => stored.Name.StartsWith(prefix, StringComparison.Ordinal))];
        }
    }

    public StoredObject Get(string bucket, string name, Precondition condition)
    {
        lock (_lock)
        {
            return condition.Check(Find(bucket).Objects.GetValueOrDefault(name))
                ?? throw StorageRefusal.NoObject(bucket, name);
        }
    }

    /// <summary>The live object and its content, opened together: a later delete does not disturb the reader.</summary>
    public (StoredObject Stored, FileStream Content) Open(string bucket, string name, Precondition condition)
    {
        lock (_lock)
        {
            var stored = Get(bucket, name, condition);
            var path = Find(bucket).Directory.ContentOf(stored.Generation);
            return (stored, File.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        }
    }

    /// <summary>Refuses a write that could not succeed now.</summary>
    public void CheckWrite(string bucket, string name, long? ifGenerationMatch)
    {
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > 1024)
        {
            throw StorageRefusal.Invalid("An object name has 1 to 1024 bytes.");
        }

        lock (_lock)
        {
            Precondition.CheckWrite(Find(bucket).Objects.GetValueOrDefault(name), ifGenerationMatch);
        }
    }

    /// <summary>Makes the content visible under its name, in place of what was there.</summary>
    public StoredObject Commit(
        string bucket, string name, ObjectInput input, ContentFile content, long? ifGenerationMatch, Uri host)
    {
        Precondition.CheckDigest("CRC32C", input.Crc32c, content.Crc32C);
        Precondition.CheckDigest("MD5 hash", input.Md5Hash, content.Md5);
        lock (_lock)
        {
            var home = Find(bucket);
            var old = home.Objects.GetValueOrDefault(name);
            Precondition.CheckWrite(old, ifGenerationMatch);

            var now = _options.Time.GetUtcNow();
            _lastGeneration = Math.Max(_lastGeneration + 1, now.ToUnixTimeMilliseconds() * 1000);
            var stored = Describe(bucket, name, input, content, _lastGeneration, now, host);
            home.Directory.Add(stored, content.Path);
            home.Objects[name] = stored;
            if (old is not null)
            {
                home.Directory.Remove(old.Generation);
            }

            return stored;
        }
    }

    public void Delete(string bucket, string name, Precondition condition)
    {
        lock (_lock)
        {
            var stored = Get(bucket, name, condition);
            var home = Find(bucket);
            home.Objects.Remove(name);
            home.Directory.Remove(stored.Generation);
        }
    }

    /// <summary>Changes one byte of the content and leaves checksums and size as they were.</summary>
    public void Corrupt(string bucket, string name)
    {
        lock (_lock)
        {
            var stored = Get(bucket, name, Precondition.None);
            using var file = File.Open(Find(bucket).Directory.ContentOf(stored.Generation), FileMode.Open);
            var first = file.ReadByte();
            file.Position = 0;
            file.WriteByte((byte)(first ^ 0xFF));
        }
    }

    private static StoredObject Describe(
        string bucket, string name, ObjectInput input, ContentFile content, long generation, DateTimeOffset now,
        Uri host)
    {
        var number = generation.ToString(CultureInfo.InvariantCulture);
        var path = $"storage/v1/b/{bucket}/o/{Uri.EscapeDataString(name)}";
        return new StoredObject
        {
            Id = $"{bucket}/{name}/{number}",
            SelfLink = new Uri(host, path).AbsoluteUri,
            MediaLink = new Uri(host, $"download/{path}?generation={number}&alt=media").AbsoluteUri,
            Name = name,
            Bucket = bucket,
            Generation = generation,
            ContentType = input.ContentType,
            ContentEncoding = input.ContentEncoding,
            CacheControl = input.CacheControl,
            Size = content.Length,
            Md5Hash = content.Md5,
            Crc32c = content.Crc32C,
            Etag = Convert.ToBase64String(Encoding.ASCII.GetBytes(number)),
            TimeCreated = now,
            Updated = now,
            Metadata = input.Metadata,
        };
    }

    private Bucket Find(string name) => _buckets.GetValueOrDefault(name) ?? throw StorageRefusal.NoBucket();

    private sealed record Bucket(StoredBucket Resource, ObjectDirectory Directory)
    {
        public SortedDictionary<string, StoredObject> Objects { get; } = new(StringComparer.Ordinal);
    }
}
