using Grpc.Core;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>The methods whose answers can be scripted.</summary>
public enum VertexMethod
{
    CreateTuningJob,
    GetTuningJob,
    ListTuningJobs,
    CancelTuningJob,
    GenerateContent,
}

/// <summary>What happens to one call instead of a plain answer.</summary>
public abstract record VertexAnswer
{
    private VertexAnswer()
    {
    }

    /// <summary>The service says no: a status with well-formed details. Nothing is executed.</summary>
    public sealed record Refuse(StatusCode Code, string Message) : VertexAnswer;

    /// <summary>Something in between says no: a status without details. Nothing is executed.</summary>
    public sealed record BareStatus(StatusCode Code) : VertexAnswer;

    /// <summary>The call is executed, then the stream breaks.</summary>
    public sealed record ExecuteAndLoseResponse : VertexAnswer;

    /// <summary>The stream breaks and nothing is executed.</summary>
    public sealed record AbortBeforeExecuting : VertexAnswer;

    /// <summary>The call is executed after so long, even when the client has given up by then.</summary>
    public sealed record ExecuteLate(TimeSpan By) : VertexAnswer
    {
        /// <summary>The stream breaks at once: the client need not give up by a time-out of its own.</summary>
        public bool LosesResponse { get; init; }
    }

    /// <summary>The call is executed after so long, unless the client has given up by then.</summary>
    public sealed record Delay(TimeSpan By) : VertexAnswer;
}
