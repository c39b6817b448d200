using FeedbackLoop.Statistics;

namespace FeedbackLoop.AdminApi.Statistics;

/// <summary>Whether there is enough to train on.</summary>
/// <param name="Examples">Extractions that would become an example by what is known without their texts.</param>
/// <param name="Minimum">Fewest examples that a training of this tier needs.</param>
/// <param name="DaysLeft">
/// Until there are enough, at the pace of the last two weeks; null when there are, or when no example came in.
/// </param>
internal sealed record TrainingMinimum(long Examples, int Minimum, int? DaysLeft)
{
    public bool IsMet => Examples >= Minimum;

    public static TrainingMinimum Of(int minimum, long examples, long recentExamples) =>
        new(examples, minimum, ExamplePace.DaysTo(minimum, examples, recentExamples));
}

/// <summary>What a training would cost, if its examples were as long as those of the last dataset.</summary>
/// <param name="BaseModel">The one that would be tuned, or the one below the general model.</param>
/// <param name="Tokens">Of one epoch.</param>
/// <param name="Epochs">Assumed: by default Vertex chooses.</param>
/// <param name="UsdPerMillionTokens">Price of the catalogue.</param>
/// <param name="Usd">Tokens × epochs × price.</param>
internal sealed record CostForecast(string BaseModel, long Tokens, int Epochs, decimal UsdPerMillionTokens, decimal Usd);

/// <param name="Cost">Null until something of the scope, or of its organization, has been exported.</param>
internal sealed record ProjectStatisticsView(TrainingStatistics Statistics, TrainingMinimum Minimum, CostForecast? Cost);

/// <param name="Statistics">Its <c>projects</c> are those that the caller may see; the sums are of all.</param>
/// <param name="Cost">Null until something of the organization has been exported.</param>
internal sealed record OrganizationStatisticsView(
    OrganizationStatistics Statistics, TrainingMinimum Minimum, CostForecast? Cost);
