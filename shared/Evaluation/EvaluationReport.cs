namespace FeedbackLoop.Evaluation;

/// <param name="Comparison">New model against this one; null for the new model itself.</param>
public sealed record ModelReport(string Role, EvaluationScores Scores, EvaluationComparison? Comparison);

/// <summary>What the answers to the held-out chunks say about a new model.</summary>
/// <param name="Reference">Role of the model that the new one would replace; null without an evaluation.</param>
/// <param name="Models">Those that answered something.</param>
public sealed record EvaluationReport(
    PromotionDecision Decision, string? Reference, IReadOnlyList<ModelReport> Models)
{
    // Any one will do, if it is always the same: a repeat must come to the same verdict.
    private const int BootstrapSeed = 1;

    // Who answers extractions today is first; when that one is gone, the next tier answers, here as well.
    private static readonly string[] ByTier = [ComparedWith.Live, ComparedWith.General, ComparedWith.Base];

    /// <summary>An evaluation without a single question.</summary>
    /// <param name="reason">Why nothing could be asked.</param>
    /// <param name="isTunedInUse">Whether extractions use a tuned model.</param>
    public static EvaluationReport Empty(string reason, bool isTunedInUse, PromotionPolicy policy)
    {
        var decision = PromotionGate.Decide(comparison: null, isTunedInUse, policy);
        return new(decision with { Reason = reason }, Reference: null, []);
    }

    /// <summary>The same, with a new model that does not go live whatever its answers say.</summary>
    public EvaluationReport KeptBack(string reason) => this with
    {
        Decision = new(
            Decision.Verdict == EvaluationVerdict.Worse ? EvaluationVerdict.Worse : EvaluationVerdict.NoEvidence,
            GoesLive: false, Models.Count == 0 ? reason : $"{reason}; {Decision.Reason}"),
    };

    /// <param name="subjects">Those that took part, also those that are gone.</param>
    /// <param name="answers">Of all of them, each chunk once for each model.</param>
    /// <param name="isOutOfTime">
    /// Whether the new model has had its time: what others answered and it did not, it then cannot answer.
    /// </param>
    public static EvaluationReport Of(
        IReadOnlyList<EvaluationSubject> subjects, IReadOnlyList<EvaluationAnswer> answers, bool isOutOfTime,
        PromotionPolicy policy)
    {
        var byRole = answers
            .GroupBy(answer => answer.Role)
            .ToDictionary(group => group.Key, group => group.ToDictionary(answer => answer.Position, answer => answer.Score));
        var self = byRole.GetValueOrDefault(ComparedWith.Self) ?? [];
        if (isOutOfTime)
        {
            // What the best one has answered at another time says nothing of who could have answered now.
            foreach (var answer in answers.Where(answer => answer.Role != ComparedWith.Best))
            {
                self.TryAdd(answer.Position, Unanswered(answer.Score));
            }
        }

        var models = new List<ModelReport>();
        if (self.Count > 0)
        {
            models.Add(new(ComparedWith.Self, Scores(self), Comparison: null));
        }

        // Who would be replaced is the first one that is there, however little it has answered.
        var present = ByTier
            .Where(role => subjects.FirstOrDefault(subject => subject.Role == role) is { Problem: null })
            .ToList();
        // What the best one has answered counts, whether it can still be asked or not.
        foreach (var role in present.Append(ComparedWith.Best))
        {
            if (byRole.GetValueOrDefault(role) is { Count: > 0 } other)
            {
                models.Add(new(role, Scores(other), Compare(self, other)));
            }
        }

        var reference = present.FirstOrDefault();
        var best = subjects.FirstOrDefault(subject => subject.Role == ComparedWith.Best);
        return new(Decide(reference, best, models, policy), reference, models);
    }

    private static PromotionDecision Decide(
        string? reference, EvaluationSubject? best, List<ModelReport> models, PromotionPolicy policy)
    {
        var isTunedInUse = reference is ComparedWith.Live or ComparedWith.General;
        PromotionDecision Judge(ModelReport? other) => PromotionGate.Decide(other?.Comparison, isTunedInUse, policy);

        var decision = Judge(models.Find(model => model.Role == reference));
        if (decision.Verdict == EvaluationVerdict.Worse)
        {
            return decision;
        }

        // Losses that are each too small to be seen add up: whoever is worse than the best one has lost, whatever came between.
        if (models.Find(model => model.Role == ComparedWith.Best) is { } former
            && Judge(former) is { Verdict: EvaluationVerdict.Worse } loss)
        {
            return loss with
            {
                Reason = $"than version {best?.Version}, the best that was ever in use here: {loss.Reason}; "
                    + $"than the {reference} model: {decision.Reason}",
            };
        }

        if (decision.Verdict == EvaluationVerdict.Better)
        {
            return decision;
        }

        // What is worse than the base model is not wanted, also when nobody can tell it from the model in use.
        foreach (var other in models.Where(model => model.Comparison is not null && model.Role != reference))
        {
            if (Judge(other) is { Verdict: EvaluationVerdict.Worse } worse)
            {
                return worse with { Reason = $"than the {other.Role} model: {worse.Reason}" };
            }
        }

        return !models.Exists(model => model.Role == ComparedWith.Self)
                ? decision with { Reason = "the new model has answered no held-out chunk" }
            : !models.Exists(model => model.Role == reference)
                ? decision with { Reason = $"the {reference} model has answered no held-out chunk" }
            : decision;
    }

    private static EvaluationScores Scores(Dictionary<int, ChunkScore> answers) =>
        EvaluationScores.Of([.. answers.OrderBy(answer => answer.Key).Select(answer => answer.Value)]);

    // Only what both have answered: a difference of different chunks is none of the models.
    private static EvaluationComparison Compare(
        Dictionary<int, ChunkScore> self, Dictionary<int, ChunkScore> other)
    {
        var positions = self.Keys.Where(other.ContainsKey).Order().ToList();
        IReadOnlyList<ChunkScore> one = [.. positions.Select(position => self[position])];
        IReadOnlyList<ChunkScore> two = [.. positions.Select(position => other[position])];

        // Any number of texts with nothing to find says nothing of how well a model finds things.
        return new(
            one.Where(chunk => !chunk.IsEmptyText).Select(chunk => chunk.DocumentId).Distinct().Count(), one.Count,
            PairedBootstrap.Compare(one, two, chunk => chunk.Entities, BootstrapSeed),
            PairedBootstrap.Compare(one, two, chunk => chunk.TypedRelationships, BootstrapSeed),
            one.Count(chunk => chunk.IsValid), two.Count(chunk => chunk.IsValid),
            InventionComparison.Of(one.Zip(two)));
    }

    private static ChunkScore Unanswered(ChunkScore answered) => new(
        answered.DocumentId, IsValid: false,
        answered.ByType
            .Where(type => type.Value.Expected > 0)
            .ToDictionary(type => type.Key, type => Missed(type.Value)),
        Missed(answered.Relationships), Missed(answered.TypedRelationships), Names: 0, GroundedNames: 0);

    private static Counts Missed(Counts counts) => new(0, 0, counts.Expected);
}
