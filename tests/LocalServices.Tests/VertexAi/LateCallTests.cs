using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Local.VertexAi;

public sealed class LateCallTests : VertexAiTestBase
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.Zero));

    protected override VertexAiOptions Options(Uri storage, string directory) => new()
    {
        StorageAddress = storage,
        RequireShortLivedToken = true,
        Time = _time,
    };

    [Fact]
    public async Task A_late_call_is_carried_out_after_the_client_has_given_up()
    {
        await PutDatasetAsync();
        await GiveUpOnAsync(late: TimeSpan.FromMinutes(2));
        Assert.Empty(Server.Jobs);

        _time.Advance(TimeSpan.FromMinutes(2));
        await Server.WaitForLateCallsAsync(Cancel);

        Assert.Equal(1, Server.JobsWith("run", "r1"));
    }

    [Fact]
    public async Task A_call_that_is_later_than_its_token_lives_creates_nothing()
    {
        await PutDatasetAsync();
        await GiveUpOnAsync(late: TimeSpan.FromMinutes(6));

        _time.Advance(TimeSpan.FromMinutes(6));
        await Server.WaitForLateCallsAsync(Cancel);

        Assert.Equal((1, 0), (Server.CreateCalls("run", "r1"), Server.JobsWith("run", "r1")));
    }

    [Fact]
    public async Task A_call_without_a_token_is_unauthenticated()
    {
        await PutDatasetAsync();

        var error = await RefusalOfAsync(() => CreateAsync());

        Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
    }

    [Fact]
    public async Task A_token_creates_until_it_expires()
    {
        await PutDatasetAsync();
        var headers = await MintAsync();
        await Tuning.CreateTuningJobAsync(Request(), headers, cancellationToken: Cancel);
        _time.Advance(TimeSpan.FromSeconds(300));

        var error = await RefusalOfAsync(
            () => Tuning.CreateTuningJobAsync(Request(), headers, cancellationToken: Cancel).ResponseAsync);

        Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
        Assert.Single(Server.Jobs);
    }

    private async Task GiveUpOnAsync(TimeSpan late)
    {
        var headers = await MintAsync();
        Server.Faults.Script(VertexMethod.CreateTuningJob, new VertexAnswer.ExecuteLate(late));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var call = Tuning.CreateTuningJobAsync(Request(), headers, cancellationToken: patience.Token).ResponseAsync;
        while (!Server.Calls.ContainsKey(VertexMethod.CreateTuningJob))
        {
            Cancel.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await patience.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await RefusalOfAsync(() => call)).StatusCode);
    }

    private async Task<Metadata> MintAsync()
    {
        var (token, _) = await AccessTokenTests.MintAsync(Http, Server.IamAddress, "300s", Cancel);
        return new Metadata { { "authorization", "Bearer " + token } };
    }
}
