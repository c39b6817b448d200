using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Tuning;

/// <summary>
/// The training of an organization's general model that is on its way, seen from a project of it. A project's training that
/// waits for it is tuned on top of the new model, and not paid for twice: schedules wait. One that a person starts does not:
/// it goes on from the model that is in use when its own tuning job is made.
/// </summary>
/// <param name="RunId">Of the general model's training.</param>
/// <param name="State">Of that run. One that waits for its turn or for a person is not on its way.</param>
/// <param name="ParentModelId">The general model in use now; null: there is none.</param>
/// <param name="BaseModel">What the general model in use rests on, or what is tuned without one.</param>
public sealed record GeneralTraining(
    Guid RunId, string State, Guid? ParentModelId, int? ParentModelVersion, string BaseModel)
{
    public static IReadOnlyList<string> States { get; } =
    [
        RunState.Exporting, RunState.Exported, RunState.Creating, RunState.CreateUnknown, RunState.Tuning,
        RunState.Evaluating,
    ];

    public static bool IsOnItsWay(string state) => States.Contains(state);

    /// <param name="plan">Of a training of <paramref name="scope"/> that begins now.</param>
    /// <returns>Null when no training of a general model is on its way, and of an organization.</returns>
    public static async Task<GeneralTraining?> FindAsync(
        NpgsqlConnection db, Scope scope, TuningPlan plan, CancellationToken cancellationToken)
    {
        if (scope.IsGeneral)
        {
            return null;
        }

        var live = await db.FindLiveRunAsync(scope with { ProjectId = null }, RunPurpose.Training, cancellationToken);
        return live is not null && IsOnItsWay(live.State)
            ? new(live.Id.Value, live.State, plan.Parent?.Id.Value, plan.Parent?.Version, plan.BaseModel)
            : null;
    }

    /// <summary>What a person hears who starts a training of the project.</summary>
    public string InWords() =>
        $"The general model is being trained: run {RunId} is {State}. "
        + (ParentModelVersion is { } version
            ? $"A training by hand does not wait for it and goes on from version {version}, unless the new one is in use first."
            : $"A training by hand does not wait for it and tunes {BaseModel}, unless the new one is in use first.");
}
