using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;

namespace FeedbackLoop.ScheduleTicks;

/// <summary>Every hour: schedules that are due, to runs.</summary>
internal sealed class ScheduleTickStep(ScheduleTicker ticker) : IStep<ScheduleTick>
{
    public async Task<StepOutcome> RunAsync(ScheduleTick message, CancellationToken cancellationToken) =>
        new StepOutcome.Done((await ticker.RunAsync(cancellationToken)).ToString());
}
