using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>
/// The real service, each page of whose list moves the clocks of worker and database on instead of taking time.
/// </summary>
internal sealed class SlowPages(ITuningService inner, FakeTimeProvider time, DatabaseClock clock, TimeSpan page) : ITuningService
{
    public TuningTarget Target => inner.Target;

    public Task<CreationToken> MintTokenAsync(CancellationToken cancellationToken) =>
        inner.MintTokenAsync(cancellationToken);

    public Task<TuningAnswer> CreateAsync(CreateTuningJobRequest request, CreationToken token) =>
        inner.CreateAsync(request, token);

    public Task<TuningJob?> GetAsync(string name, CancellationToken cancellationToken) =>
        inner.GetAsync(name, cancellationToken);

    public async Task<TuningJobPage> ListPageAsync(
        string parent, string pageToken, CancellationToken cancellationToken)
    {
        time.Advance(page);
        await clock.AdvanceAsync(page, cancellationToken);
        return await inner.ListPageAsync(parent, pageToken, cancellationToken);
    }

    public Task<bool> CancelAsync(string name, CancellationToken cancellationToken) =>
        inner.CancelAsync(name, cancellationToken);
}
