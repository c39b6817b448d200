using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using Npgsql;

namespace FeedbackLoop.ScheduleTicks;

/// <summary>
/// A new general model: the admins of the organization's projects are told, and projects are trained again, as its schedules
/// say. A project's model: its place among the retrainings is free for the next one.
/// </summary>
internal sealed class RenewalStep(NpgsqlDataSource database, ScheduleTicker ticker, TimeProvider time)
    : IStep<TrainingFinished>
{
    public async Task<StepOutcome> RunAsync(TrainingFinished message, CancellationToken cancellationToken)
    {
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            if (await db.FindRunAsync(message.RunId, cancellationToken) is not { } run)
            {
                return new StepOutcome.Rejected($"run {message.RunId} does not exist");
            }

            // A project's retraining is over also when its model is kept back; a general one that nobody uses renews nothing.
            if (await db.FindModelAsync(run.Id, cancellationToken) is not { } model
                || (run.Scope.IsGeneral && model.Status != ModelStatus.Ready))
            {
                return new StepOutcome.AlreadyDone($"model {run.Id} is not the one in use");
            }

            await using var tx = await db.BeginTransactionAsync(cancellationToken);
            await WakeAsync(db, run.Scope, model, cancellationToken);
            await tx.CommitAsync(cancellationToken);
        }

        // What was woken is due by its rows: a crash before this line leaves it to the next tick.
        var tally = await ticker.RunAsync(cancellationToken);
        return new StepOutcome.Done(tally.ToString());
    }

    private async Task WakeAsync(
        NpgsqlConnection db, Scope scope, FineTunedModel model, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (scope.IsGeneral && await db.MarkNotifiedAsync(scope.OrganizationId, model.Id, cancellationToken))
        {
            await db.NotifyProjectAdminsAsync(
                new AdminNotice(
                    scope,
                    "New general model",
                    $"Version {model.Version} of the organization's general model was trained with "
                    + $"{model.TrainingExamples} examples. A project model can be trained again on top of it.",
                    "info",
                    model.Id),
                now,
                cancellationToken);
        }

        if (scope.IsGeneral)
        {
            await db.AddProjectSchedulesAsync(scope.OrganizationId, now, cancellationToken);
        }

        await db.WakeProjectsAsync(scope.OrganizationId, onlyWaiting: !scope.IsGeneral, now, cancellationToken);
    }
}
