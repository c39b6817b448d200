using Grpc.Core;

namespace FeedbackLoop.Tuning;

/// <summary>What a run does after an attempt that made no job.</summary>
public abstract record RefusalDecision
{
    private RefusalDecision()
    {
    }

    public sealed record Fail(string Reason) : RefusalDecision;

    public sealed record WaitFor(TimeSpan Delay, string Reason) : RefusalDecision;
}

/// <summary>Which refusals end a run, and which ones time may heal.</summary>
public static class RefusalRule
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(60);

    /// <param name="answer">Refused or not sent.</param>
    /// <param name="earlierRefusals">Codes of the run's earlier attempts that were refused, oldest first.</param>
    /// <param name="isOverdue">Whether the run has waited for a job as long as it may.</param>
    /// <param name="jitter">0 to 1: which part of the longest wait is taken. Spreads runs that were refused together.</param>
    public static RefusalDecision Decide(
        TuningAnswer answer, IReadOnlyList<string?> earlierRefusals, int maxRefusals, bool isOverdue, double jitter)
    {
        var delay = Delay(earlierRefusals.Count, jitter);
        switch (answer)
        {
            case TuningAnswer.NotSent { Detail: var detail }:
                return isOverdue
                    ? new RefusalDecision.Fail($"Vertex AI could not be reached: {detail}")
                    : new RefusalDecision.WaitFor(delay, $"Vertex AI cannot be reached: {detail}");
            case TuningAnswer.Refused { Code: StatusCode.ResourceExhausted, Detail: var detail }:
                return isOverdue
                    ? new RefusalDecision.Fail($"quota: Vertex AI had no room for the job in time: {detail}")
                    : new RefusalDecision.WaitFor(delay, $"quota: Vertex AI has no room for the job yet: {detail}");
            case TuningAnswer.Refused { Code: var code, Detail: var detail } when MayHeal(code):
                var refusals = 1 + earlierRefusals.Count(earlier => MayHeal(earlier));
                return isOverdue || refusals >= maxRefusals
                    ? new RefusalDecision.Fail($"Vertex AI refused the job {refusals} times: {code}: {detail}")
                    : new RefusalDecision.WaitFor(delay, $"Vertex AI refused the job: {code}: {detail}");
            case TuningAnswer.Refused { Code: var code, Detail: var detail }:
                return new RefusalDecision.Fail($"Vertex AI refused the job: {code}: {detail}");
            default:
                throw new InvalidOperationException($"{answer} is no refusal");
        }
    }

    /// <summary>1, 2, 4 … 60 minutes, times the jitter.</summary>
    private static TimeSpan Delay(int earlier, double jitter)
    {
        var longest = earlier >= 6 ? LongestDelay : FirstDelay * (1 << earlier);
        return longest * jitter;
    }

    // The account may get its permission, and a conflict may pass. HTTP 401, 403, 409, 412.
    private static bool MayHeal(StatusCode code) => code
        is StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.AlreadyExists or StatusCode.Aborted;

    private static bool MayHeal(string? code) => Enum.TryParse<StatusCode>(code, out var parsed) && MayHeal(parsed);
}
