using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeedbackLoop.Metrics;

/// <summary>
/// How good, how much used, how fast and how dear the models of extractions were. <c>docs/metrics.md</c> defines every figure.
/// </summary>
/// <param name="ProjectId">Null: all of the organization, its deleted projects among them.</param>
/// <param name="From">First day (UTC) whose extractions count.</param>
/// <param name="To">Last day.</param>
/// <param name="Bucket">What a point of <c>overTime</c> stands for: <c>day</c>, or <c>week</c> from Monday on.</param>
/// <param name="Total">Its <c>overTime</c> has every bucket; those below have the buckets in which they answered.</param>
/// <param name="Tiers">Always the three: project, general, base.</param>
/// <param name="Models">Those that answered most first, at most <see cref="MetricsQueries.MostModels"/>.</param>
/// <param name="ModelsLeftOut">Models that answered and are not in the list: too many, or of projects that one may not see.</param>
public sealed record ExtractionMetrics(
    Guid OrganizationId, Guid? ProjectId, DateOnly From, DateOnly To, string Bucket, ExtractionFigures Total,
    IReadOnlyList<TierMetrics> Tiers, IReadOnlyList<ModelMetrics> Models, long ModelsLeftOut,
    TunedAgainstBase TunedAgainstBase);

/// <param name="Tier"><c>project</c>, <c>general</c> or <c>base</c>.</param>
public sealed record TierMetrics(string Tier, ExtractionFigures Figures);

/// <param name="ModelId">Null for a base model.</param>
/// <param name="ProjectId">Whose model it is; null for a general or base model.</param>
/// <param name="Version">Within the model's scope; null for a base model.</param>
/// <param name="BaseModel">Asked, or tuned; null when it was not recorded.</param>
public sealed record ModelMetrics(
    string Tier, Guid? ModelId, Guid? ProjectId, int? Version, string? BaseModel, ExtractionFigures Figures);

/// <summary>What is known of a set of extractions.</summary>
/// <param name="UsageShare">Of all extractions of the scope and period, 0 to 1; null when there were none.</param>
/// <param name="Fallbacks">Extractions that another model answered than the one that was chosen.</param>
/// <param name="Invalid">Extractions whose answer could not be read, also when asked a second time.</param>
/// <param name="Repaired">Extractions that had to be asked a second time.</param>
/// <param name="CostUsd">By the catalogue's prices; null when one of them is not known.</param>
/// <param name="Accuracy">Accepted as they were, of all objects that a person decided.</param>
/// <param name="Kept">Accepted as they were or corrected, of the same.</param>
/// <param name="EmptyTexts">What was found where nothing is to be found.</param>
/// <param name="NeedsReview">Objects that were stored for a person to look at, of all that were stored.</param>
public sealed record ExtractionFigures(
    long Extractions, double? UsageShare, Share Fallbacks, Share Invalid, Share Repaired, Latency Latency,
    TokenCounts Tokens, decimal? CostUsd, ReviewOutcomes Reviews, Estimate Accuracy, Estimate Kept, EmptyTextFigures EmptyTexts,
    Share NeedsReview, IReadOnlyList<MetricsPoint> OverTime);

/// <summary>Milliseconds that the answering model took, both answers together when it was asked twice; null without answers.</summary>
public sealed record Latency(int? P50Ms, int? P95Ms);

/// <summary>What became of the objects that extractions stored. Each counts once.</summary>
/// <param name="Objects">Those below together.</param>
/// <param name="Accepted">By a person, as they were.</param>
/// <param name="Corrected">By a person, with another content.</param>
/// <param name="Rejected">By a person: rejected or deleted.</param>
/// <param name="AcceptedWithoutReview">Accepted, and no person is named.</param>
/// <param name="RejectedWithoutReview">Rejected or deleted, and no person is named.</param>
/// <param name="Undecided">All others: they wait.</param>
/// <param name="Gone">Stored, and no row is left of them; not among <paramref name="Objects"/>.</param>
/// <param name="Corrections">What was changed of the corrected ones.</param>
public sealed record ReviewOutcomes(
    long Objects, long Accepted, long Corrected, long Rejected, long AcceptedWithoutReview, long RejectedWithoutReview,
    long Undecided, long Gone, Corrections Corrections);

/// <summary>Objects whose such part was changed; one may have changed in several.</summary>
public sealed record Corrections(long Type, long Name, long Description, long Properties, long BusinessKey);

/// <summary>
/// Extractions of texts in which nothing is to be found: people rejected all that was found, or confirmed that there is nothing.
/// </summary>
/// <param name="WithInventions">Those that found something all the same.</param>
/// <param name="InventedObjects">All that they found.</param>
/// <param name="InventedPerText">Null without such texts.</param>
public sealed record EmptyTextFigures(long Texts, long WithInventions, long InventedObjects, double? InventedPerText);

/// <param name="From">First day of the bucket. What was extracted in it counts, whenever it was reviewed.</param>
public sealed record MetricsPoint(DateOnly From, long Extractions, Estimate Accuracy, Share NeedsReview);

/// <summary>The JSON of the API and of the command line: camelCase, nulls written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ExtractionMetrics))]
public sealed partial class MetricsJson : JsonSerializerContext;
