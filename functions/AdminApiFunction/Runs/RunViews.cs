using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Runs;

/// <param name="Kind"><c>user</c>, <c>cli</c>, <c>schedule</c>, or what else started it.</param>
/// <param name="Name">For people; the id when the name is not known any more.</param>
internal sealed record Requester(string Kind, string Name);

/// <summary>US dollars.</summary>
/// <param name="EstimatedUsd">Tokens of the dataset × epochs × price; null before the export is done.</param>
/// <param name="ActualUsd">By the tokens that Vertex billed; null before the tuning job is done.</param>
internal sealed record RunCost(decimal? EstimatedUsd, decimal? ActualUsd);

/// <summary>What a person is asked to approve before the tuning job is made, or has approved. The run's reason says why.</summary>
/// <param name="AskedUsd">What the job is estimated at; null when nobody is asked any more.</param>
/// <param name="Until">Then the run is skipped; null when nobody is asked any more.</param>
/// <param name="ApprovedUsd">Null: nobody has approved anything yet.</param>
internal sealed record RunApproval(
    decimal? AskedUsd, DateTimeOffset? Until, decimal? ApprovedUsd, DateTimeOffset? ApprovedAt);

/// <param name="Name"><c>projects/…/locations/…/tuningJobs/…</c>.</param>
/// <param name="ConsoleUrl">The job in Google's console.</param>
internal sealed record TuningJobLink(string Name, string ConsoleUrl);

/// <param name="Status"><c>training</c>, <c>ready</c>, <c>failed</c> or <c>deprecated</c>.</param>
/// <param name="Verdict">Of its evaluation: <c>better</c>, <c>no_evidence</c> or <c>worse</c>; null before that.</param>
internal sealed record RunModel(Guid Id, int Version, string Status, string? Verdict, string? VerdictReason);

/// <summary>A run in a list.</summary>
/// <param name="ProjectId">Null: the general model of the organization.</param>
/// <param name="Trigger"><c>manual</c>, <c>threshold</c>, <c>cron</c>, <c>general_update</c> or <c>retry</c>.</param>
/// <param name="Reason">Why it ended as it did, or what it waits for.</param>
/// <param name="Progress">Of the export.</param>
/// <param name="Approval">Null when no person was asked.</param>
/// <param name="TestExamples">Held out: no tuning job is given them, and the models are compared on them.</param>
internal sealed record RunSummary(
    Guid Id, Guid OrganizationId, Guid? ProjectId, string Trigger, Requester RequestedBy, string State, bool IsOver,
    string? Reason, ExportProgress? Progress, int? TrainExamples, int? ValidationExamples, int? TestExamples,
    string? BaseModel, Guid? ParentModelId, RunModel? Model, RunCost Cost, RunApproval? Approval, TuningJobLink? TuningJob,
    RunParameters Parameters,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt);

/// <summary>A run with its history, oldest state first.</summary>
internal sealed record RunDetails(RunSummary Run, IReadOnlyList<RunEvent> Timeline);

/// <param name="Next">Send it as <c>after</c> for the next page; null on the last one.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? Next);
