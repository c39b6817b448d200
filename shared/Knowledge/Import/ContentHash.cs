using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>SHA-256 over a sequence of strings and numbers, none of which can be mistaken for its neighbour.</summary>
internal sealed class ContentHash : IDisposable
{
    // Neither byte occurs in UTF-8.
    private const byte EndOfValue = 0xFF;
    private const byte NoValue = 0xFE;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Add(string? value)
    {
        if (value is not null)
        {
            _hash.AppendData(Encoding.UTF8.GetBytes(value));
        }

        _hash.AppendData([value is null ? NoValue : EndOfValue]);
    }

    public void Add(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        _hash.AppendData(bytes);
    }

    /// <summary>Lower-case hex of everything since the last call.</summary>
    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public void Dispose() => _hash.Dispose();
}
