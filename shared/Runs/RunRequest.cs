namespace FeedbackLoop.Runs;

/// <summary>What a run is for, as <c>ml.training_runs.purpose</c> holds it.</summary>
public static class RunPurpose
{
    /// <summary>Export, tuning job, model.</summary>
    public const string Training = "training";

    /// <summary>The files only, for people to look at.</summary>
    public const string Export = "export";
}

/// <summary>What started a run, as <c>ml.training_runs.trigger</c> holds it.</summary>
public static class RunTrigger
{
    public const string Manual = "manual";
    public const string Threshold = "threshold";
    public const string Cron = "cron";
    public const string GeneralUpdate = "general_update";
    public const string Retry = "retry";

    public static IReadOnlyCollection<string> All { get; } = [Manual, Threshold, Cron, GeneralUpdate, Retry];
}

/// <summary>A wish to train, or to export.</summary>
/// <param name="Purpose">One of <see cref="RunPurpose"/>.</param>
/// <param name="Trigger">One of <see cref="RunTrigger"/>.</param>
/// <param name="RequestedBy">Who, as the audit log names people: <c>user:…</c>, <c>cli:…</c>, <c>schedule:…</c>.</param>
/// <param name="Key">Null: a repeat of this request is another wish.</param>
public sealed record RunRequest(
    Scope Scope, string Purpose, string Trigger, string RequestedBy, RunParameters Parameters, IdempotencyKey? Key)
{
    /// <summary>Most trainings of the scope that begin within 24 hours; null: not counted.</summary>
    public int? DailyLimit { get; init; }
}

/// <summary>The sender's name for one request, so that sending it again does nothing again.</summary>
/// <param name="Value">1 to 200 characters, unique per <see cref="RunRequest.RequestedBy"/>.</param>
/// <param name="RequestSha256">32 bytes over all that the request says; another content under the same key is refused.</param>
public sealed record IdempotencyKey(string Value, byte[] RequestSha256);

/// <summary>What came of a wish.</summary>
public abstract record RunRequestOutcome
{
    private RunRequestOutcome()
    {
    }

    /// <param name="IsRepeat">The same request was accepted before, and this is its run.</param>
    public sealed record Accepted(RunId RunId, DateTimeOffset CreatedAt, bool IsRepeat) : RunRequestOutcome;

    /// <summary>The scope has a run of that purpose that is not over.</summary>
    public sealed record AlreadyRunning(RunId RunId, string State) : RunRequestOutcome;

    /// <summary>The organization lets none of its runs do so little about personal data.</summary>
    public sealed record BelowFloor(FieldError Error) : RunRequestOutcome;

    /// <summary>The scope has begun as many trainings within 24 hours as it may.</summary>
    /// <param name="Reason">With the figures.</param>
    public sealed record TooMany(RunsOfDay Today, int Limit, string Reason) : RunRequestOutcome;

    /// <summary>The key belongs to a request that said something else.</summary>
    /// <param name="RunId">Null when it was about an organization that the caller cannot see any more.</param>
    public sealed record KeyReused(RunId? RunId) : RunRequestOutcome;
}
