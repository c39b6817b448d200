using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>The real service, but for the answer to the creation of a job.</summary>
internal sealed class AnsweringService(ITuningService inner, TuningAnswer answer) : ITuningService
{
    public TuningTarget Target => inner.Target;

    public Task<CreationToken> MintTokenAsync(CancellationToken cancellationToken) =>
        inner.MintTokenAsync(cancellationToken);

    public Task<TuningAnswer> CreateAsync(CreateTuningJobRequest request, CreationToken token) =>
        Task.FromResult(answer);

    public Task<TuningJob?> GetAsync(string name, CancellationToken cancellationToken) =>
        inner.GetAsync(name, cancellationToken);

    public Task<TuningJobPage> ListPageAsync(string parent, string pageToken, CancellationToken cancellationToken) =>
        inner.ListPageAsync(parent, pageToken, cancellationToken);

    public Task<bool> CancelAsync(string name, CancellationToken cancellationToken) =>
        inner.CancelAsync(name, cancellationToken);
}
