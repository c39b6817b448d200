using System.ComponentModel.DataAnnotations;
using FeedbackLoop.Examples;
using FeedbackLoop.Runs;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Datasets;

/// <summary>Settings of the export, bound from the <c>Export</c> section.</summary>
public sealed class ExportOptions
{
    public const string Section = "Export";

    /// <summary>Fewest examples that a general model is worth; Google recommends 100 to start with.</summary>
    [Range(1, 1_000_000)]
    public int MinGeneralExamples { get; init; } = 100;

    /// <summary>Fewest examples that a project model is worth.</summary>
    [Range(1, 1_000_000)]
    public int MinProjectExamples { get; init; } = 50;

    /// <summary>
    /// Share of the documents that no tuning job is given, so that models can be compared on them. Growing it holds out
    /// documents that older models have learnt from.
    /// </summary>
    [Range(0.0, 0.5)]
    public double TestShare { get; init; } = 0.1;

    /// <summary>
    /// Most of a general model's train and validation examples that one person has decided about, as a share, where three or more
    /// people review; 1 takes all.
    /// </summary>
    [Range(ContributorShare.Smallest, ContributorShare.Off)]
    public double MaxGeneralContributorShare { get; init; } = 0.5;

    /// <summary>The same for a project's model. 1, which takes all, because one person often reviews a whole project.</summary>
    [Range(ContributorShare.Smallest, ContributorShare.Off)]
    public double MaxProjectContributorShare { get; init; } = ContributorShare.Off;

    /// <summary>
    /// Exports that one instance runs at once; each holds six connections of the pool. More than one, so that an export that
    /// hangs does not stop all others until its request times out.
    /// </summary>
    [Range(1, 100)]
    public int MaxConcurrentExports { get; init; } = 2;

    /// <summary>How long a worker may be silent before another one takes its export over.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How often progress is written and the lease prolonged; well below the lease.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Claims of one export before its run is given up.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; init; } = 8;

    public double MaxContributorShare(Scope scope) =>
        scope.IsGeneral ? MaxGeneralContributorShare : MaxProjectContributorShare;

    /// <summary>An export to look at needs one example; a training needs what its tier is worth.</summary>
    /// <param name="purpose">One of <see cref="RunPurpose"/>.</param>
    public int MinExamples(Scope scope, string purpose, ExportCriteria criteria) =>
        criteria.MinExamples
        ?? (purpose == RunPurpose.Export ? 1 : scope.IsGeneral ? MinGeneralExamples : MinProjectExamples);
}

[OptionsValidator]
public sealed partial class ExportOptionsValidator : IValidateOptions<ExportOptions>;
