using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace FeedbackLoop.Testing;

/// <summary>
/// Runs the tests as xunit does, and none for ever. xunit's own <c>Timeout</c> is a word on each test and not for those that
/// never await.
/// </summary>
public sealed class LimitedTestFramework : XunitTestFramework
{
    protected override ITestFrameworkExecutor CreateExecutor(Assembly assembly) => new Executor(base.CreateExecutor(assembly));

    private sealed class Executor(ITestFrameworkExecutor inner) : ITestFrameworkExecutor, IAsyncDisposable
    {
        public async ValueTask RunTestCases(
            IReadOnlyCollection<ITestCase> testCases, IMessageSink executionMessageSink,
            ITestFrameworkExecutionOptions executionOptions, CancellationToken? cancellationToken)
        {
            using var watch = TestWatch.FromEnvironment();
            await inner.RunTestCases(testCases, new Sink(executionMessageSink, watch), executionOptions, cancellationToken);
        }

        public ValueTask DisposeAsync() => inner is IAsyncDisposable disposable ? disposable.DisposeAsync() : default;
    }

    private sealed class Sink(IMessageSink inner, TestWatch watch) : IMessageSink
    {
        public bool OnMessage(IMessageSinkMessage message)
        {
            watch.See(message);
            return inner.OnMessage(message);
        }
    }
}
