using System.Text.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.Extraction;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Datasets;

/// <summary>What <c>metadata.json</c> says about a dataset. Written last: where it is, the other files are complete.</summary>
/// <param name="SnapshotAt">UTC time of the one consistent reading.</param>
/// <param name="TestShare">Of all documents, 0 to 1.</param>
/// <param name="PromptHash">Of the project's prompt; for an organization, of the template and all its projects' prompts.</param>
/// <param name="Prompts">The system instruction of each project, by its id.</param>
/// <param name="Excluded">Candidates that did not become examples, by reason.</param>
/// <param name="LeftOut">Verified parts that did not go into an example, by reason.</param>
/// <param name="EmptyTexts">Null in metadata of an earlier version, which took none.</param>
/// <param name="LeftOutOfPrompts">
/// What of the projects' types stands in no prompt; the first parts, <see cref="LeftOut"/> has the numbers. Null in
/// older datasets.
/// </param>
/// <param name="Contributors">Null where no share of one person is kept, and in older datasets.</param>
public sealed record DatasetMetadata(
    Guid OrganizationId,
    Guid? ProjectId,
    DateTimeOffset SnapshotAt,
    long Seed,
    double TestShare,
    ExportCriteria Criteria,
    string PromptHash,
    IReadOnlyDictionary<string, string> Prompts,
    IReadOnlyDictionary<string, DatasetFileInfo> Files,
    DatasetCounts Counts,
    IReadOnlyDictionary<string, int> EntityTypes,
    IReadOnlyDictionary<string, int> RelationshipTypes,
    DatasetAverages Averages,
    DatasetMaxima Maxima,
    IReadOnlyDictionary<string, int> Excluded,
    IReadOnlyDictionary<string, long> LeftOut,
    EmptyTextCounts? EmptyTexts = null,
    IReadOnlyList<PromptPart>? LeftOutOfPrompts = null,
    ContributorCounts? Contributors = null)
{
    /// <exception cref="JsonException">Not what <see cref="ToJson"/> wrote.</exception>
    public static DatasetMetadata FromJson(string json) =>
        JsonSerializer.Deserialize(json, DatasetJson.Default.DatasetMetadata)
        ?? throw new JsonException("the statistics of a dataset are null");

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Readable.DatasetMetadata);

    // People read it, prompts of any script among it.
    private static readonly DatasetJson Readable =
        new(new JsonSerializerOptions(DatasetJson.Default.Options) { Encoder = PlainEncoder.Instance });
}

/// <summary>A type of a project, or a part of it, that stands in no prompt.</summary>
/// <param name="Kind"><c>entity</c> or <c>relationship</c>.</param>
/// <param name="Type">Its name, with placeholders such as <c>[EMAIL]</c> for the personal data.</param>
/// <param name="Part">
/// <c>type</c>: all of it; <c>description</c>: shown with placeholders, cut, or not at all; <c>field</c>: one of its
/// fields.
/// </param>
/// <param name="Reason"><c>personal_data</c>, <c>too_long</c>, <c>characters</c> or <c>too_many</c>.</param>
public sealed record PromptPart(
    Guid ProjectId, string Kind, string Type, string Part, string Reason = LeftOutReason.PersonalData)
{
    /// <summary>Parts that are named of all projects together.</summary>
    private const int Most = 200;

    public const string WholeType = LeftOutType.WholeType;
    public const string Field = LeftOutType.Field;

    internal static IReadOnlyList<PromptPart> LeftOutOf(IReadOnlyDictionary<Guid, ExtractionTypes> types) =>
    [
        .. types.OrderBy(project => project.Key)
            .SelectMany(project => project.Value.LeftOut.Select(part =>
                new PromptPart(project.Key, part.Kind, part.Type, part.Part, part.Reason)))
            .Take(Most),
    ];
}

/// <param name="Sha256">Lower-case hex.</param>
public sealed record DatasetFileInfo(int Examples, long Bytes, string Sha256);

/// <param name="EstimatedTrainTokens">Gemini tokens of <c>train.jsonl</c> for one epoch.</param>
/// <param name="EntitiesNotInText">Of the entities, those whose name their text does not have as whole words.</param>
/// <param name="EmptyTexts">Of the examples, those whose right answer is that there is nothing to find.</param>
public sealed record DatasetCounts(
    int Candidates, int Examples, int TrainExamples, int ValidationExamples, int TestExamples, long Entities,
    long Relationships, long EstimatedTrainTokens, long EntitiesNotInText = 0, int EmptyTexts = 0);

/// <summary>Examples whose right answer is that there is nothing to find, by file.</summary>
/// <param name="Share">Of the train and validation examples, 0 to 1.</param>
public sealed record EmptyTextCounts(int Train, int Validation, int Test, double Share);

/// <summary>Of the train and validation examples, how many people's decisions they are. Who they are leaves no database.</summary>
/// <param name="LargestShare">Of the one with the most examples, 0 to 1.</param>
/// <param name="MaxShare">What one person may have; null: fewer than three people review, and nobody is limited.</param>
/// <param name="Unattributed">Examples of nobody who can be named: accepted without a person, or by one who is not recorded.</param>
public sealed record ContributorCounts(int People, double LargestShare, double? MaxShare, int Unattributed);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, UseStringEnumConverter = true, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(DatasetMetadata))]
internal sealed partial class DatasetJson : JsonSerializerContext;
