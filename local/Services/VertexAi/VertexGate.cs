using System.Collections.Concurrent;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>A call of GenerateContent that was answered.</summary>
public sealed record ModelAnswer(GenerateContentRequest Request, GenerateContentResponse Response);

/// <summary>Every call passes here: it is counted, and a scripted answer takes the place of a plain one.</summary>
internal sealed class VertexGate(VertexAiFaults faults, TimeProvider time)
{
    private readonly ConcurrentDictionary<VertexMethod, int> _calls = new();
    private readonly ConcurrentQueue<CreateTuningJobRequest> _creates = new();
    private readonly ConcurrentBag<Task> _late = [];

    public IReadOnlyDictionary<VertexMethod, int> Calls => _calls;

    public IReadOnlyList<CreateTuningJobRequest> Creates => [.. _creates];

    public ModelAnswer? LatestAnswer { get; private set; }

    public void Remember(CreateTuningJobRequest request) => _creates.Enqueue(request.Clone());

    public void Remember(ModelAnswer answer) => LatestAnswer = answer;

    public async Task<T> PassAsync<T>(VertexMethod method, ServerCallContext context, Func<Task<T>> execute)
    {
        var answer = faults.Take(method);
        var late = answer is VertexAnswer.ExecuteLate { By: var by } ? StartLate(by, execute) : null;

        // Counted only now: whoever sees the call may move the clock, and a late one must already be waiting for it.
        _calls.AddOrUpdate(method, 1, (_, count) => count + 1);
        switch (answer)
        {
            case null:
                return await execute();
            case VertexAnswer.Refuse refuse:
                throw VertexErrors.Scripted(refuse.Code, refuse.Message);
            case VertexAnswer.BareStatus bare:
                throw new RpcException(new Status(bare.Code, "upstream connect error"));
            case VertexAnswer.ExecuteAndLoseResponse:
                await IgnoreRefusal(execute());
                throw Abort(context);
            case VertexAnswer.AbortBeforeExecuting:
                throw Abort(context);
            case VertexAnswer.ExecuteLate { LosesResponse: true }:
                throw Abort(context);
            case VertexAnswer.ExecuteLate:
                return await late!.WaitAsync(context.CancellationToken); // set for this answer, above
            case VertexAnswer.Delay delay:
                await Task.Delay(delay.By, time, context.CancellationToken);
                return await execute();
            case var other:
                throw new InvalidOperationException($"{other} has no meaning here.");
        }
    }

    public Task WaitForLateCallsAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_late).WaitAsync(cancellationToken);

    private Task<T> StartLate<T>(TimeSpan by, Func<Task<T>> execute)
    {
        var late = LateAsync(by, execute);
        _late.Add(IgnoreRefusal(late));
        return late;
    }

    private async Task<T> LateAsync<T>(TimeSpan by, Func<Task<T>> execute)
    {
        // No token: a request that was lost on its way arrives although nobody waits for it any more.
        await Task.Delay(by, time, CancellationToken.None);
        return await execute();
    }

    private static async Task IgnoreRefusal(Task execution)
    {
        try
        {
            await execution;
        }
        catch (RpcException)
        {
            // Whoever would have seen the refusal is gone.
        }
    }

    private static OperationCanceledException Abort(ServerCallContext context)
    {
        context.GetHttpContext().Abort();
        return new OperationCanceledException("The stream is broken on purpose.");
    }
}
