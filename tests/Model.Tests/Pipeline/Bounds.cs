namespace FeedbackLoop.Model.Pipeline;

/// <summary>How far a search goes.</summary>
internal sealed record Bounds
{
    public RunStep Start { get; init; } = RunStep.Requested;

    /// <summary>Workers at once, of whatever step: a second one while the first sleeps. One or two.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>Failed tries of a step before its run fails; 8 in the product.</summary>
    public int MaxTries { get; init; } = 1;

    /// <summary>Refusals that time may heal before the run fails; 8 in the product.</summary>
    public int MaxRefusals { get; init; } = 2;

    /// <summary>Attempts of a run; 100 in the product.</summary>
    public int LastAttempt { get; init; } = 3;

    /// <summary>Pages of Vertex AI's list; a delivery reads one.</summary>
    public int Pages { get; init; } = 1;

    /// <summary>Whether a second tenant's run is there, which is poisoned for ever.</summary>
    public bool HasNeighbour { get; init; }

    /// <summary>Whether messages are followed from the outbox on; else each is out as soon as it is written.</summary>
    public bool HasOutbox { get; init; }

    /// <summary>Whether Vertex AI may refuse to let the run's job be read, from some time on and for ever.</summary>
    public bool MayBeUnreadable { get; init; }

    /// <summary>Whether an estimate may be so high that a person has to approve the run.</summary>
    public bool HasApproval { get; init; } = true;

    /// <summary>Whether people cancel, approve and settle.</summary>
    public bool HasPeople { get; init; } = true;
}
