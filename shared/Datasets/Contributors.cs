using FeedbackLoop.Examples;

namespace FeedbackLoop.Datasets;

/// <summary>
/// Which examples of a person are learnt from, when that person has more than the share: those with the smallest hashes, so
/// that a smaller share takes some of the same.
/// </summary>
internal sealed class Contributors
{
    // "contribu": which texts with nothing to find are taken is no reason for whose examples are.
    private const long Salt = 0x636f6e7472696275;

    private readonly long _seed;
    private readonly Dictionary<string, double> _highest;

    private Contributors(long seed, bool isLimited, Dictionary<string, double> highest) =>
        (_seed, IsLimited, _highest) = (seed, isLimited, highest);

    /// <summary>Whether enough people review for a share to be kept.</summary>
    public bool IsLimited { get; }

    /// <remarks>Examples are counted before their texts are looked at; <see cref="ContributorQuota"/> keeps the share.</remarks>
    /// <param name="examples">
    /// Extractions that may become examples to learn from, with the person whose decision each is; null: nobody's.
    /// </param>
    public static Contributors Choose(IEnumerable<(Guid JobId, string? Person)> examples, double maxShare, long seed)
    {
        var (positions, others) = (new Dictionary<string, List<double>>(StringComparer.Ordinal), 0L);
        foreach (var (job, person) in examples)
        {
            if (person is null)
            {
                others++;
                continue;
            }

            if (!positions.TryGetValue(person, out var own))
            {
                positions[person] = own = [];
            }

            own.Add(PositionOf(seed, job));
        }

        var highest = new Dictionary<string, double>(StringComparer.Ordinal);
        if (maxShare >= ContributorShare.Off || positions.Count < ContributorShare.FewestPeople)
        {
            return new(seed, isLimited: false, highest);
        }

        var cap = ContributorShare.Cap([.. positions.Values.Select(own => (long)own.Count)], others, maxShare);
        foreach (var (person, own) in positions.Where(each => each.Value.Count > cap))
        {
            own.Sort();
            highest[person] = cap == 0 ? -1 : own[(int)cap - 1];
        }

        return new(seed, isLimited: true, highest);
    }

    /// <param name="jobId">Of an extraction that is not held out.</param>
    public bool Takes(Guid jobId, string? person) =>
        person is null || !_highest.TryGetValue(person, out var highest) || PositionOf(_seed, jobId) <= highest;

    private static double PositionOf(long seed, Guid jobId) => DocumentSplit.PositionOf(seed ^ Salt, jobId);
}
