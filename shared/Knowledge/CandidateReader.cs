using System.Runtime.CompilerServices;

namespace FeedbackLoop.Knowledge;

/// <summary>One extraction's chunk with everything current that was extracted from it.</summary>
/// <param name="Chunk">Null when no chunk can be named: then the objects are those without one.</param>
/// <param name="Verified">Objects with their properties, ordered by canonical id.</param>
/// <param name="Relationships">Those that start at a verified object of this candidate.</param>
/// <param name="IsEmpty">It is verified that the text holds nothing; see <see cref="KnowledgeSql.IsEmpty"/>.</param>
public sealed record Candidate(
    SourceChunk? Chunk,
    IReadOnlyList<ExtractedObject> Verified,
    IReadOnlyList<ExtractedRelationship> Relationships,
    int RejectedCount,
    int UndecidedCount,
    bool IsEmpty = false)
{
    /// <summary>Objects of any verdict.</summary>
    public int ObjectCount => Verified.Count + RejectedCount + UndecidedCount;
}

/// <summary>Merges the three ordered streams of a snapshot into candidates, one at a time.</summary>
public static class CandidateReader
{
    /// <param name="contradicted">
    /// Extractions whose text another one found something in, see <see cref="DocumentContents.ContradictedJobs"/>.
    /// </param>
    public static async IAsyncEnumerable<Candidate> ReadCandidatesAsync(
        this KnowledgeSnapshot snapshot, IReadOnlySet<Guid> contradicted,
        [EnumeratorCancellation] CancellationToken cancellationToken)
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
            var tally = new Tally();
            while (hasObject && objects.Current.JobId == job && objects.Current.ChunkId == chunk)
            {
                tally.Add(objects.Current);
                hasObject = await objects.MoveNextAsync();
            }

            if (chunk is null)
            {
                if (tally.IsCandidate)
                {
                    yield return tally.ToCandidate(chunk: null, []);
                }

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

            if (tally.IsCandidate)
            {
                var candidate = tally.ToCandidate(chunks.Current, found);
                yield return job is { } id && contradicted.Contains(id) ? candidate with { IsEmpty = false } : candidate;
            }
        }
    }

    /// <summary>The rows of one extraction and chunk.</summary>
    private sealed class Tally
    {
        private readonly List<ExtractedObject> _verified = [];
        private int _rejected;
        private int _undecided;
        private bool _isConfirmed;
        private bool _isSourced = true;
        private bool _areAllRefused = true;
        private bool _areAllOut = true;

        private bool IsEmpty => _isSourced && (_isConfirmed ? _areAllOut : _areAllRefused);

        /// <summary>Deleted objects alone say nothing, unless people had rejected them all.</summary>
        public bool IsCandidate => _verified.Count + _rejected + _undecided > 0 || _isConfirmed || IsEmpty;

        public void Add(ExtractedObject row)
        {
            _isSourced &= row.IsSourced;
            _areAllRefused &= row.IsRefused;
            switch (row.Verdict)
            {
                case Verdict.Verified:
                    _verified.Add(row);
                    _areAllOut = false;
                    break;
                case Verdict.Rejected:
                    _rejected++;
                    break;
                case Verdict.Undecided:
                    _undecided++;
                    _areAllOut = false;
                    break;
                case Verdict.Confirmation:
                    _isConfirmed = true;
                    break;
                case Verdict.Deleted:
                    break;
                default:
                    throw new InvalidOperationException($"no verdict {row.Verdict}");
            }
        }

        public Candidate ToCandidate(SourceChunk? chunk, IReadOnlyList<ExtractedRelationship> relationships) => new(
            chunk, _verified, relationships, _rejected, _undecided, IsEmpty);
    }
}
