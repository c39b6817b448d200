using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FeedbackLoop.Examples;

/// <summary>
/// Puts each document on one side, by its own hash alone: new data moves no document from one side to the other, and no
/// document stands on two.
/// </summary>
public static class DocumentSplit
{
    public const string Train = "train";
    public const string Validation = "validation";

    /// <summary>Held out: models are compared on it, and no tuning job is given it.</summary>
    public const string Test = "test";

    // "held-out": which documents are held out depends on nothing that a run can choose, so a project's held-out documents
    // are those of its organization too, and of every run.
    private const long HeldOutSalt = 0x68656c642d6f7574;

    /// <param name="testShare">Of all documents, 0 to 1; growing it moves documents to the test side, never back.</param>
    /// <param name="validationShare">Of the others, 0 to 1; growing it moves documents from train to validation.</param>
    public static string SideOf(long seed, Guid documentId, double testShare, double validationShare) =>
        PositionOf(HeldOutSalt, documentId) < testShare ? Test
        : PositionOf(seed, documentId) < validationShare ? Validation
        : Train;

    /// <summary>Where a seed puts an id, uniform in [0, 1): a share of all ids lies below that share.</summary>
    public static double PositionOf(long seed, Guid id)
    {
        // The first 53 bits of a hash, as many as a double holds.
        Span<byte> input = stackalloc byte[24];
        BinaryPrimitives.WriteInt64BigEndian(input, seed);
        id.TryWriteBytes(input[8..], bigEndian: true, out _);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        return (BinaryPrimitives.ReadUInt64BigEndian(hash) >> 11) * (1.0 / (1UL << 53));
    }
}
