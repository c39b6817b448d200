namespace FeedbackLoop.Examples;

/// <summary>How many examples of one person a dataset takes. Decides and does nothing else.</summary>
public static class ContributorShare
{
    /// <summary>
    /// With fewer people there is no share to keep: of two that review, one has at least half.
    /// </summary>
    public const int FewestPeople = 3;

    /// <summary>The smallest share that three people can keep.</summary>
    public const double Smallest = 0.34;

    /// <summary>Every example.</summary>
    public const double Off = 1;

    /// <summary>
    /// Most examples of each person, so that nobody has more than the share of what is then taken: the largest number that does.
    /// </summary>
    /// <param name="counts">Of each person.</param>
    /// <param name="others">Examples that are nobody's.</param>
    /// <param name="maxShare">Of all that are taken, above 0 to 1.</param>
    public static long Cap(IReadOnlyCollection<long> counts, long others, double maxShare)
    {
        // From the top down: who takes fewer leaves fewer for the share to be of, and no smaller number is passed over.
        for (var cap = counts.DefaultIfEmpty().Max(); ;)
        {
            var allowed = Allowed(others + counts.Sum(count => Math.Min(count, cap)), maxShare);
            if (allowed >= cap)
            {
                return cap;
            }

            cap = allowed;
        }
    }

    /// <summary>Most examples of one person among so many.</summary>
    public static long Allowed(long examples, double maxShare) => (long)Math.Floor((examples * maxShare) + 1e-9);
}
