using System.Text.Json;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.AdminApi.Exports;

/// <summary>What a person asked for.</summary>
/// <param name="DownloadId">Of this request: its end has the same.</param>
/// <param name="Bytes">Of the whole file.</param>
/// <param name="Range">As it was sent, at most 100 characters; null: the whole file.</param>
internal sealed record DownloadAsked(
    Guid DownloadId, Guid RunId, string File, long Bytes, string? Sha256, string? Range);

/// <summary>What a person got.</summary>
/// <param name="BytesSent">Handed to the connection; what a client received that went away may be less.</param>
/// <param name="IsComplete">All that was asked for was handed over.</param>
internal sealed record DownloadEnded(Guid DownloadId, Guid RunId, string File, long BytesSent, bool IsComplete);

/// <summary>
/// A file on its way to a person, with an entry in the audit log before its first byte and another one after its last.
/// Without the first entry nothing goes out; without the second, the process died under way.
/// </summary>
internal sealed partial class AuditedDownload : IResult
{
    private const int LongestRange = 100;

    private readonly Guid _id;
    private readonly RunOverview _run;
    private readonly string _file;
    private readonly CountedStream _content;
    private readonly FileStreamHttpResult _answer;
    private readonly Caller _caller;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    private AuditedDownload(
        Guid id, RunOverview run, string file, CountedStream content, FileStreamHttpResult answer, Caller caller,
        TimeProvider time, ILogger logger)
    {
        (_id, _run, _file, _content, _answer, _caller, _time, _logger) =
            (id, run, file, content, answer, caller, time, logger);
    }

    /// <summary>Writes the first entry.</summary>
    /// <param name="run">One with a dataset.</param>
    /// <param name="content">Belongs to the result from here on, also when this fails.</param>
    /// <param name="answer">Makes the answer of the content.</param>
    /// <exception cref="NpgsqlException">The entry could not be written.</exception>
    public static async Task<AuditedDownload> BeginAsync(
        HttpContext context, Caller caller, RunOverview run, ExportFile file, CountedStream content,
        Func<Stream, FileStreamHttpResult> answer, TimeProvider time, ILogger logger)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var download = new AuditedDownload(id, run, file.Name, content, answer(content), caller, time, logger);
        try
        {
            var range = context.Request.Headers.Range.ToString();
            var asked = new DownloadAsked(
                id, run.Id.Value, file.Name, content.Length, file.Sha256,
                range.Length == 0 ? null : range[..Math.Min(range.Length, LongestRange)]);
            await download.AddEntryAsync(
                "download-training-data", JsonSerializer.Serialize(asked, AdminJson.Default.DownloadAsked),
                context.RequestAborted);
            download.LogDownload(file.Name, run.Id, caller.Person.Id);
            return download;
        }
        catch
        {
            await content.DisposeAsync();
            throw;
        }
    }

    public async Task ExecuteAsync(HttpContext context)
    {
        var isThrough = false;
        try
        {
            await _answer.ExecuteAsync(context);
            isThrough = true;
        }
        finally
        {
            await EndAsync(
                isThrough && !context.RequestAborted.IsCancellationRequested
                && _content.BytesRead == (context.Response.ContentLength ?? 0));
        }
    }

    // The person may be gone, and the request with it. The answer is out: of a failure nothing is left but to say it.
    private async Task EndAsync(bool isComplete)
    {
        try
        {
            var ended = new DownloadEnded(_id, _run.Id.Value, _file, _content.BytesRead, isComplete);
            await AddEntryAsync(
                "end-download", JsonSerializer.Serialize(ended, AdminJson.Default.DownloadEnded),
                CancellationToken.None);
        }
        catch (NpgsqlException e)
        {
            LogEndIsNotRecorded(e, _file, _run.Id, _caller.Person.Id, _content.BytesRead);
        }
    }

    // On a connection of its own each time: none is held while the file goes out.
    private async Task AddEntryAsync(string action, string parametersJson, CancellationToken cancellationToken)
    {
        await using var db = await _caller.OpenAsync(cancellationToken);
        await db.AddAuditEntryAsync(
            _run.Scope, _caller.Actor, action, $"dataset {_run.DatasetId}", reason: null, parametersJson,
            _time.GetUtcNow(), cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{File} of run {RunId} goes to person {PersonId}")]
    private partial void LogDownload(string file, RunId runId, Guid personId);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The end of a download is not in the audit log: {Bytes} bytes of {File} of run {RunId} went to "
            + "person {PersonId}")]
    private partial void LogEndIsNotRecorded(Exception exception, string file, RunId runId, Guid personId, long bytes);
}
