using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Export;

/// <summary>
/// Prolongs the lease of a claim, and shows progress on the run's row and in the log, from its start until it is
/// stopped: by the clock and not by what is written, because reading, sorting, the last bytes and the commit take their
/// time as well.
/// </summary>
/// <remarks>The export ends with <see cref="Token"/>: once another worker may have the run, or nobody can
/// tell.</remarks>
internal sealed partial class Heartbeat : IAsyncDisposable
{
    private readonly NpgsqlConnection _db;
    private readonly Run _claim;
    private readonly ExportOptions _options;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _export;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _beating;
    private ExportProgress _progress = new(0, 0, 0);

    /// <param name="db">Nobody else uses it meanwhile.</param>
    public Heartbeat(
        NpgsqlConnection db, Run claim, ExportOptions options, TimeProvider time, ILogger logger,
        CancellationToken cancellationToken)
    {
        (_db, _claim, _options, _logger) = (db, claim, options, logger);
        _export = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Token = _export.Token;
        _beating = BeatAsync(time);
    }

    /// <summary>Cancelled with the request, and when the lease is lost.</summary>
    public CancellationToken Token { get; }

    public bool IsLost { get; private set; }

    /// <summary>Why nobody knows whether the lease is kept; null when another worker has the run.</summary>
    public Exception? Failure { get; private set; }

    public string LastProgressJson => JsonSerializer.Serialize(_progress, ProgressJson.Default.ExportProgress);

    public Task NoteAsync(ExportProgress progress, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _progress, progress);
        return Task.CompletedTask;
    }

    /// <summary>Returns when the connection is free again.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _beating;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        _export.Dispose();
    }

    private async Task BeatAsync(TimeProvider time)
    {
        try
        {
            var interval = _options.Lease / 3;
            using var timer = new PeriodicTimer(
                _options.ProgressInterval < interval ? _options.ProgressInterval : interval, time);
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                if (!await _db.ExtendLeaseAsync(_claim, _options.Lease, LastProgressJson, _stop.Token))
                {
                    await LoseAsync(failure: null);
                    return;
                }

                LogProgress(_claim.Id, _progress.Candidates, _progress.Examples, _progress.Bytes);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // It is over.
        }
        catch (Exception e)
        {
            // Whatever it is: an export that nobody keeps the lease of must not go on.
            await LoseAsync(e);
        }
    }

    private async Task LoseAsync(Exception? failure)
    {
        (IsLost, Failure) = (true, failure);
        await _export.CancelAsync();
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Run {RunId}: {Candidates} extractions read, {Examples} examples of {Bytes} bytes written")]
    private partial void LogProgress(RunId runId, long candidates, long examples, long bytes);
}
