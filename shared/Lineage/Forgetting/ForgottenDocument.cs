using FeedbackLoop.Runs;

namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>A row of <c>ml.forgotten_documents</c>.</summary>
/// <param name="ProjectId">Null: nobody knows it any more.</param>
/// <param name="Rewritten">Datasets that have lost the document's examples.</param>
/// <param name="WaitsFor">For people; null when it waits for nothing, or was not looked at yet.</param>
/// <param name="CompletedAt">From then on no stored file holds it.</param>
public sealed record ForgottenDocument(
    Guid DocumentId, Guid OrganizationId, Guid? ProjectId, string RequestedBy, string Reason, DateTimeOffset RequestedAt,
    int Rewritten, string? WaitsFor, DateTimeOffset? CompletedAt)
{
    public Scope Scope => new(OrganizationId, ProjectId);

    public bool IsComplete => CompletedAt is not null;
}

/// <summary>An object in storage that no row names any more.</summary>
/// <param name="Generation">Null: whatever is there.</param>
internal sealed record ObjectToDelete(long Id, string Uri, long? Generation);

/// <summary>A run that is not over, and what it does.</summary>
internal sealed record LiveRun(RunId Id, string State);
