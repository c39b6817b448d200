using System.Data;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using FeedbackLoop.Tuning;
using Npgsql;

namespace FeedbackLoop.Metrics;

/// <summary>Results of extractions, and the reviews of what they stored, to the figures of a scope.</summary>
/// <param name="open">A connection that sees the organization: any one of the pool, or one that is bound to it.</param>
/// <param name="catalogue">For the prices.</param>
public sealed class MetricsReader(
    Func<CancellationToken, ValueTask<NpgsqlConnection>> open, BaseModelCatalogue catalogue, VerificationOptions verification)
{
    private static readonly string[] Tiers = [ModelTier.Project, ModelTier.General, ModelTier.Base];

    /// <param name="scope">An organization's figures are those of all its projects together.</param>
    /// <param name="shownProjects">Projects whose models are listed one by one; null: all. The sums are of all in any case.</param>
    public async Task<ExtractionMetrics> ReadAsync(
        Scope scope, MetricsPeriod period, Guid[]? shownProjects, CancellationToken cancellationToken)
    {
        await using var db = await open(cancellationToken);
        await using var snapshot = await db.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await db.AdvisePlannerAsync(isLong: period.IsByWeek, cancellationToken);
        var projects = await db.ListMeasuredProjectsAsync(scope, cancellationToken);
        var rows = await db.ReadMetricsAsync(
            scope.OrganizationId, projects, shownProjects, period, verification, cancellationToken);
        var latencies = await db.ReadLatenciesAsync(scope.OrganizationId, projects, period, cancellationToken);
        return new Reading(period, catalogue, rows, latencies).Of(scope);
    }

    /// <summary>The rows of one reading, by what they are about.</summary>
    private sealed class Reading(
        MetricsPeriod period, BaseModelCatalogue catalogue, IReadOnlyList<MetricsRow> rows,
        IReadOnlyList<LatencyRow> latencies)
    {
        private const int OfBucket = 8;

        private static readonly MetricsRow Nothing = new(
            (int)MetricsLevel.Total, null, null, null, null, null, null, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0);

        private readonly ILookup<(MetricsLevel Level, string? Tier, string? ModelKey), MetricsRow> _whole =
            rows.Where(row => row.Bucket is null).ToLookup(row => KeyOf(row, (MetricsLevel)row.Level));

        private readonly ILookup<(MetricsLevel Level, string? Tier, string? ModelKey), MetricsRow> _byBucket =
            rows.Where(row => row.Bucket is not null).ToLookup(row => KeyOf(row, (MetricsLevel)(row.Level + OfBucket)));

        private readonly Dictionary<(string?, string?), LatencyRow> _latencies =
            latencies.ToDictionary(row => (row.Tier, row.ModelKey));

        public ExtractionMetrics Of(Scope scope)
        {
            var total = _whole[(MetricsLevel.Total, null, null)].FirstOrDefault(Nothing);
            var tiers = Tiers.Select(tier => _whole[(MetricsLevel.Tier, tier, null)].FirstOrDefault(Nothing with { Tier = tier }))
                .ToArray();
            var models = rows.Where(row => row.Level == (int)MetricsLevel.Model)
                .OrderByDescending(row => row.Extractions)
                .ThenBy(row => row.Tier, StringComparer.Ordinal)
                .ThenBy(row => ModelKeyOf(row), StringComparer.Ordinal)
                .Select(row => new ModelMetrics(
                    row.Tier!, row.ModelId, row.ProjectId, row.Version, row.BaseModel, // a model's row has a tier
                    Figures(row, total.Extractions, MetricsLevel.Model, CostOf([row]))))
                .ToArray();
            return new(
                scope.OrganizationId, scope.ProjectId, period.From, period.To, period.Bucket,
                Figures(total, total.Extractions, MetricsLevel.Total, CostOf(Priced())),
                [.. tiers.Select(row => new TierMetrics(
                    row.Tier!, // by the list of tiers
                    Figures(row, total.Extractions, MetricsLevel.Tier, CostOf(Priced().Where(each => each.Tier == row.Tier)))))],
                models, total.Models - models.Length,
                TunedAgainstBase.Of(
                    Accuracy(tiers.Where(row => row.Tier != ModelTier.Base)),
                    Accuracy(tiers.Where(row => row.Tier == ModelTier.Base))));
        }

        private IEnumerable<MetricsRow> Priced() => rows.Where(row => row.Level == (int)MetricsLevel.TierAndBaseModel);

        // One price that is missing makes the sum unknown.
        private decimal? CostOf(IEnumerable<MetricsRow> parts) => parts
            .Select(row => ServingCost.Usd(row.Tier!, row.BaseModel, TokensOf(row), catalogue)) // a priced row has a tier
            .Aggregate((decimal?)0, (sum, cost) => sum + cost);

        private ExtractionFigures Figures(MetricsRow row, long all, MetricsLevel level, decimal? costUsd)
        {
            var key = KeyOf(row, level);
            var latency = _latencies.GetValueOrDefault((key.Tier, key.ModelKey));
            return new(
                row.Extractions, new Share(row.Extractions, all).Rate, new(row.Fallbacks, row.Extractions),
                new(row.Invalid, row.Extractions), new(row.Repaired, row.Extractions),
                new(latency?.P50Ms, latency?.P95Ms), TokensOf(row), costUsd, Reviews(row), Accuracy([row]),
                new(row.Accepted + row.Corrected, Decided(row)),
                new(
                    row.EmptyTexts, row.TextsWithInventions, row.Invented,
                    row.EmptyTexts == 0 ? null : (double)row.Invented / row.EmptyTexts),
                new(row.NeedsReview, row.NeedsReviewOf),
                [.. OverTime(key)]);
        }

        private IEnumerable<MetricsPoint> OverTime((MetricsLevel Level, string?, string?) key)
        {
            var points = _byBucket[key].ToDictionary(row => period.Start(row.Bucket!.Value)); // by the filter
            return period.Starts
                .Where(start => key.Level == MetricsLevel.Total || points.ContainsKey(start))
                .Select(start => (Start: start, Row: points.GetValueOrDefault(start, Nothing)))
                .Select(each => new MetricsPoint(
                    each.Start, each.Row.Extractions, Accuracy([each.Row]), new(each.Row.NeedsReview, each.Row.NeedsReviewOf)));
        }

        private static ReviewOutcomes Reviews(MetricsRow row)
        {
            var found = Decided(row) + row.AcceptedWithoutReview + row.RejectedWithoutReview + row.Undecided;
            return new(
                found, row.Accepted, row.Corrected, row.Rejected, row.AcceptedWithoutReview, row.RejectedWithoutReview,
                row.Undecided, Math.Max(0, row.Stored - found),
                new(row.TypeChanges, row.NameChanges, row.DescriptionChanges, row.PropertyChanges, row.KeyChanges));
        }

        private static Estimate Accuracy(IEnumerable<MetricsRow> rows) =>
            new(rows.Sum(row => row.Accepted), rows.Sum(Decided));

        private static long Decided(MetricsRow row) => row.Accepted + row.Corrected + row.Rejected;

        private static TokenCounts TokensOf(MetricsRow row) => new(row.InputTokens, row.OutputTokens);

        private static (MetricsLevel Level, string? Tier, string? ModelKey) KeyOf(MetricsRow row, MetricsLevel level) =>
            (level, row.Tier, level == MetricsLevel.Model ? ModelKeyOf(row) : null);

        private static string ModelKeyOf(MetricsRow row) => row.ModelId?.ToString() ?? row.BaseModel ?? "";
    }
}
