using System.Runtime.CompilerServices;

namespace FeedbackLoop.Knowledge;

/// <summary>One extraction's chunk with everything current that was extracted from it.</summary>
/// <param name="Chunk">Null when no chunk can be named: then the objects are those without one.</param>
/// <param name="Verified">Objects with their properties, ordered by canonical id.</param>
/// <param name="Relationships">Those that start at a verified object of this candidate.</param>
public sealed record Candidate(
    SourceChunk? Chunk,
    IReadOnlyList<ExtractedObject> Verified,
    IReadOnlyList<ExtractedRelationship> Relationships,
    int RejectedCount,
    int UndecidedCount)
{
    /// <summary>Objects of any verdict.</summary>
    public int ObjectCount => Verified.Count + RejectedCount + UndecidedCount;
}

/// <summary>Merges the three ordered streams of a snapshot into candidates, one at a time.</summary>
public static class CandidateReader
{
    public static async IAsyncEnumerable<Candidate> ReadCandidatesAsync(
        this KnowledgeSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var objects = snapshot.StreamObjectsAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var chunks = snapshot.StreamChunksAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var relationships =
            snapshot.StreamRelationshipsAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);

        var hasObject = await objects.MoveNextAsync();
        var hasRelationship = await relationships.MoveNextAsync();
        while (hasObject)
        {
            var (job, chunk) = (objects.Current.JobId, objects.Current.ChunkId);
            var verified = new List<ExtractedObject>();
            var (rejected, undecided) = (0, 0);
            while (hasObject && objects.Current.JobId == job && objects.Current.ChunkId == chunk)
            {
                switch (objects.Current.Verdict)
                {
                    case Verdict.Verified:
                        verified.Add(objects.Current);
                        break;
                    case Verdict.Rejected:
                        rejected++;
                        break;
                    default:
                        undecided++;
                        break;
                }

                hasObject = await objects.MoveNextAsync();
            }

            if (chunk is null)
            {
                yield return new Candidate(null, verified, [], rejected, undecided);
                continue;
            }

            var found = new List<ExtractedRelationship>();
            while (hasRelationship && relationships.Current.JobId == job && relationships.Current.ChunkId == chunk)
            {
                found.Add(relationships.Current);
                hasRelationship = await relationships.MoveNextAsync();
            }

            // Both streams name the same extractions in the same order, or the queries have come apart.
            if (!await chunks.MoveNextAsync() || chunks.Current.JobId != job || chunks.Current.ChunkId != chunk)
            {
                throw new InvalidOperationException($"the chunk stream has no row for job {job} and chunk {chunk}");
            }

            yield return new Candidate(chunks.Current, verified, found, rejected, undecided);
        }
    }
}
