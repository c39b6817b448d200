using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FeedbackLoop.Examples;

/// <summary>
/// Puts each document on one side, by its own hash alone: new data moves no document from one side to the other, and no
/// document stands on both.
/// </summary>
public static class DocumentSplit
{
    public const string Train = "train";
    public const string Validation = "validation";

    /// <param name="validationShare">0 to 1; growing it moves documents from train to validation, never back.</param>
    public static string SideOf(long seed, Guid documentId, double validationShare) =>
        Position(seed, documentId) < validationShare ? Validation : Train;

    // Uniform in [0, 1): the first 53 bits of a hash, as many as a double holds.
    private static double Position(long seed, Guid documentId)
    {
        Span<byte> input = stackalloc byte[24];
        BinaryPrimitives.WriteInt64BigEndian(input, seed);
        documentId.TryWriteBytes(input[8..], bigEndian: true, out _);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        return (BinaryPrimitives.ReadUInt64BigEndian(hash) >> 11) * (1.0 / (1UL << 53));
    }
}
