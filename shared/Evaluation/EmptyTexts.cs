using System.Globalization;

namespace FeedbackLoop.Evaluation;

/// <summary>What one model made of the held-out texts in which nothing is to be found.</summary>
/// <param name="Texts">How many there are.</param>
/// <param name="WithInventions">Those in which the model named an entity.</param>
/// <param name="InventedEntities">All that it named in them: whatever it is, it is wrong.</param>
/// <param name="InventedPerText"><paramref name="InventedEntities"/> / <paramref name="Texts"/>.</param>
public sealed record EmptyTextScore(int Texts, int WithInventions, int InventedEntities, double InventedPerText)
{
    /// <returns>Null when something is to be found in every text.</returns>
    public static EmptyTextScore? Of(IEnumerable<ChunkScore> chunks)
    {
        var empty = chunks.Where(chunk => chunk.IsEmptyText).ToList();
        var invented = empty.Sum(chunk => chunk.Entities.Answered);
        return empty.Count == 0
            ? null
            : new(empty.Count, empty.Count(chunk => chunk.Entities.Answered > 0), invented, (double)invented / empty.Count);
    }
}

/// <summary>What two models invented in the same texts in which nothing is to be found.</summary>
/// <param name="Texts">That both answered in a form that can be read: what cannot be read names nothing.</param>
/// <param name="Invented">Entities of the new model.</param>
/// <param name="OtherInvented">Entities of the old one.</param>
/// <param name="MoreIn">Documents in which the new model invented more.</param>
/// <param name="FewerIn">Documents in which it invented fewer.</param>
public sealed record InventionComparison(int Texts, int Invented, int OtherInvented, int MoreIn, int FewerIn)
{
    /// <summary>A difference by chance is called one at most so often.</summary>
    private const double Level = 0.025;

    /// <summary>
    /// Whether the new model invents more, and not by chance: the exact sign test, one-sided, of the documents in which the
    /// two differ. It holds for any number of documents; with fewer than six it never says so.
    /// </summary>
    public bool IsClearlyMore => MoreIn > FewerIn && ChanceOfAtLeast(MoreIn, MoreIn + FewerIn) <= Level;

    /// <param name="pairs">Of the new model and of the old one, each chunk.</param>
    /// <returns>Null when there is no such text.</returns>
    public static InventionComparison? Of(IEnumerable<(ChunkScore New, ChunkScore Old)> pairs)
    {
        var empty = pairs.Where(pair => pair is { New: { IsEmptyText: true, IsValid: true }, Old.IsValid: true }).ToList();

        // Chunks of one document resemble each other: one by one they would count for more than they are.
        var documents = empty
            .GroupBy(
                pair => pair.New.DocumentId,
                pair => (New: pair.New.Entities.Answered, Old: pair.Old.Entities.Answered))
            .Select(each => (New: each.Sum(pair => pair.New), Old: each.Sum(pair => pair.Old)))
            .ToList();
        return empty.Count == 0
            ? null
            : new(
                empty.Count, documents.Sum(each => each.New), documents.Sum(each => each.Old),
                documents.Count(each => each.New > each.Old), documents.Count(each => each.New < each.Old));
    }

    /// <summary>Such as "9 entities invented in 12 texts with nothing to find, up from 2".</summary>
    public string InWords() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Counted(Invented, "entity", "entities")} invented in {Counted(Texts, "text", "texts")} with nothing to find, {Change()}");

    private string Change() => Invented.CompareTo(OtherInvented) switch
    {
        > 0 => string.Create(CultureInfo.InvariantCulture, $"up from {OtherInvented:N0}"),
        < 0 => string.Create(CultureInfo.InvariantCulture, $"down from {OtherInvented:N0}"),
        _ => "as many as before",
    };

    private static string Counted(int count, string one, string many) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many)}");

    /// <summary>How likely a fair coin shows heads at least <paramref name="heads"/> times in <paramref name="tosses"/>.</summary>
    private static double ChanceOfAtLeast(int heads, int tosses)
    {
        // In logarithms: two to the thousandth is no double any more.
        var (sum, chance) = (0.0, -tosses * Math.Log(2));
        for (var k = 0; k <= tosses; k++)
        {
            sum += k >= heads ? Math.Exp(chance) : 0;
            chance += Math.Log(tosses - k) - Math.Log(k + 1);
        }

        return sum;
    }
}
