using CsCheck;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>What a person may set, and what is said of the rest.</summary>
public sealed class ScheduleRulesTests
{
    private static readonly DateTimeOffset Now = CronTimesTests.At("2026-01-01T00:00Z");

    [Fact]
    public void Settings_as_they_come_are_well() => Assert.Empty(Check(new ScheduleSettings()));

    [Theory]
    [InlineData("0 2 * * *", "Europe/Berlin")]
    [InlineData("0 */6 * * *", "UTC")]
    [InlineData("0 3,15 * * *", "America/New_York")]
    [InlineData("0 0 29 2 *", "UTC")]
    [InlineData("0 0 13 * 5", "Asia/Kathmandu")]
    [InlineData("0 22 * * 1-5", "Australia/Lord_Howe")]
    public void These_times_are_well(string expression, string zone) => Assert.Empty(Check(Cron(expression, zone)));

    [Theory]
    [InlineData("* * * *")]
    [InlineData("0 25 * * *")]
    [InlineData("H 2 * * *")]
    [InlineData("0 0 2 * * *")]
    public void What_does_not_parse_is_refused_with_the_fields(string expression) => Refused(
        "cronExpression",
        "cronExpression must be the five fields minute, hour, day of month, month and day of week, each with fixed values, "
        + $"and is '{expression}'",
        Cron(expression));

    [Fact]
    public void A_macro_is_refused_with_what_to_write() => Refused(
        "cronExpression",
        "cronExpression must be five fields and not a macro, and is '@weekly'; @daily is '0 0 * * *'",
        Cron("@weekly"));

    [Fact]
    public void A_long_expression_is_refused_without_repeating_it() => Refused(
        "cronExpression", "cronExpression must have at most 100 characters, and has 101", Cron(new string('1', 101)));

    [Theory]
    [InlineData("0 0 30 2 *")]
    [InlineData("0 0 31 4 *")]
    [InlineData("0 0 29 2 1")]
    public void What_does_not_fire_in_five_years_is_refused(string expression) => Refused(
        "cronExpression", $"cronExpression must fire within 5 years, and '{expression}' does not", Cron(expression));

    [Theory]
    [InlineData("0 */5 * * *", "UTC", "2026-01-01 05:00 UTC", "2026-01-01 10:00 UTC")]
    [InlineData("*/30 2 * * *", "UTC", "2026-01-01 02:00 UTC", "2026-01-01 02:30 UTC")]
    [InlineData("* * * * *", "UTC", "2026-01-01 00:01 UTC", "2026-01-01 00:02 UTC")]
    // Six hours apart on every day but the one on which the clocks go forward.
    [InlineData("0 */6 * * *", "Europe/Berlin", "2026-03-29 00:00 Europe/Berlin", "2026-03-29 06:00 Europe/Berlin")]
    [InlineData("0 0,6 * * *", "America/New_York", "2026-03-08 00:00 America/New_York", "2026-03-08 06:00 America/New_York")]
    [InlineData("0 0,6 * 10 *", "Australia/Lord_Howe", "2026-10-04 00:00 Australia/Lord_Howe", "2026-10-04 06:00 Australia/Lord_Howe")]
    // From one month to the next.
    [InlineData("0 1,20 1,31 * *", "UTC", "2026-01-31 20:00 UTC", "2026-02-01 01:00 UTC")]
    public void Less_than_six_hours_is_refused_with_the_two_moments(
        string expression, string zone, string first, string second) => Refused(
        "cronExpression",
        $"cronExpression must leave 6 hours between two trainings, and '{expression}' fires at {first} and again at {second}",
        Cron(expression, zone));

    [Fact]
    public void An_unknown_zone_is_refused_with_an_example() => Refused(
        "timeZone",
        "timeZone must be an IANA time zone such as Europe/Berlin, and is 'Mars/Olympus'",
        Cron("0 2 * * *", "Mars/Olympus"));

    [Fact]
    public void What_is_switched_on_must_be_there() => Assert.Equal(
        [
            "cronExpression must be given when cronEnabled is true, and is missing",
            "timeZone must be given when cronEnabled is true, and is missing",
        ],
        Check(new() { CronEnabled = true }).Select(error => error.Message));

