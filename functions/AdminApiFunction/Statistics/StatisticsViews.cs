using FeedbackLoop.Preflights;
using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;

namespace FeedbackLoop.AdminApi.Statistics;

/// <summary>How far it is to the fewest examples that a training needs, by a count that does not read the texts.</summary>
/// <param name="Examples">
/// At most so many: what an export leaves out for its text (personal data, duplicates, length) is among them.
/// </param>
/// <param name="Minimum">Fewest examples that a training of this tier needs.</param>
/// <param name="DaysLeft">
/// Until there are enough, at the pace of the last two weeks; null when there are, or when no example came in.
/// </param>
internal sealed record TrainingMinimum(long Examples, int Minimum, int? DaysLeft)
{
    /// <summary>False: too few for certain. True: perhaps enough; a preflight tells.</summary>
    public bool IsMet => Examples >= Minimum;

    public static TrainingMinimum Of(int minimum, long examples, long recentExamples) =>
        new(examples, minimum, ExamplePace.DaysTo(minimum, examples, recentExamples));
}

/// <summary>What a training would cost, if its examples were as long as those of the last dataset.</summary>
/// <param name="BaseModel">The one that would be tuned, or the one below the general model.</param>
/// <param name="Tokens">Of one epoch.</param>
/// <param name="Epochs">Assumed: by default Vertex chooses.</param>
/// <param name="UsdPerMillionTokens">Price of the catalogue; null: it has none.</param>
/// <param name="Usd">Tokens × epochs × price; null without a price.</param>
internal sealed record CostForecast(string BaseModel, long Tokens, int Epochs, decimal? UsdPerMillionTokens, decimal? Usd);

/// <summary>What the latest preflight of the scope found.</summary>
/// <param name="CheckedAt">The moment of its data.</param>
/// <param name="IsCurrent">Whether nothing that counts has changed since.</param>
/// <param name="IsOfTheseSettings">Whether it was checked with what is asked for here, and defaults for the rest.</param>
/// <param name="IsEnough">Whether the data sufficed for a training.</param>
/// <param name="Examples">Those that a training would write, on all sides.</param>
/// <param name="Minimum">Fewest that it needed.</param>
/// <param name="Excluded">Candidates that would not become examples, by reason.</param>
/// <param name="Refusal">Why the data did not suffice; null when it did.</param>
internal sealed record LastPreflight(
    DateTimeOffset CheckedAt, bool IsCurrent, bool IsOfTheseSettings, bool IsEnough, int Examples, int Minimum,
    IReadOnlyDictionary<string, int> Excluded, string? Refusal)
{
    /// <param name="criteria">What the statistics are asked for.</param>
    /// <param name="lastChangeAt">When something that counts last changed.</param>
    /// <param name="pendingChanges">Changes of which that is not known.</param>
    public static LastPreflight? Of(
        PreflightReport? report, ExportCriteria criteria, DateTimeOffset? lastChangeAt, long pendingChanges) =>
        report is null ? null : new(
            report.CheckedAt,
            pendingChanges == 0 && (lastChangeAt is null || lastChangeAt <= report.CheckedAt),
            AsText(report.Parameters.Export) == AsText(criteria),
            report.IsDataEnough, report.Counts.Examples, report.Minimum, report.Excluded,
            report.Refusals.FirstOrDefault(
                each => each.Kind is PreflightObstacle.TooLittleData or PreflightObstacle.DatasetLimits)?.Reason);

    // As it is stored, whatever members it has. Where only people's reviews count, no confidence does.
    private static string AsText(ExportCriteria criteria)
    {
        var known = criteria.HumanReviewedOnly ? criteria with { MinConfidence = 1 } : criteria;
        return (RunParameters.Default with { Export = known }).ToJson();
    }
}

/// <param name="Cost">Null until something of the scope, or of its organization, has been exported.</param>
/// <param name="Preflight">Null until the scope was checked. Whether there is enough to train on is known from here.</param>
internal sealed record ProjectStatisticsView(
    TrainingStatistics Statistics, TrainingMinimum Minimum, CostForecast? Cost, LastPreflight? Preflight);

/// <param name="Statistics">Its <c>projects</c> are those that the caller may see; the sums are of all.</param>
/// <param name="Cost">Null until something of the organization has been exported.</param>
/// <param name="Preflight">Null until the general model's data was checked; as for a project.</param>
internal sealed record OrganizationStatisticsView(
    OrganizationStatistics Statistics, TrainingMinimum Minimum, CostForecast? Cost, LastPreflight? Preflight);
