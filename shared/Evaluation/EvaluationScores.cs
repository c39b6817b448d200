namespace FeedbackLoop.Evaluation;

/// <summary>Precision, recall and F1 of something.</summary>
public sealed record Score(int Correct, int Answered, int Expected, double? Precision, double? Recall, double? F1)
{
    public static Score Of(Counts counts) =>
        new(counts.Correct, counts.Answered, counts.Expected, counts.Precision, counts.Recall, counts.F1);
}

/// <summary>What one model made of the held-out chunks.</summary>
/// <param name="ValidRate">Share of answers that could be read, 0 to 1; null without chunks.</param>
/// <param name="Entities">Micro average: all entities of all chunks in one count.</param>
/// <param name="EntitiesMacroF1">
/// Mean F1 of the types that were expected or answered, each with the same weight; null when there is none.
/// </param>
/// <param name="GroundingRate">Share of the answered names that the text has; null when nothing was named.</param>
/// <param name="EmptyTexts">
/// Of the texts in which nothing is to be found; null when there was none, or the evaluation is from before they were counted.
/// </param>
public sealed record EvaluationScores(
    int Chunks, double? ValidRate, Score Entities, double? EntitiesMacroF1, IReadOnlyDictionary<string, Score> ByType,
    Score Relationships, Score TypedRelationships, double? GroundingRate, EmptyTextScore? EmptyTexts = null)
{
    public static EvaluationScores Of(IReadOnlyCollection<ChunkScore> chunks)
    {
        var byType = new SortedDictionary<string, Counts>(StringComparer.Ordinal);
        foreach (var (type, counts) in chunks.SelectMany(chunk => chunk.ByType))
        {
            byType[type] = byType.GetValueOrDefault(type) + counts;
        }

        var names = chunks.Sum(chunk => chunk.Names);
        return new(
            chunks.Count,
            chunks.Count == 0 ? null : (double)chunks.Count(chunk => chunk.IsValid) / chunks.Count,
            Score.Of(Sum(chunks, chunk => chunk.Entities)),
            byType.Count == 0 ? null : byType.Values.Average(counts => counts.F1 ?? 0),
            byType.ToDictionary(each => each.Key, each => Score.Of(each.Value)),
            Score.Of(Sum(chunks, chunk => chunk.Relationships)),
            Score.Of(Sum(chunks, chunk => chunk.TypedRelationships)),
            names == 0 ? null : (double)chunks.Sum(chunk => chunk.GroundedNames) / names,
            EmptyTextScore.Of(chunks));
    }

    private static Counts Sum(IEnumerable<ChunkScore> chunks, Func<ChunkScore, Counts> part) =>
        chunks.Select(part).Aggregate(default(Counts), Counts.Add);
}