    [Fact]
    public void What_is_switched_off_is_checked_all_the_same() =>
        Assert.NotEmpty(Check(Cron("nonsense") with { CronEnabled = false }));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1_000_001)]
    public void A_threshold_has_its_range(int count) => Refused(
        "thresholdCount", $"thresholdCount must be from 1 to 1000000, and is {count}", new() { ThresholdCount = count });

    [Theory]
    [InlineData(-0.01)]
    [InlineData(1_000_000.01)]
    [InlineData(0.001)]
    public void A_monthly_limit_is_a_sum_of_money(double limit) => Assert.Equal(
        [new FieldError(
            "monthlyLimitUsd",
            FormattableString.Invariant($"monthlyLimitUsd must be from 0 to 1000000 with at most two decimals, and is {limit}"))],
        ScheduleRules.Check(new() { MonthlyLimitUsd = (decimal)limit }, isProject: false, Now));

    [Fact]
    public void A_project_has_no_monthly_limit()
    {
        Refused(
            "monthlyLimitUsd",
            "monthlyLimitUsd must be null for a project, because it is an organization's, and is 50",
            new() { MonthlyLimitUsd = 50 });
        Assert.Empty(ScheduleRules.Check(new() { MonthlyLimitUsd = 50 }, isProject: false, Now));
    }

    [Theory]
    [InlineData(PiiPolicy.Exclude, "exclude")]
    [InlineData(PiiPolicy.Allow, "allow")]
    public void A_project_has_no_floor_for_personal_data(PiiPolicy floor, string word)
    {
        Refused(
            "piiFloor", $"piiFloor must be null for a project, because it is an organization's, and is {word}",
            new() { PiiFloor = floor });
        Assert.Empty(ScheduleRules.Check(new() { PiiFloor = floor }, isProject: false, Now));
    }

    [Fact]
    public void A_project_has_no_switches_of_an_organization() => Assert.Equal(
        ["notifyProjectAdmins", "retrainProjects"],
        Check(new() { NotifyProjectAdmins = true, RetrainProjects = true, RetrainOnGeneralUpdate = true })
            .Select(error => error.Field));

    [Fact]
    public void An_organization_has_no_switches_of_a_project() => Assert.Equal(
        ["retrainOnGeneralUpdate"],
        Check(
            new() { NotifyProjectAdmins = true, RetrainProjects = true, RetrainOnGeneralUpdate = true },
            isProject: false).Select(error => error.Field));

    [Theory]
    [InlineData(1.01, null, null, "parameters.minConfidence must be from 0 to 1, and is 1.01")]
    [InlineData(0.855, null, null, "parameters.minConfidence must have at most two decimals, and is 0.855")]
    [InlineData(0.9, 101, null, "parameters.epochs must be from 1 to 100, and is 101")]
    [InlineData(0.9, null, 11.0, "parameters.learningRateMultiplier must be from 0.001 to 10, and is 11")]
    public void Parameters_have_the_limits_of_a_run(
        double minConfidence, int? epochs, double? learningRateMultiplier, string message)
    {
        var error = Assert.Single(Check(new()
        {
            Parameters = new(minConfidence, false, epochs, learningRateMultiplier),
        }));

        Assert.Equal(message, error.Message);
        Assert.StartsWith(error.Field, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parameters_survive_their_row()
    {
        var parameters = new ScheduleParameters(0.9, HumanReviewedOnly: true, Epochs: 3);

        Assert.Equal(parameters, ScheduleParameters.FromJson(parameters.ToJson()));
        Assert.Equal(new ScheduleParameters(), ScheduleParameters.FromJson("{}"));
    }

    [Fact]
    public void Parameters_that_nobody_set_are_those_of_a_run() =>
        Assert.Equal(RunParameters.Default, new ScheduleParameters().ToRunParameters());

    [Fact]
    public void What_is_accepted_leaves_six_hours_always() =>
        Gen.Select(
                Gen.Int[0, 59].Array[1, 2], Gen.Int[0, 23].Array[1, 4], Gen.OneOf("* * *", "1,31 * *", "* 3,10 1-6"),
                Gen.OneOf("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"))
            .Where((_, hours, _, _) => hours.Distinct().Count() == hours.Length)
            .Sample(
                (minutes, hours, days, zone) =>
                {
                    var expression = $"{string.Join(',', minutes)} {string.Join(',', hours)} {days}";
                    var isAccepted = Check(Cron(expression, zone)).Count == 0;
                    var slots = CronTimesTests.Times(expression, zone)
                        .Following(Now, int.MaxValue)
                        .TakeWhile(slot => slot < Now.AddYears(3))
                        .ToArray();
                    var shortest = slots.Zip(slots.Skip(1), (a, b) => b - a).Min();

                    // Three years show every change of the clocks that 28 show, and every length of February but one.
                    Assert.Equal(shortest >= TimeSpan.FromHours(6), isAccepted);
                },
                iter: 100);

    private static void Refused(string field, string message, ScheduleSettings settings)
    {
        var error = Assert.Single(Check(settings));
        Assert.Equal((field, message), (error.Field, error.Message));
    }

    private static ScheduleSettings Cron(string expression, string zone = "UTC") =>
        new() { CronEnabled = true, CronExpression = expression, TimeZone = zone };

    private static IReadOnlyList<FieldError> Check(ScheduleSettings settings, bool isProject = true) =>
        ScheduleRules.Check(settings, isProject, Now);
}
