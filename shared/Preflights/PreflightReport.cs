using System.Text.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;

namespace FeedbackLoop.Preflights;

/// <summary>Why a start would be refused; a client switches on it.</summary>
public static class PreflightObstacle
{
    /// <summary>A run of the scope and purpose is not over.</summary>
    public const string LiveRun = "live_run";

    /// <summary>Too few examples, or none of them trains.</summary>
    public const string TooLittleData = "too_little_data";

    /// <summary>Vertex AI would not take the files.</summary>
    public const string DatasetLimits = "dataset_limits";

    /// <summary>The base model, or the general model on top of which a project trains, cannot be tuned like that.</summary>
    public const string BaseModel = "base_model";

    /// <summary>
    /// Everything is stopped, the training would pass the organization's monthly limit, or a model has no price to hold against it.
    /// </summary>
    public const string Spending = "spending";

    /// <summary>The scope has begun as many trainings within 24 hours as it may.</summary>
    public const string RunsPerDay = "runs_per_day";

    public static IReadOnlyList<string> All { get; } =
        [LiveRun, TooLittleData, DatasetLimits, BaseModel, Spending, RunsPerDay];
}

/// <param name="Kind">One of <see cref="PreflightObstacle"/>.</param>
/// <param name="Reason">With the numbers, as a run would give it.</param>
public sealed record PreflightRefusal(string Kind, string Reason);

/// <summary>The run that is not over.</summary>
public sealed record PreflightRun(Guid Id, string State);

/// <summary>What a training would ask Vertex AI for.</summary>
/// <param name="Region">Where the job would be made.</param>
/// <param name="BaseModel">What is tuned, or what the general model rests on that is tuned further.</param>
/// <param name="ParentModelId">The general model on top of which a project would train.</param>
/// <param name="Tokens">Of train.jsonl, one epoch; an estimate.</param>
/// <param name="Epochs">As asked for; else assumed: Vertex chooses.</param>
/// <param name="UsdPerMillionTokens">Null: the base model has no price.</param>
/// <param name="EstimatedUsd">Tokens × epochs × price; null without a price.</param>
/// <param name="MonthlyLimitUsd">Of the organization; null: none.</param>
/// <param name="CommittedUsd">Of the organization, in this month, so far.</param>
/// <param name="Approval">Why the run would wait for a person before its tuning job is made; null: it would not.</param>
/// <param name="Request">
/// As it would be sent to Vertex AI. <c>{run}</c> and <c>{time}</c> stand where only a run knows its id and its start.
/// </param>
public sealed record PreflightTuning(
    string Region, string BaseModel, Guid? ParentModelId, int? ParentModelVersion, long Tokens, int Epochs,
    bool AreEpochsAssumed, decimal? UsdPerMillionTokens, decimal? EstimatedUsd, decimal? MonthlyLimitUsd,
    decimal CommittedUsd, string? Approval, JsonElement Request);

/// <summary>All that a start would find, checked without a file, a run or a call that costs anything.</summary>
/// <param name="Purpose"><c>training</c> or <c>export</c>.</param>
/// <param name="CheckedAt">The moment of the data.</param>
/// <param name="WouldStart">Whether there is no refusal.</param>
/// <param name="Minimum">Fewest examples that the start needs.</param>
/// <param name="Excluded">Candidates that would not become examples, by reason.</param>
/// <param name="LeftOut">Verified parts that would not go into an example, by reason.</param>
/// <param name="Files">What would be written, by name; empty when the data is refused.</param>
/// <param name="Limits">What the service takes, beside what the files have; empty when the data is refused.</param>
/// <param name="Tuning">Null for an export, and when nothing can be asked for.</param>
/// <param name="GeneralTraining">
/// Of a project whose general model is being trained: no refusal, a start by hand does not wait. Null otherwise.
/// </param>
/// <param name="Contributors">Null where no share of one person is kept.</param>
public sealed record PreflightReport(
    Guid OrganizationId, Guid? ProjectId, string Purpose, DateTimeOffset CheckedAt, bool WouldStart,
    IReadOnlyList<PreflightRefusal> Refusals, PreflightRun? LiveRun, int Minimum, DatasetCounts Counts,
    IReadOnlyDictionary<string, int> Excluded, IReadOnlyDictionary<string, long> LeftOut,
    IReadOnlyDictionary<string, DatasetFileInfo> Files, IReadOnlyList<DatasetLimit> Limits, PreflightTuning? Tuning,
    RunParameters Parameters, GeneralTraining? GeneralTraining, ContributorCounts? Contributors = null)
{
    /// <summary>Whether the data suffices, whatever else is in the way.</summary>
    [JsonIgnore]
    public bool IsDataEnough =>
        !Refusals.Any(each => each.Kind is PreflightObstacle.TooLittleData or PreflightObstacle.DatasetLimits);

    public string ToJson() => JsonSerializer.Serialize(this, PreflightJson.Default.PreflightReport);

    /// <exception cref="JsonException">Not what <see cref="ToJson"/> wrote.</exception>
    public static PreflightReport FromJson(string json) =>
        JsonSerializer.Deserialize(json, PreflightJson.Default.PreflightReport)
        ?? throw new JsonException("the report of a preflight is null");
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(PreflightReport))]
internal sealed partial class PreflightJson : JsonSerializerContext;
