using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Exports;

/// <summary>Writes the files of an organization, or of one project, without training.</summary>
/// <param name="OrganizationId">Either this or <paramref name="ProjectId"/>.</param>
internal sealed record StartExportInput(
    Guid? OrganizationId = null, Guid? ProjectId = null, Training.ExportInput? Export = null);

/// <summary>An export: one of its own, or the first part of a training, under the id of its run.</summary>
/// <param name="Purpose"><c>export</c> or <c>training</c>.</param>
/// <param name="Progress">How far it has come; the last figures when it is over.</param>
/// <param name="Result">Null until the files are there.</param>
internal sealed record ExportDetails(
    Guid Id, Guid OrganizationId, Guid? ProjectId, string Purpose, Requester RequestedBy, string State, bool IsOver,
    string? Reason, ExportProgress? Progress, ExportCriteria Criteria, ExportResultView? Result,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt);

/// <summary>What was written and what was left out.</summary>
/// <param name="Uri">Folder in the bucket.</param>
/// <param name="SnapshotAt">The moment of the data.</param>
/// <param name="Excluded">Candidates that did not become examples, by reason.</param>
/// <param name="LeftOut">Verified parts that did not go into an example, by reason.</param>
/// <param name="LeftOutOfPrompts">
/// What of the projects' types stands in no prompt: the first parts, <c>leftOut</c> has the numbers.
/// </param>
internal sealed record ExportResultView(
    string Uri, DateTimeOffset SnapshotAt, string PromptHash, DatasetCounts Counts, DatasetAverages Averages,
    DatasetMaxima Maxima, IReadOnlyDictionary<string, int> EntityTypes,
    IReadOnlyDictionary<string, int> RelationshipTypes, IReadOnlyDictionary<string, int> Excluded,
    IReadOnlyDictionary<string, long> LeftOut, IReadOnlyList<PromptPart> LeftOutOfPrompts, IReadOnlyList<ExportFile> Files);

/// <param name="Examples">Null for <c>metadata.json</c>.</param>
/// <param name="Bytes">Null for <c>metadata.json</c>.</param>
/// <param name="Sha256">Lower-case hex; null for <c>metadata.json</c>.</param>
/// <param name="Href">Relative to the API's root; takes <c>Range</c>.</param>
internal sealed record ExportFile(string Name, int? Examples, long? Bytes, string? Sha256, string Href);
