using System.CommandLine;
using System.Text.RegularExpressions;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;

namespace FeedbackLoop.Cli.Arguments;

/// <summary>The settings of a schedule, an option for each field and named like it. What is not given stays as it is.</summary>
internal sealed partial class ScheduleSettingsOptions
{
    /// <summary>Longer than any that is right; the rules say what is wrong with it.</summary>
    private const int LongestText = 1_000;

    private const string NoLimit = "none";
    private const string NoFloor = "none";

    private readonly Option<bool?> _enabled = Switch("--enabled", "false: nothing below starts a training.");

    private readonly Option<bool?> _thresholdEnabled = Switch(
        "--threshold-enabled", "Train when so many examples are new since the last successful training.");

    private readonly Option<int?> _thresholdCount = LimitedOption.CreateOptional(
        "--threshold-count", "How many.", 1, ScheduleRules.HighestThreshold);

    private readonly Option<bool?> _cronEnabled = Switch("--cron-enabled", "Train at the times of --cron-expression.");

    private readonly Option<string?> _cronExpression = TextOption.Create(
        "--cron-expression", "Five fields: minute, hour, day of month, month, day of week.", "EXPRESSION", LongestText);

    private readonly Option<string?> _timeZone = TextOption.Create(
        "--time-zone", "IANA name, such as Europe/Berlin.", "ZONE", LongestText);

    private readonly Option<bool?> _retrainOnGeneralUpdate = Switch(
        "--retrain-on-general-update", "Of a project: train when the organization has a new general model.");

    private readonly Option<bool?> _notifyProjectAdmins = Switch(
        "--notify-project-admins", "Of an organization: tell the projects' admins of a new general model.");

    private readonly Option<bool?> _retrainProjects = Switch(
        "--retrain-projects",
        "Of an organization: after a new general model, train every project that has a model of its own.");

    private readonly Option<double?> _minConfidence;

    private readonly Option<bool?> _humanReviewedOnly = Switch(
        "--human-reviewed-only", "Take only what a person has reviewed.");

    private readonly Option<bool?> _countOwnAcceptances = Switch(
        "--count-own-acceptances", "Take also what our own tuned models found and the product accepted without a person.");

    private readonly Option<NumberOrWord<decimal>?> _monthlyLimitUsd = LimitedOption.CreateOrWord(
        "--monthly-limit-usd",
        "Of an organization: US dollars that it may spend in a calendar month before no training of it begins.", 0m,
        ScheduleRules.HighestMonthlyLimitUsd, (NoLimit, "no limit"), ("default", "the installation's"));

    private readonly Option<string?> _piiFloor = ChoiceOption.Create(
        "--pii-floor",
        "Of an organization: the least that its runs and its projects' must do about personal data. none: the default, "
        + $"which is {PiiFloor.WordOf(PiiFloor.Default)}.",
        [.. Enum.GetValues<PiiPolicy>().Select(PiiFloor.WordOf), NoFloor]);

    private readonly Option<NumberOrWord<int>?> _epochs;
    private readonly Option<NumberOrWord<double>?> _learningRateMultiplier;

    public ScheduleSettingsOptions()
    {
        var (lowest, highest) = LimitedOption.LimitsOf<double>(typeof(ExportCriteria), nameof(ExportCriteria.MinConfidence));
        _minConfidence = LimitedOption.CreateOptional(
            "--min-confidence", "Lowest confidence that counts as verified without a person; two decimals.", lowest, highest);
        var (fewest, most) = LimitedOption.LimitsOf<int>(typeof(TuningParameters), nameof(TuningParameters.Epochs));
        _epochs = LimitedOption.CreateOrWord(
            "--epochs", "How often the examples are gone through.", fewest, most, ("auto", "the service chooses"));
        var (slowest, fastest) = LimitedOption.LimitsOf<double>(
            typeof(TuningParameters), nameof(TuningParameters.LearningRateMultiplier));
        _learningRateMultiplier = LimitedOption.CreateOrWord(
            "--learning-rate-multiplier", "Times the learning rate that the service recommends.", slowest, fastest,
            ("auto", "the service chooses"));
    }

