using System.Text.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling;

/// <summary>What a person may set of a schedule. Its limits are checked by <see cref="ScheduleRules"/>.</summary>
public sealed record ScheduleSettings
{
    /// <summary>Off: nothing below starts a training.</summary>
    public bool Enabled { get; init; }

    /// <summary>Train when so many examples are new since the last successful training.</summary>
    public bool ThresholdEnabled { get; init; }

    public int ThresholdCount { get; init; } = 100;

    public bool CronEnabled { get; init; }

    /// <summary>Five fields: minute, hour, day of month, month, day of week.</summary>
    public string? CronExpression { get; init; }

    /// <summary>IANA name, such as <c>Europe/Berlin</c>.</summary>
    public string? TimeZone { get; init; }

    /// <summary>Of a project: train when the organization has a new general model.</summary>
    public bool RetrainOnGeneralUpdate { get; init; }

    /// <summary>Of an organization: tell the projects' admins of a new general model.</summary>
    public bool NotifyProjectAdmins { get; init; }

    /// <summary>Of an organization: after a new general model, train every project that has a model of its own.</summary>
    public bool RetrainProjects { get; init; }

    /// <summary>
    /// Of an organization: US dollars that its trainings and its projects' may be estimated at in a calendar month, UTC. Null:
    /// no limit. It binds whoever starts a training, and also while the schedule is off.
    /// </summary>
    public decimal? MonthlyLimitUsd { get; init; }

    public ScheduleParameters Parameters { get; init; } = new();
}

/// <summary>The part of <see cref="RunParameters"/> that a schedule sets; the rest has its defaults.</summary>
/// <remarks>Parameters and not properties: what a row leaves out has its default, which JSON would make 0.</remarks>
/// <param name="MinConfidence">Two decimals at most, because examples are counted by hundredths.</param>
/// <param name="Epochs">Null: the service chooses.</param>
/// <param name="LearningRateMultiplier">Null: the service chooses.</param>
public sealed record ScheduleParameters(
    double MinConfidence = 0.85, bool HumanReviewedOnly = false, int? Epochs = null, double? LearningRateMultiplier = null)
{
    public RunParameters ToRunParameters() => new(
        new ExportCriteria { MinConfidence = MinConfidence, HumanReviewedOnly = HumanReviewedOnly },
        new TuningParameters { Epochs = Epochs, LearningRateMultiplier = LearningRateMultiplier });

    public string ToJson() => JsonSerializer.Serialize(this, ScheduleJson.Default.ScheduleParameters);

    /// <exception cref="JsonException">The row holds something else.</exception>
    public static ScheduleParameters FromJson(string json) =>
        JsonSerializer.Deserialize(json, ScheduleJson.Default.ScheduleParameters)
        ?? throw new JsonException("the parameters of a schedule are null");
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ScheduleParameters))]
internal sealed partial class ScheduleJson : JsonSerializerContext;
