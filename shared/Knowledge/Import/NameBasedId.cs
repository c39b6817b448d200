using System.Security.Cryptography;
using System.Text;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>An id that follows from names: the same names give the same id, in every process at any time.</summary>
/// <remarks>
/// RFC 9562, version 8: the first 128 bits of SHA-256 over the scope's bytes and the names, each followed by a zero
/// byte, which no name contains.
/// </remarks>
internal static class NameBasedId
{
    public static Guid Create(Guid scope, params ReadOnlySpan<string> names)
    {
        var size = 16;
        foreach (var name in names)
        {
            size += Encoding.UTF8.GetMaxByteCount(name.Length) + 1;
        }

        var bytes = size <= 1024 ? stackalloc byte[size] : new byte[size];
        scope.TryWriteBytes(bytes, bigEndian: true, out var length);
        foreach (var name in names)
        {
            length += Encoding.UTF8.GetBytes(name, bytes[length..]);
            bytes[length++] = 0;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..length], hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
