namespace FeedbackLoop.Testing;

/// <summary>Hang on purpose: <see cref="LimitTests"/> starts a program of their own for them.</summary>
public sealed class HangingTests
{
    [Fact(Explicit = true)]
    public Task One_that_waits_for_what_never_comes() => Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);

    [Fact(Explicit = true)]
    public void One_that_does_not_listen()
    {
        using var never = new ManualResetEventSlim();
        never.Wait(CancellationToken.None);
    }

    [Fact(Explicit = true)]
    public void One_that_never_awaits()
    {
        for (var turn = 0UL; ; turn++)
        {
            Thread.SpinWait(1_000);
        }
    }

    [Fact(Explicit = true)]
    public Task One_that_awaits_and_does_not_listen() => new TaskCompletionSource().Task;

    /// <summary>Before the body of its test begins.</summary>
    public sealed class InTheBeginning : IAsyncLifetime
    {
        public async ValueTask InitializeAsync() => await Task.Delay(Timeout.Infinite, CancellationToken.None);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        [Fact(Explicit = true)]
        public void One_that_never_begins()
        {
        }
    }
}
