using System.Text.Json;

namespace FeedbackLoop.Tuning;

/// <summary>
/// One way through Vertex AI's list of tuning jobs, as far as it has come. It takes as many deliveries or sweeps as it
/// needs; what it has not read to the end proves no absence.
/// </summary>
public sealed record ListingPass
{
    /// <summary>So many times in a row a pass begins anew. Then a person is asked why it never ends.</summary>
    public const int MostRestarts = 8;

    /// <summary>
    /// So many times the create time must have fallen, and never risen, before the order counts as newest first: a list
    /// in an order of its own falls twenty times in a row once in 10^19 lists.
    /// </summary>
    public const int LeastFalls = 20;

    /// <summary>How far Google's clock may be behind the one that wrote a run's creation.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(1);

    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(1);

    /// <summary>By the database's clock, before the first page was asked for.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Of the page that is read next; empty for the first one.</summary>
    public string PageToken { get; init; } = "";

    /// <summary>Whether the last page is read.</summary>
    public bool IsAtEnd { get; init; }

    /// <summary>How many were read.</summary>
    public int Jobs { get; init; }

    public DateTimeOffset? LastCreatedAt { get; init; }

    /// <summary>How often a job was older than the one before it.</summary>
    public int Falls { get; init; }

    /// <summary>Whether some job was younger than the one before it, or told no create time.</summary>
    public bool HasRisen { get; init; }

    /// <summary>How often it has begun anew, without an end in between.</summary>
    public int Restarts { get; init; }

    /// <summary>The attempt that it is read for; 0 for a sweep's.</summary>
    public int Attempt { get; init; }

    /// <summary>Jobs of the pages so far that the reader must not forget.</summary>
    public IReadOnlyList<TuningJob> Found { get; init; } = [];

    public bool IsGivenUp => Restarts >= MostRestarts;

    public static ListingPass Begin(DateTimeOffset now) => new() { StartedAt = now };

    /// <param name="found">Of the page, what must not be forgotten.</param>
    public ListingPass Add(TuningJobPage page, IEnumerable<TuningJob> found)
    {
        var (last, falls, hasRisen) = (LastCreatedAt, Falls, HasRisen);
        foreach (var job in page.Jobs)
        {
            hasRisen |= job.CreatedAt > last || job.CreatedAt == DateTimeOffset.UnixEpoch;
            falls += job.CreatedAt < last ? 1 : 0;
            last = job.CreatedAt;
        }

        return this with
        {
            PageToken = page.NextToken,
            IsAtEnd = page.NextToken.Length == 0,
            Jobs = Jobs + page.Jobs.Count,
            LastCreatedAt = last,
            Falls = falls,
            HasRisen = hasRisen,
            Found = [.. Found.Concat(found).DistinctBy(job => job.Name)],
        };
    }

    /// <summary>From the first page again. A job that was found stays found.</summary>
    public ListingPass Restart(DateTimeOffset now) =>
        Begin(now) with { Restarts = Restarts + 1, Attempt = Attempt, Found = Found };

    /// <summary>The pass that goes on from what was saved.</summary>
    public static ListingPass GoOn(ListingPass? saved, DateTimeOffset now) => saved switch
    {
        null or { IsAtEnd: true } => Begin(now),
        _ when now - saved.StartedAt > LongestLife => saved.Restart(now),
        _ => saved,
    };

    /// <summary>
    /// Whether every job that was created since then is among those that were read: the last page is read, or the pages
    /// so far fall in their create times and have come past that time.
    /// </summary>
    public bool Proves(DateTimeOffset since) =>
        IsAtEnd || (!HasRisen && Falls >= LeastFalls && LastCreatedAt < since - ClockTolerance);

    public string ToJson() => JsonSerializer.Serialize(this, TuningJson.Default.ListingPass);

    /// <exception cref="JsonException">Something else than <see cref="ToJson"/> writes.</exception>
    public static ListingPass? FromJson(string? json) =>
        json is null ? null : JsonSerializer.Deserialize(json, TuningJson.Default.ListingPass);
}
