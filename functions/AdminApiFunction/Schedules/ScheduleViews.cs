using FeedbackLoop.Scheduling;
using FeedbackLoop.Spending;

namespace FeedbackLoop.AdminApi.Schedules;

/// <param name="Outcome"><c>started</c>, <c>waiting</c>, <c>not_due</c>, <c>skipped</c> or <c>gave_up</c>.</param>
internal sealed record ScheduleDecision(string Outcome, string Reason, DateTimeOffset At);

/// <summary>What a training by this schedule would find now.</summary>
/// <param name="Available">Examples at the schedule's confidence; an export leaves some more out.</param>
/// <param name="Minimum">Fewest that a training of this tier takes.</param>
/// <param name="NewSinceLastTraining">Null: there was none.</param>
internal sealed record ScheduleEstimate(long Available, int Minimum, long? NewSinceLastTraining);

/// <param name="Month">First day of the calendar month, UTC.</param>
/// <param name="LimitUsd">Null: none.</param>
/// <param name="IsDefaultLimit">Whether it is the installation's, because nobody has set one.</param>
/// <param name="CommittedUsd">The three sums together; what is compared with the limit.</param>
/// <param name="TuningUsd">Tuning jobs that were asked for in it: what they have cost, or are estimated at until that is known.</param>
/// <param name="EvaluationUsd">Answers of models that were compared.</param>
/// <param name="ExtractionUsd">Answers to extractions, which no limit ends.</param>
/// <param name="Unpriced">What none of the sums holds, because nobody knows its price.</param>
internal sealed record SpendingView(
    DateOnly Month, decimal? LimitUsd, bool IsDefaultLimit, decimal CommittedUsd, decimal TuningUsd, decimal EvaluationUsd,
    decimal ExtractionUsd, IReadOnlyList<UnpricedUse> Unpriced)
{
    public static SpendingView Of(MonthlySpending spending) => new(
        spending.Month, spending.LimitUsd, spending.IsDefaultLimit, spending.CommittedUsd, spending.TuningUsd,
        spending.EvaluationUsd, spending.ExtractionUsd, spending.Unpriced);
}

/// <param name="Version">Grows with each change of the settings, and is the ETag; 0: nobody has set any.</param>
/// <param name="NextTimes">Up to five, with the offset of the schedule's zone; none when it goes by no clock.</param>
/// <param name="WaitingSlot">
/// The time that has come and waits for the general model, which is being trained; null: none does.
/// </param>
/// <param name="LastTrainingAt">End of the last successful training, as the last tick saw it.</param>
/// <param name="LastDecision">What the last tick made of it; null: no tick has looked yet.</param>
/// <param name="Hold">Why no training begins now, whatever is due; null: nothing holds it.</param>
/// <param name="Spending">Of an organization.</param>
internal sealed record ScheduleView(
    Guid OrganizationId, Guid? ProjectId, int Version, ScheduleSettings Settings, IReadOnlyList<DateTimeOffset> NextTimes,
    DateTimeOffset? WaitingSlot, ScheduleEstimate Estimate, DateTimeOffset? LastTrainingAt, int? LastExampleCount, ScheduleDecision? LastDecision,
    Guid? OpenRunId, int Retries, string? Hold, SpendingView? Spending, DateTimeOffset? UpdatedAt);
