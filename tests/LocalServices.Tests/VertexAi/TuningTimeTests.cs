using Google.Cloud.AIPlatform.V1;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Local.VertexAi;

public sealed class TuningTimeTests : VertexAiTestBase
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));

    protected override VertexAiOptions Options(Uri storage, string directory) => new()
    {
        StorageAddress = storage,
        PendingDuration = TimeSpan.FromMinutes(5),
        RunningDuration = TimeSpan.FromMinutes(40),
        Time = _time,
    };

    [Fact]
    public async Task A_job_is_pending_then_running_then_done_by_the_clock()
    {
        await PutDatasetAsync();
        var job = await CreateAsync();
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(JobState.Pending, (await GetAsync(job.Name)).State);

        _time.Advance(TimeSpan.FromMinutes(1));
        await RunningAsync(job.Name);

        _time.Advance(TimeSpan.FromMinutes(40));
        var ended = await EndAsync(job.Name);
        Assert.Equal(JobState.Succeeded, ended.State);
        Assert.Equal(TimeSpan.FromMinutes(40), ended.EndTime.ToDateTimeOffset() - ended.StartTime.ToDateTimeOffset());
    }

    [Fact]
    public async Task A_young_job_is_missing_from_lists_while_they_lag()
    {
        await PutDatasetAsync();
        Server.Faults.ListLag = TimeSpan.FromSeconds(30);
        var job = await CreateAsync();

        Assert.Empty(await ListAsync());
        Assert.Equal(job.Name, (await GetAsync(job.Name)).Name);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Single(await ListAsync());
    }

    [Fact]
    public async Task A_young_job_is_not_found_while_reads_lag()
    {
        await PutDatasetAsync();
        Server.Faults.GetLag = TimeSpan.FromSeconds(5);
        var job = await CreateAsync();

        await RefusalOfAsync(() => GetAsync(job.Name));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(job.Name, (await GetAsync(job.Name)).Name);
    }

    /// <summary>The clock stands still: the job only needs its turn on the processor to notice the time.</summary>
    private async Task RunningAsync(string name)
    {
        while ((await GetAsync(name)).State != JobState.Running)
        {
            Cancel.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
