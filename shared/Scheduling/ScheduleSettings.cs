using System.Text.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling;

/// <summary>What a person may set of a schedule. Its limits are checked by <see cref="ScheduleRules"/>.</summary>
/// <remarks>Parameters and not properties: what JSON leaves out has its default, as in <see cref="ScheduleParameters"/>.</remarks>
/// <param name="Enabled">Off: nothing below starts a training.</param>
/// <param name="ThresholdEnabled">Train when so many examples are new since the last successful training.</param>
/// <param name="ThresholdCount">1 to 1,000,000.</param>
/// <param name="CronExpression">Minute, hour, day of month, month, day of week; at least six hours between two times.</param>
/// <param name="TimeZone">IANA name, such as <c>Europe/Berlin</c>.</param>
/// <param name="RetrainOnGeneralUpdate">Of a project: train when the organization has a new general model.</param>
/// <param name="NotifyProjectAdmins">Of an organization: tell the projects' admins of a new general model.</param>
/// <param name="RetrainProjects">Of an organization: then train every project that has a model of its own.</param>
/// <param name="MonthlyLimitUsd">
/// Of an organization: most that it may spend in a calendar month, UTC. At it no training of it and of its projects begins, whoever
/// starts it and also while the schedule is off, and no new model is compared; extractions go on. Null: the installation's
/// default.
/// </param>
/// <param name="NoMonthlyLimit">Of an organization: there is no limit, not even the installation's default.</param>
/// <param name="PiiFloor">
/// Of an organization: the least that its runs and its projects' must do about personal data, whoever starts them and
/// also while the schedule is off. Null: redact.
/// </param>
/// <param name="Parameters">Null: the defaults.</param>
public sealed record ScheduleSettings(
    bool Enabled = false,
    bool ThresholdEnabled = false,
    int ThresholdCount = 100,
    bool CronEnabled = false,
    string? CronExpression = null,
    string? TimeZone = null,
    bool RetrainOnGeneralUpdate = false,
    bool NotifyProjectAdmins = false,
    bool RetrainProjects = false,
    decimal? MonthlyLimitUsd = null,
    bool NoMonthlyLimit = false,
    PiiPolicy? PiiFloor = null,
    ScheduleParameters? Parameters = null)
{
    public ScheduleParameters Parameters { get; init; } = Parameters ?? new ScheduleParameters();

    /// <summary>For the audit log.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ScheduleJson.Default.ScheduleSettings);
}

/// <summary>The part of <see cref="RunParameters"/> that a schedule sets; the rest has its defaults.</summary>
/// <remarks>Parameters and not properties: what a row leaves out has its default, which JSON would make 0.</remarks>
/// <param name="MinConfidence">Two decimals at most, because examples are counted by hundredths.</param>
/// <param name="Epochs">Null: the service chooses.</param>
/// <param name="LearningRateMultiplier">Null: the service chooses.</param>
public sealed record ScheduleParameters(
    double MinConfidence = 0.85, bool HumanReviewedOnly = false, int? Epochs = null, double? LearningRateMultiplier = null,
    bool CountOwnAcceptances = false)
{
    public RunParameters ToRunParameters() => new(
        new ExportCriteria
        {
            MinConfidence = MinConfidence,
            HumanReviewedOnly = HumanReviewedOnly,
            CountOwnAcceptances = CountOwnAcceptances,
        },
        new TuningParameters { Epochs = Epochs, LearningRateMultiplier = LearningRateMultiplier });

    public string ToJson() => JsonSerializer.Serialize(this, ScheduleJson.Default.ScheduleParameters);

    /// <exception cref="JsonException">The row holds something else.</exception>
    public static ScheduleParameters FromJson(string json) =>
        JsonSerializer.Deserialize(json, ScheduleJson.Default.ScheduleParameters)
        ?? throw new JsonException("the parameters of a schedule are null");
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ScheduleParameters))]
[JsonSerializable(typeof(ScheduleSettings))]
internal sealed partial class ScheduleJson : JsonSerializerContext;
