using FeedbackLoop.Examples;
using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;

namespace FeedbackLoop.Scheduling;

/// <summary>What a replay knows of the past.</summary>
/// <param name="Examples">
/// By hour, oldest first; the first holds all that was there before. New are those that the last training before the period
/// had not read.
/// </param>
/// <param name="GeneralModels">The organization's, oldest first; of a project.</param>
/// <param name="GeneralRuns">Trainings of the organization's general model while they were on their way; of a project.</param>
/// <param name="HasModel">Whether the project had a model of its own at the beginning.</param>
/// <param name="OrganizationRetrains">Whether the organization's schedule trains its projects again, as it stands today.</param>
public sealed record ReplayHistory(
    IReadOnlyList<HourOfExamples> Examples, IReadOnlyList<GeneralModelFact> GeneralModels,
    IReadOnlyList<GeneralRunPeriod> GeneralRuns, bool HasModel, bool OrganizationRetrains);

/// <param name="To">Null: it still is.</param>
public sealed record GeneralRunPeriod(RunId Id, string State, DateTimeOffset From, DateTimeOffset? To);

/// <summary>A training that would have begun, or a slot that would have gone by.</summary>
/// <param name="Trigger">One of <see cref="RunTrigger"/>; null when nothing began.</param>
/// <param name="NewExamples">New since the training before it.</param>
/// <param name="Examples">All that there were.</param>
public sealed record ReplayedDecision(
    DateTimeOffset At, string Outcome, string? Trigger, DateTimeOffset? Slot, string Reason, long NewExamples, long Examples);

/// <summary>
/// A schedule's settings over a past period, decided hour by hour by <see cref="DueWork"/> as the tick does it. Each training
/// takes the same time and succeeds.
/// </summary>
public static class ScheduleReplay
{
    /// <summary>Between two ticks.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromHours(1);

    /// <returns>What began and what went by, oldest first; hours with neither are left out.</returns>
    public static IReadOnlyList<ReplayedDecision> Run(
        Scope scope, ScheduleSettings settings, ReplayHistory history, DateTimeOffset from, DateTimeOffset to,
        TimeSpan training)
    {
        var schedule = ScheduleChanges.Apply(before: null, scope, settings, from);
        var decisions = new List<ReplayedDecision>();
        var past = new Past(history, from, training);
        for (var now = from; now <= to; now += Step)
        {
            past.MoveTo(now);
            if (schedule.NextCheckAt is not { } check || check > now)
            {
                continue;
            }

            // A limit of retrainings is of all projects together, and this is about one.
            var facts = past.Facts(scope);
            var decision = DueWork.Decide(schedule, facts, retrainingLimit: 1, now);
            RunId? started = decision is DueDecision.Due ? past.Begin(now) : null;
            schedule = DueWork.After(schedule, facts, decision, started, now);
            if (decision is DueDecision.Due or DueDecision.Skipped)
            {
                decisions.Add(past.Tell(decision, facts, schedule, now));
            }
        }

        return decisions;
    }

    /// <summary>What there was to know at a moment, with the replay's own trainings in place of the real ones.</summary>
    private sealed class Past(ReplayHistory history, DateTimeOffset from, TimeSpan training)
    {
        private int _hour;
        private int _model = -1;
        private RunId? _run;
        private DateTimeOffset _now;
        private DateTimeOffset? _begunAt;
        private DateTimeOffset? _lastSuccessAt;
        private Texts _all;
        private Texts _new;
        private Texts _snapshot;

        public void MoveTo(DateTimeOffset now)
        {
            _now = now;
            for (; _hour < history.Examples.Count && history.Examples[_hour].To <= now; _hour++)
            {
                var hour = history.Examples[_hour];
                _all = new(_all.WithContent + hour.All, _all.Empty + hour.Empty);
                _new = new(_new.WithContent + hour.New, _new.Empty + hour.NewEmpty);
            }

            while (_model + 1 < history.GeneralModels.Count && history.GeneralModels[_model + 1].FirstPromotedAt <= now)
            {
                _model++;
            }

            // What came while the training was at work is new to the next one.
            if (_begunAt + training <= now && _lastSuccessAt != _begunAt + training)
            {
                _lastSuccessAt = _begunAt + training;
                _new = new(_all.WithContent - _snapshot.WithContent, _all.Empty - _snapshot.Empty);
            }
        }

        public DueFacts Facts(Scope scope)
        {
            var isLive = _begunAt is not null && _lastSuccessAt != _begunAt + training;
            return new DueFacts
            {
                LiveRun = isLive && _run is { } live ? new(live, RunState.Tuning, null, null) : null,
                OpenRun = _run is { } open
                    ? new(open, isLive ? RunState.Tuning : RunState.Succeeded, isLive ? null : _lastSuccessAt, null)
                    : null,
                LastRunCreatedAt = _begunAt,
                LastSuccessAt = _lastSuccessAt,
                NewExamples = _new.Examples,
                GeneralModel = scope.IsGeneral || _model < 0 ? null : history.GeneralModels[_model],
                GeneralRun = history.GeneralRuns
                    .Where(period => period.From <= _now && !(period.To <= _now))
                    .Select(period => new RunFact(period.Id, period.State, null, null))
                    .FirstOrDefault(),
                HasModel = history.HasModel || _lastSuccessAt is not null,
                OrganizationRetrainsSince = history.OrganizationRetrains && !scope.IsGeneral ? from : null,
            };
        }

        public RunId Begin(DateTimeOffset now)
        {
            (_begunAt, _snapshot, _run) = (now, _all, RunId.New(now));
            return _run.Value;
        }

        public ReplayedDecision Tell(DueDecision decision, DueFacts facts, Schedule schedule, DateTimeOffset now)
        {
            var due = decision as DueDecision.Due;

            // The run has an id of this replay's own, which nobody could look up.
            var reason = facts.LiveRun is not null && _begunAt is { } begunAt
                ? $"not now: the training of {InWords(schedule, begunAt)} is not over"
                : decision.Reason;
            return new(
                now, due is null ? ScheduleOutcome.Skipped : ScheduleOutcome.Started, due?.Trigger,
                due?.Slot ?? (decision as DueDecision.Skipped)?.Slot, reason, facts.NewExamples ?? 0, _all.Examples);
        }

        private readonly record struct Texts(long WithContent, long Empty)
        {
            public long Examples => EmptyShare.Examples(WithContent, Empty, new ExportCriteria().MaxEmptyShare);
        }

        private static string InWords(Schedule schedule, DateTimeOffset instant) =>
            CronTimes.Find(schedule.CronExpression, schedule.TimeZone)?.InWords(instant)
            ?? FormattableString.Invariant($"{instant.UtcDateTime:yyyy-MM-dd HH:mm} UTC");
    }
}
