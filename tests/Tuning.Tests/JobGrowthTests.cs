using FeedbackLoop.Local.VertexAi;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>An installation of some years: ten thousand ended tuning jobs, at half a second a page.</summary>
public sealed class JobGrowthTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Ended = 10_000;

    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(postgres);
        _world.Time = _time;
        _world.Service = new SlowPages(_world.Service, _time, _world.Clock, TimeSpan.FromMilliseconds(500));
        _world.Vertex.AddEndedJobs(
            _world.Service.Target.Parent, Ended, _time.GetUtcNow() - TimeSpan.FromHours(3), TimeSpan.FromHours(1),
            (number, labels) =>
            {
                labels[TuningLabels.App] = TuningLabels.AppValue;
                labels[TuningLabels.Environment] = number % 2 == 0 ? "test" : "another";
                labels[TuningLabels.Run] = $"{new Guid(number, 1, 1, new byte[8])}";
                labels[TuningLabels.Attempt] = "1";
            });
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData(TuningJobOrder.NewestFirst, 1)]
    [InlineData(TuningJobOrder.OldestFirst, 100)]
    [InlineData(TuningJobOrder.Mixed, 100)]
    public async Task No_run_is_lost(TuningJobOrder order, int pages)
    {
        _world.Vertex.Faults.ListOrder = order;
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());

        await DeliverAsync(run);

        var now = await _world.FindAsync(run);
        Assert.True(now.State == RunState.Tuning, $"{now.State}: {now.Reason}");
        Assert.Equal(1, _world.CallsFor(run));
        Assert.Equal(pages, _world.Vertex.Calls[VertexMethod.ListTuningJobs]);
    }

    /// <summary>Deliveries of the run's message until it leads to something else than another one.</summary>
    private async Task DeliverAsync(RunId run)
    {
        for (var delivery = 0; delivery < 20; delivery++)
        {
            var sent = _world.Published.Messages.Count;
            var isThrown = false;
            try
            {
                await _world.TrainAsync(run);
            }
            catch (TimeoutException)
            {
                isThrown = true;
            }

            if (!isThrown && _world.Published.Topics.Skip(sent).All(topic => topic != Topics.DatasetExported))
            {
                return;
            }
        }
    }
}
