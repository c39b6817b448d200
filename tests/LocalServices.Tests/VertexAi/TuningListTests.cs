using Google.Cloud.AIPlatform.V1;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>What may be wrong with the list of tuning jobs: its order, its speed, its page tokens.</summary>
public sealed class TuningListTests : VertexAiTestBase
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));

    protected override VertexAiOptions Options(Uri storage, string directory) =>
        new() { StorageAddress = storage, Time = _time };

    [Theory]
    [InlineData(TuningJobOrder.NewestFirst)]
    [InlineData(TuningJobOrder.OldestFirst)]
    [InlineData(TuningJobOrder.Mixed)]
    public async Task Every_order_lists_every_job_once(TuningJobOrder order)
    {
        AddJobs(250);
        Server.Faults.ListOrder = order;

        var listed = new List<TuningJob>();
        var token = "";
        var pages = 0;
        do
        {
            var page = await PageAsync(token);
            listed.AddRange(page.TuningJobs);
            token = page.NextPageToken;
            pages++;
        }
        while (token.Length > 0);

        Assert.Equal((3, 250), (pages, listed.Select(job => job.Name).Distinct().Count()));
        var times = listed.Select(job => job.CreateTime.ToDateTimeOffset()).ToList();
        Assert.Equal(order == TuningJobOrder.NewestFirst, times.SequenceEqual(times.OrderDescending()));
        Assert.Equal(order == TuningJobOrder.OldestFirst, times.SequenceEqual(times.Order()));
    }

    [Fact]
    public async Task A_job_that_is_made_meanwhile_is_on_the_last_page_of_the_oldest_first_and_shifts_nothing_newest_first()
    {
        AddJobs(150);
        await PutDatasetAsync();
        foreach (var order in new[] { TuningJobOrder.OldestFirst, TuningJobOrder.NewestFirst })
        {
            Server.Faults.ListOrder = order;
            var first = await PageAsync("");
            var made = await CreateAsync();
            var last = await PageAsync(first.NextPageToken);

            Assert.Equal(order == TuningJobOrder.OldestFirst, last.TuningJobs.Any(job => job.Name == made.Name));
            Assert.Empty(first.TuningJobs.Select(job => job.Name).Intersect(last.TuningJobs.Select(job => job.Name)));
        }
    }

    [Fact]
    public async Task A_page_takes_its_time_by_the_clock()
    {
        AddJobs(1);
        Server.Faults.PageLatency = TimeSpan.FromMilliseconds(500);

        var page = PageAsync("");
        while (!page.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Yield();
        }

        Assert.Single((await page).TuningJobs);
        Assert.True(_time.GetUtcNow() - _time.Start >= TimeSpan.FromMilliseconds(500));
    }

    [Fact]
    public async Task A_page_token_lives_as_long_as_it_is_set_to_and_nonsense_is_none()
    {
        AddJobs(150);
        Server.Faults.PageTokenLife = TimeSpan.FromMinutes(10);
        var token = (await PageAsync("")).NextPageToken;
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(50, (await PageAsync(token)).TuningJobs.Count);

        _time.Advance(TimeSpan.FromSeconds(1));
        foreach (var refused in new[] { token, "nonsense", "1.1" })
        {
            var refusal = await Assert.ThrowsAsync<RpcException>(() => PageAsync(refused));
            Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        }
    }

    [Fact]
    public async Task A_job_that_is_closed_to_a_method_is_open_to_the_others()
    {
        await PutDatasetAsync();
        var job = await CreateAsync();
        Server.Faults.CloseJob(job.Name, VertexMethod.GetTuningJob, StatusCode.PermissionDenied);

        var refusal = await Assert.ThrowsAsync<RpcException>(() => GetAsync(job.Name));
        await Tuning.CancelTuningJobAsync(new CancelTuningJobRequest { Name = job.Name }, cancellationToken: Cancel);

        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
        Assert.Equal(JobState.Cancelled, (await EndAsync(job.Name)).State);
        Assert.Single((await PageAsync("")).TuningJobs);
    }

    private void AddJobs(int count) => Server.AddEndedJobs(
        Parent, count, _time.GetUtcNow() - TimeSpan.FromHours(1), TimeSpan.FromHours(1), (_, _) => { });

    private async Task<ListTuningJobsResponse> PageAsync(string token) => await Tuning.ListTuningJobsAsync(
        new ListTuningJobsRequest { Parent = Parent, PageToken = token }, cancellationToken: Cancel);
}
