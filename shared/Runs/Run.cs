namespace FeedbackLoop.Runs;

/// <summary>A run whose tuning job is to be looked at.</summary>
/// <param name="TraceParent">As <see cref="Run.TraceParent"/>.</param>
public sealed record DuePoll(RunId Id, string? TraceParent);

/// <summary>A live run whose scope is gone, see <see cref="GoneScope"/>.</summary>
/// <param name="HasOrganization">Whether the organization is still there, and the project alone is gone.</param>
public sealed record StrayRun(RunId Id, bool HasOrganization)
{
    /// <summary>Why it ends, for people.</summary>
    public string Reason => $"the product has deleted the run's {(HasOrganization ? "project" : "organization")}";
}

/// <summary>A row of <c>ml.training_runs</c>, as far as the steps read it.</summary>
public sealed record Run
{
    public required RunId Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public Guid? ProjectId { get; init; }

    /// <summary>One of <see cref="RunPurpose"/>.</summary>
    public required string Purpose { get; init; }

    public required string Trigger { get; init; }
    public required string RequestedBy { get; init; }
    public required string ParametersJson { get; init; }

    /// <summary>Milliseconds since 1970; names the dataset's folder.</summary>
    public required long Version { get; init; }

    public required string State { get; init; }
    public string? Reason { get; init; }

    /// <summary>Grows with every claim; writes of a claim name it, so that a stale worker's writes miss.</summary>
    public required int Epoch { get; init; }

    /// <summary>Claims of the present state, this one included.</summary>
    public required int StepAttempts { get; init; }

    public string? EndsAs { get; init; }
    public required int PollCount { get; init; }
    public Guid? DatasetId { get; init; }
    public decimal? EstimatedCostUsd { get; init; }

    /// <summary>What a person is asked to approve, or was asked last without an answer; null when there is no such question.</summary>
    public decimal? ApprovalAskedUsd { get; init; }

    /// <summary>What a person has approved for the tuning job; null: nobody was asked.</summary>
    public decimal? ApprovedUsd { get; init; }

    /// <summary>Until when the present state may last.</summary>
    public DateTimeOffset DeadlineAt { get; init; }

    public Guid? ModelId { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>W3C trace context of the request; null for a run from before there was one.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Whether the deadline of the present state has passed, by the database's clock.</summary>
    public required bool IsOverdue { get; init; }

    public Scope Scope => new(OrganizationId, ProjectId);

    public RunParameters Parameters => RunParameters.FromJson(ParametersJson);
}
