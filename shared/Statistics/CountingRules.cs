using System.Globalization;
using Dapper;
using FeedbackLoop.Examples;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Statistics;

/// <summary>The default criteria of an export, as far as the counts depend on them; see <see cref="Examples.ExampleRules"/>.</summary>
public sealed class CountingRules
{
    /// <summary>Of the statements that count. To be raised when they come to other results, so that all is counted anew.</summary>
    private const int Version = 2;

    // What String.Trim takes away.
    private static readonly string WhiteSpace =
        string.Concat(Enumerable.Range(0, char.MaxValue + 1).Select(c => (char)c).Where(char.IsWhiteSpace));

    private readonly ExportCriteria _criteria = new();
    private readonly string[] _acceptedStatuses;

    public CountingRules(VerificationOptions options) =>
        _acceptedStatuses = [.. options.Statuses.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Those of an installation that has set nothing.</summary>
    public static CountingRules Default { get; } = new(new VerificationOptions());

    /// <summary>Projects that were counted by rules of another name are counted anew.</summary>
    public string Name => string.Create(
        CultureInfo.InvariantCulture,
        $"v{Version} undecided {_criteria.MaxUndecidedShare} name {_criteria.RequireName} "
        + $"description {_criteria.DescriptionLongerThan} accepted {string.Join('|', _acceptedStatuses)}");

    /// <summary>Examples that come of so many texts with content and so many with nothing to find.</summary>
    internal long Examples(long withContent, long empty) =>
        EmptyShare.Examples(withContent, empty, _criteria.MaxEmptyShare);

    /// <summary>Parameters of the statements that decide what an object or an extraction counts as.</summary>
    internal DynamicParameters Parameters(CountedProject project) => new(new
    {
        projectId = project.ProjectId,
        organizationId = project.OrganizationId,
        projects = new[] { project.ProjectId },
        minConfidence = _criteria.MinConfidence,
        humanReviewedOnly = false,
        countOwnAcceptances = false,
        acceptedStatuses = _acceptedStatuses,
        includeDeleted = true,
        seed = "",
        requireName = _criteria.RequireName,
        descriptionLongerThan = _criteria.DescriptionLongerThan,
        maxUndecidedShare = _criteria.MaxUndecidedShare,
        whiteSpace = WhiteSpace,
    });
}
