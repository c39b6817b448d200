using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>What became of one extracted object.</summary>
/// <param name="Status">Of <c>kb.graph_objects</c>: <c>accepted</c>, <c>draft</c> or <c>rejected</c>.</param>
/// <param name="ReviewedBy">Null when no person has looked at it.</param>
internal readonly record struct ObjectReview(string Status, float Confidence, Guid? ReviewedBy)
{
    public bool NeedsReview => Status == "draft";
}

/// <summary>
/// The reviews of one chunk's objects in their order. Reviewers work chunk by chunk, so a chunk is reviewed whole or
/// not at all, and the confidences of its objects lie close together.
/// </summary>
internal sealed class ReviewMixture
{
    /// <summary>From here on an extraction is accepted without a person, as in the export's default.</summary>
    private const double AcceptFrom = 0.85;

    private const double Spread = 0.03;

    private readonly ImportOptions _options;
    private readonly bool _isReviewed;
    private readonly double _confidence;
    private ulong _state;

    public ReviewMixture(ImportOptions options, string chunkId)
    {
        _options = options;
        _state = Hash(options.Seed, chunkId);
        _isReviewed = NextDouble() < options.ReviewedShare;
        _confidence = options.ConfidenceFrom + (NextDouble() * (1 - options.ConfidenceFrom));
        Person = Reviewers.All[(int)(NextDouble() * Reviewers.All.Count)];
    }

    /// <summary>Who looked at the chunk, if somebody did.</summary>
    public Reviewer Person { get; }

    /// <param name="review">What the line says itself, or null.</param>
    public ObjectReview Next(string? review)
    {
        // Both are drawn for every object, so that a word in one entity does not change what becomes of the next.
        var offset = (NextDouble() - 0.5) * 2 * Spread;
        var isRejected = NextDouble() < _options.RejectedShare;
        var drawn = Math.Clamp(_confidence + offset, _options.ConfidenceFrom, 1);
        var confidence = (float)Math.Round(drawn, 4);
        return review switch
        {
            "reviewed" => new("accepted", confidence, Person.Id),
            "accepted" => new("accepted", 0.95f, null),
            "pending" => new("draft", 0.6f, null),
            "rejected" => new("rejected", confidence, Person.Id),
            _ when _isReviewed => new(isRejected ? "rejected" : "accepted", confidence, Person.Id),
            _ => new(confidence >= AcceptFrom ? "accepted" : "draft", confidence, null),
        };
    }

    private static ulong Hash(long seed, string chunkId)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{seed}:{chunkId}");
        return BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
    }

    // SplitMix64: unlike System.Random its sequence is fixed by its definition and not by the version of the runtime.
    private double NextDouble()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