    public IEnumerable<Option> All =>
    [
        _enabled, _thresholdEnabled, _thresholdCount, _cronEnabled, _cronExpression, _timeZone, _retrainOnGeneralUpdate,
        _notifyProjectAdmins, _retrainProjects, _monthlyLimitUsd, _piiFloor, _minConfidence, _humanReviewedOnly,
        _countOwnAcceptances, _epochs, _learningRateMultiplier,
    ];

    public bool AreGiven(ParseResult arguments) => All.Any(option => arguments.GetResult(option) is not null);

    /// <summary>The settings with what the command line says in the place of what they said.</summary>
    public ScheduleSettings Change(ScheduleSettings settings, ParseResult arguments) => settings with
    {
        Enabled = arguments.GetValue(_enabled) ?? settings.Enabled,
        ThresholdEnabled = arguments.GetValue(_thresholdEnabled) ?? settings.ThresholdEnabled,
        ThresholdCount = arguments.GetValue(_thresholdCount) ?? settings.ThresholdCount,
        CronEnabled = arguments.GetValue(_cronEnabled) ?? settings.CronEnabled,
        CronExpression = arguments.GetValue(_cronExpression) ?? settings.CronExpression,
        TimeZone = arguments.GetValue(_timeZone) ?? settings.TimeZone,
        RetrainOnGeneralUpdate = arguments.GetValue(_retrainOnGeneralUpdate) ?? settings.RetrainOnGeneralUpdate,
        NotifyProjectAdmins = arguments.GetValue(_notifyProjectAdmins) ?? settings.NotifyProjectAdmins,
        RetrainProjects = arguments.GetValue(_retrainProjects) ?? settings.RetrainProjects,
        MonthlyLimitUsd = arguments.GetValue(_monthlyLimitUsd) is { } limit ? limit.Value : settings.MonthlyLimitUsd,
        NoMonthlyLimit = arguments.GetValue(_monthlyLimitUsd) is { } said ? said.Word == NoLimit : settings.NoMonthlyLimit,
        PiiFloor = arguments.GetValue(_piiFloor) switch
        {
            null => settings.PiiFloor,
            NoFloor => null,
            var word => PiiFloor.Parse(word),
        },
        Parameters = settings.Parameters with
        {
            MinConfidence = arguments.GetValue(_minConfidence) ?? settings.Parameters.MinConfidence,
            HumanReviewedOnly = arguments.GetValue(_humanReviewedOnly) ?? settings.Parameters.HumanReviewedOnly,
            CountOwnAcceptances = arguments.GetValue(_countOwnAcceptances) ?? settings.Parameters.CountOwnAcceptances,
            Epochs = arguments.GetValue(_epochs) is { } epochs ? epochs.Value : settings.Parameters.Epochs,
            LearningRateMultiplier = arguments.GetValue(_learningRateMultiplier) is { } multiplier
                ? multiplier.Value
                : settings.Parameters.LearningRateMultiplier,
        },
    };

    /// <exception cref="CommandException">What the rules refuse, in the words of the command line.</exception>
    public CommandException Explain(IReadOnlyList<FieldError> errors, string command) => CommandException.Usage(
        string.Join("; ", errors.Select(error => error.Message).Select(InOptions)), $"See: feedbackloop {command} --help");

    // A field is named as in JSON: cronExpression, parameters.minConfidence.
    private string InOptions(string message)
    {
        var options = All.ToDictionary(option => FieldOf(option.Name), option => option.Name);
        return Word().Replace(
            message.Replace("parameters.", "", StringComparison.Ordinal),
            word => options.GetValueOrDefault(word.Value, word.Value));
    }

    private static string FieldOf(string option)
    {
        var words = option.TrimStart('-').Split('-');
        return words[0] + string.Concat(words.Skip(1).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    [GeneratedRegex("[A-Za-z]+")]
    private static partial Regex Word();

    private static Option<bool?> Switch(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "true|false",
        Arity = ArgumentArity.ExactlyOne,
    };
}
