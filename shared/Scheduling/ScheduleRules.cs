using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;

namespace FeedbackLoop.Scheduling;

/// <summary>What a schedule's settings must keep, in words with the field, the limit and the value.</summary>
public static class ScheduleRules
{
    /// <summary>Characters, as the column takes them.</summary>
    public const int LongestExpression = 100;

    public const int HighestThreshold = 1_000_000;

    public const decimal HighestMonthlyLimitUsd = 1_000_000m;

    /// <summary>A training takes hours and costs money.</summary>
    public static readonly TimeSpan ShortestGap = TimeSpan.FromHours(6);

    /// <summary>What does not fire within this time is a mistake, such as 30 February.</summary>
    private const int YearsToFire = 5;

    /// <summary>After 28 years weekdays and leap days come together again as before.</summary>
    private const int YearsOfGaps = 28;

    private const string Cron = "cronExpression";

    /// <param name="now">Expressions are looked at from here on.</param>
    /// <returns>Empty when all is well. Fields are named as the settings' JSON has them.</returns>
    public static IReadOnlyList<FieldError> Check(ScheduleSettings settings, bool isProject, DateTimeOffset now) =>
    [
        .. CheckThreshold(settings),
        .. CheckCron(settings, now),
        .. CheckSwitches(settings, isProject),
        .. CheckLimit(settings.MonthlyLimitUsd, isProject),
        .. CheckNoLimit(settings, isProject),
        .. CheckFloor(settings.PiiFloor, isProject),
        .. CheckParameters(settings.Parameters),
    ];

    private static IEnumerable<FieldError> CheckThreshold(ScheduleSettings settings)
    {
        if (settings.ThresholdCount is < 1 or > HighestThreshold)
        {
            yield return Error(
                "thresholdCount", $"must be from 1 to {HighestThreshold}, and is {settings.ThresholdCount}");
        }
    }

    private static IEnumerable<FieldError> CheckCron(ScheduleSettings settings, DateTimeOffset now)
    {
        if (settings is { CronEnabled: true, CronExpression: null or "" })
        {
            yield return Error(Cron, "must be given when cronEnabled is true, and is missing");
        }

        if (settings is { CronEnabled: true, TimeZone: null or "" })
        {
            yield return Error("timeZone", "must be given when cronEnabled is true, and is missing");
        }

        // What is switched off is looked at too, or it could not be switched on.
        if (settings.TimeZone is { Length: > 0 } zone && CronTimes.FindZone(zone) is null)
        {
            yield return Error("timeZone", $"must be an IANA time zone such as Europe/Berlin, and is '{Start(zone)}'");
        }

        if (settings.CronExpression is not { Length: > 0 } expression)
        {
            yield break;
        }

        if (FormProblem(expression) is { } form)
        {
            yield return Error(Cron, form);
        }
        else if (CronTimes.Find(expression, settings.TimeZone is { Length: > 0 } given ? given : "UTC") is { } times
            && TimesProblem(times, expression, now) is { } problem)
        {
            yield return Error(Cron, problem);
        }
    }

    private static string? FormProblem(string expression) => expression switch
    {
        { Length: > LongestExpression } =>
            $"must have at most {LongestExpression} characters, and has {expression.Length}",
        _ when expression.Contains('@') =>
            $"must be five fields and not a macro, and is '{expression}'; @daily is '0 0 * * *'",
        _ when CronTimes.FindExpression(expression) is null =>
            "must be the five fields minute, hour, day of month, month and day of week, each with fixed values, and is "
            + $"'{expression}'",
        _ => null,
    };

    private static string? TimesProblem(CronTimes times, string expression, DateTimeOffset now)
    {
        if (times.NextAfter(now) is not { } first || first > now.AddYears(YearsToFire))
        {
            return $"must fire within {YearsToFire} years, and '{expression}' does not";
        }

        var end = now.AddYears(YearsOfGaps);
        var last = first;
        for (var next = times.NextAfter(last); next <= end; next = times.NextAfter(last))
        {
            if (next.Value - last < ShortestGap)
            {
                return FormattableString.Invariant(
                    $"must leave {ShortestGap.TotalHours} hours between two trainings, and '{expression}' fires at ")
                    + $"{times.InWords(last)} and again at {times.InWords(next.Value)}";
            }

            last = next.Value;
        }

        return null;
    }

    private static IEnumerable<FieldError> CheckSwitches(ScheduleSettings settings, bool isProject)
    {
        if (settings.RetrainOnGeneralUpdate && !isProject)
        {
            yield return Error(
                "retrainOnGeneralUpdate", "must be false for an organization, because it is a project's, and is true");
        }

        if (settings.NotifyProjectAdmins && isProject)
        {
            yield return Error(
                "notifyProjectAdmins", "must be false for a project, because it is an organization's, and is true");
        }

        if (settings.RetrainProjects && isProject)
        {
            yield return Error(
                "retrainProjects", "must be false for a project, because it is an organization's, and is true");
        }
    }

    private static IEnumerable<FieldError> CheckLimit(decimal? limit, bool isProject)
    {
        const string field = "monthlyLimitUsd";
        if (limit is not { } usd)
        {
            yield break;
        }

        if (isProject)
        {
            yield return Error(
                field, FormattableString.Invariant($"must be null for a project, because it is an organization's, and is {usd}"));
        }
        else if (usd is < 0 or > HighestMonthlyLimitUsd || decimal.Round(usd, 2) != usd)
        {
            yield return Error(
                field,
                FormattableString.Invariant(
                    $"must be from 0 to {HighestMonthlyLimitUsd} with at most two decimals, and is {usd}"));
        }
    }

    private static IEnumerable<FieldError> CheckNoLimit(ScheduleSettings settings, bool isProject)
    {
        const string field = "noMonthlyLimit";
        if (settings.NoMonthlyLimit && isProject)
        {
            yield return Error(field, "must be false for a project, because it is an organization's, and is true");
        }
        else if (settings is { NoMonthlyLimit: true, MonthlyLimitUsd: { } usd })
        {
            yield return Error(
                field, FormattableString.Invariant($"must be false beside a monthlyLimitUsd of {usd}, and is true"));
        }
    }

    private static IEnumerable<FieldError> CheckFloor(PiiPolicy? floor, bool isProject) =>
        isProject && floor is { } policy
            ? [Error(
                "piiFloor",
                $"must be null for a project, because it is an organization's, and is {PiiFloor.WordOf(policy)}")]
            : [];

    // The limits themselves stand once, with the parameters of a run.
    private static IEnumerable<FieldError> CheckParameters(ScheduleParameters parameters)
    {
        var errors = ParameterRules.Check(parameters.ToRunParameters());
        foreach (var error in errors)
        {
            var field = $"parameters.{error.Field[(error.Field.IndexOf('.', StringComparison.Ordinal) + 1)..]}";
            yield return new FieldError(field, error.Message.Replace(error.Field, field, StringComparison.Ordinal));
        }

        if (errors.Count == 0 && VerificationLevel.Find(parameters.MinConfidence) is null)
        {
            yield return Error(
                "parameters.minConfidence",
                FormattableString.Invariant($"must have at most two decimals, and is {parameters.MinConfidence}"));
        }
    }

    private static FieldError Error(string field, string problem) => new(field, $"{field} {problem}");

    private static string Start(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
