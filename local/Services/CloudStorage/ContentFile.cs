using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>Content that arrives piece by piece: it goes to a file, and the checksums grow with it.</summary>
internal sealed class ContentFile(string path) : IDisposable
{
    /// <summary>Bytes; a resumable upload stands at a multiple of it until its last chunk.</summary>
    public const int Granule = 256 * 1024;

#pragma warning disable CA5351 // Cloud Storage publishes MD5 as a checksum, not for security.
    private readonly IncrementalHash _md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
    private uint _crc = 0xFFFFFFFF;

    public string Path => path;

    /// <summary>Bytes written so far.</summary>
    public long Length { get; private set; }

    /// <summary>Base64 of the big-endian checksum, as the service writes it.</summary>
    public string Crc32C
    {
        get
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, ~_crc);
            return Convert.ToBase64String(bytes);
        }
    }

    public string Md5 => Convert.ToBase64String(_md5.GetCurrentHash());

    /// <summary>Appends what comes until the end, or until <paramref name="limit"/> bytes are taken.</summary>
    /// <remarks>
    /// When the source breaks off, whole granules stay and the rest of the last one is forgotten, as in the real
    /// service. Clients count on it: Google.Apis 1.78 garbles its buffer when less than 64 KiB of a block is kept.
    /// </remarks>
    public async Task AppendAsync(Stream source, long limit, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Granule);
        await using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        try
        {
            while (limit > 0)
            {
                var wanted = (int)Math.Min(Granule, limit);
                var read = await source.ReadAtLeastAsync(
                    buffer.AsMemory(0, wanted), wanted, throwOnEndOfStream: false, cancellationToken);
                await file.WriteAsync(buffer.AsMemory(0, read), CancellationToken.None);
                Count(buffer.AsSpan(0, read));
                limit = read < wanted ? 0 : limit - read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Removes the file, unless it has become an object's and lives elsewhere.</summary>
    public void Dispose()
    {
        _md5.Dispose();
        File.Delete(path);
    }

    private void Count(ReadOnlySpan<byte> bytes)
    {
        _md5.AppendData(bytes);
        Length += bytes.Length;
        var crc = _crc;
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        _crc = crc;
    }
}
