using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>A rule over a past that is made up: what it would have started, and what not.</summary>
public sealed class ScheduleReplayTests
{
    private static readonly Scope Project = new(
        Guid.Parse("0197a000-0000-7000-8000-00000000000a"), Guid.Parse("0197a000-0000-7000-8000-00000000000b"));

    private static readonly DateTimeOffset From = CronTimesTests.At("2026-06-01T00:00Z");

    private static readonly ScheduleSettings AfterTen =
        new() { Enabled = true, ThresholdEnabled = true, ThresholdCount = 10 };

    private static readonly ScheduleSettings Daily =
        new() { Enabled = true, CronEnabled = true, CronExpression = "30 4 * * *", TimeZone = "UTC" };

    [Fact]
    public void A_threshold_trains_when_enough_has_come_and_counts_from_the_trainings_own_beginning()
    {
        var decisions = Replay(AfterTen, Hours((0, 6), (5, 3), (8, 2), (10, 8), (40, 3)));

        Assert.Equal(
            [
                (From.AddHours(8), RunTrigger.Threshold, 11L, 11L, "11 of 10 new examples"),
                // What came while the first one was at work is new to the second.
                (From.AddHours(40), RunTrigger.Threshold, 11L, 22L, "11 of 10 new examples"),
            ],
            decisions.Select(d => (d.At, d.Trigger!, d.NewExamples, d.Examples, d.Reason)));
    }

    [Fact]
    public void A_real_training_before_the_period_leaves_only_what_came_after_it()
    {
        HourOfExamples[] examples = [new(From, 100, 4), new(From.AddHours(3), 6, 6)];

        var decision = Assert.Single(Replay(AfterTen, examples));

        Assert.Equal((From.AddHours(3), 10L, 106L), (decision.At, decision.NewExamples, decision.Examples));
    }

    [Fact]
    public void Slots_start_at_the_first_hour_after_them()
    {
        var decisions = Replay(Daily, [], days: 3);

        Assert.Equal(
            [From.AddHours(5), From.AddHours(29), From.AddHours(53)], decisions.Select(decision => decision.At));
        Assert.All(decisions, decision => Assert.Equal(RunTrigger.Cron, decision.Trigger));
        Assert.Equal("2026-06-01 04:30 UTC", decisions[0].Reason);
    }

    [Fact]
    public void A_slot_waits_until_the_general_model_was_trained()
    {
        var run = RunId.New(From);
        var history = new ReplayHistory(
            [], [],
            [
                new(run, RunState.Exporting, From.AddHours(4), From.AddHours(5)),
                new(run, RunState.Tuning, From.AddHours(5), From.AddHours(9)),
            ],
            HasModel: false, OrganizationRetrains: false);

        var decision = Assert.Single(
            ScheduleReplay.Run(Project, Daily, history, From, From.AddDays(1), TimeSpan.FromHours(1)));

        Assert.Equal((From.AddHours(9), From.AddHours(4.5)), (decision.At, decision.Slot));
    }

    [Fact]
    public void A_slot_goes_by_while_a_long_training_is_at_work_and_says_which()
    {
        var decisions = Replay(Daily, [], days: 3, trainingHours: 30);

        Assert.Equal(
            [ScheduleOutcome.Started, ScheduleOutcome.Skipped, ScheduleOutcome.Started],
            decisions.Select(decision => decision.Outcome));
        Assert.Equal(
            (null, From.AddDays(1).AddHours(4.5), "not now: the training of 2026-06-01 05:00 UTC is not over"),
            (decisions[1].Trigger, decisions[1].Slot!.Value, decisions[1].Reason));
    }

    [Fact]
    public void A_new_general_model_trains_a_project_that_wants_it_once()
    {
        var settings = new ScheduleSettings { Enabled = true, RetrainOnGeneralUpdate = true };
        var model = new GeneralModelFact(new RunId(Guid.Parse("0197a000-0000-7000-8000-000000000001")), From.AddHours(7.5));

        var decision = Assert.Single(Replay(settings, [], models: [model]));

        Assert.Equal((From.AddHours(8), RunTrigger.GeneralUpdate), (decision.At, decision.Trigger));
        Assert.Equal($"the general model {model.Id} is new", decision.Reason);
    }

    [Fact]
    public void An_organization_that_retrains_does_so_for_a_project_with_a_model()
    {
        var model = new GeneralModelFact(new RunId(Guid.Parse("0197a000-0000-7000-8000-000000000001")), From.AddHours(7.5));
        var history = new ReplayHistory([], [model], [], HasModel: true, OrganizationRetrains: true);

        var with = Replay(new(), history);
        var without = Replay(new(), history with { HasModel = false });

        Assert.Equal([RunTrigger.GeneralUpdate], with.Select(decision => decision.Trigger));
        Assert.Empty(without);
    }

    [Fact]
    public void What_is_switched_off_does_nothing() =>
        Assert.Empty(Replay(AfterTen with { Enabled = false }, Hours((0, 1_000))));

    [Fact]
    public void The_same_past_gives_the_same_replay()
    {
        var settings = Daily with { ThresholdEnabled = true, ThresholdCount = 7 };
        var examples = Hours([.. Enumerable.Range(0, 500).Select(i => (i, (i * 7 % 5) + 1))]);

        Assert.Equal(Replay(settings, examples, days: 30), Replay(settings, examples, days: 30));
    }

    private static HourOfExamples[] Hours(params (int Hour, int Count)[] examples) =>
        [.. examples.Select(each => new HourOfExamples(From.AddHours(each.Hour), each.Count, each.Count))];

    private static IReadOnlyList<ReplayedDecision> Replay(
        ScheduleSettings settings, IReadOnlyList<HourOfExamples> examples, int days = 2, double trainingHours = 6,
        IReadOnlyList<GeneralModelFact>? models = null) => Replay(
            settings, new ReplayHistory(examples, models ?? [], [], HasModel: false, OrganizationRetrains: false), days,
            trainingHours);

    private static IReadOnlyList<ReplayedDecision> Replay(
        ScheduleSettings settings, ReplayHistory history, int days = 2, double trainingHours = 6) =>
        ScheduleReplay.Run(Project, settings, history, From, From.AddDays(days), TimeSpan.FromHours(trainingHours));
}
