namespace FeedbackLoop.Statistics;

/// <summary>What a project has to train on, by the rules of an export with default criteria but for the threshold.</summary>
/// <param name="Verified">Current objects that count as true: human-reviewed and automatically accepted ones.</param>
/// <param name="Undecided">Neither verified nor rejected.</param>
/// <param name="ByType">Those with most verified objects first.</param>
/// <param name="ExamplesAvailable">
/// Extractions that would become an example, as far as that can be known without their texts: an export may still leave some
/// out for personal data, duplicates, an empty text or their length. Of the texts with nothing to find only as many are among
/// them as an export takes.
/// </param>
/// <param name="EmptyTexts">Extractions whose text is verified to hold nothing.</param>
/// <param name="ExcludedUndecided">Extractions that would become one if more of their objects were decided.</param>
/// <param name="RecentExamples">
/// Of the available ones, those whose last change is of the last <see cref="ExamplePace.Days"/> days (UTC), today among them.
/// </param>
/// <param name="NewExamplesSinceLastTraining">
/// Of the available ones, those that changed after the last successful training read its data; null when there was none.
/// </param>
/// <param name="LastTrainedOn">When the last successful training read its data.</param>
/// <param name="PendingChanges">
/// Changes that are not in these figures yet, counted up to <see cref="StatisticsReader.PendingLimit"/>; 0 when the figures
/// are those of the moment of reading.
/// </param>
/// <param name="CountedAt">When changes were last brought into the figures.</param>
/// <param name="LastChangeAt">When something that counts last changed; null when there never was an object.</param>
public sealed record TrainingStatistics(
    Guid OrganizationId,
    Guid ProjectId,
    long Verified,
    long HumanReviewed,
    long AutoAccepted,
    long Rejected,
    long Undecided,
    IReadOnlyList<TypeStatistics> ByType,
    long ExamplesAvailable,
    long EmptyTexts,
    long ExcludedUndecided,
    long RecentExamples,
    long? NewExamplesSinceLastTraining,
    DateTimeOffset? LastTrainedOn,
    long PendingChanges,
    DateTimeOffset? CountedAt,
    DateTimeOffset? LastChangeAt)
{
    /// <summary>New examples a day within the last 14 days; null when there were none.</summary>
    public double? ExamplesPerDay => ExamplePace.PerDay(RecentExamples);
}

/// <summary>Current objects of one type.</summary>
public sealed record TypeStatistics(string Type, long HumanReviewed, long AutoAccepted, long Rejected, long Undecided)
{
    public long Verified => HumanReviewed + AutoAccepted;
}

/// <summary>The sums over an organization's projects that are not deleted.</summary>
/// <param name="EmptyTexts">As for a project, of all of them.</param>
/// <param name="RecentExamples">As for a project, of all of them.</param>
/// <param name="NewExamplesSinceLastTraining">Since the last successful training of the general model.</param>
/// <param name="UncountedProjects">Projects that have not been counted yet: their figures are 0.</param>
/// <param name="PendingChanges">As for a project, of all of them.</param>
/// <param name="Projects">Those with most verified objects first.</param>
public sealed record OrganizationStatistics(
    Guid OrganizationId,
    long Verified,
    long HumanReviewed,
    long AutoAccepted,
    long Rejected,
    long Undecided,
    IReadOnlyList<TypeStatistics> ByType,
    long ExamplesAvailable,
    long EmptyTexts,
    long ExcludedUndecided,
    long RecentExamples,
    long? NewExamplesSinceLastTraining,
    DateTimeOffset? LastTrainedOn,
    long PendingChanges,
    int UncountedProjects,
    DateTimeOffset? LastChangeAt,
    IReadOnlyList<ProjectSummary> Projects)
{
    /// <summary>New examples a day within the last 14 days; null when there were none.</summary>
    public double? ExamplesPerDay => ExamplePace.PerDay(RecentExamples);
}

/// <param name="LastChangeAt">Null when there never was an object.</param>
public sealed record ProjectSummary(
    Guid ProjectId, string Name, long Verified, long ExamplesAvailable, DateTimeOffset? LastChangeAt);
