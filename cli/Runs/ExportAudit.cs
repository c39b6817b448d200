using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Cli.Runs;

/// <param name="Target">Folder of the files.</param>
internal sealed record ExportAsked(string Target, ExportCriteria Export, double TestShare);

/// <param name="Files">Those that are complete; none when the export was refused or broke off.</param>
internal sealed record ExportEnded(string Target, IReadOnlyList<StoredFile> Files);

/// <summary>
/// Training data that an operator takes: an entry in the audit log before the first text is read, and another one when
/// the command ends, however it does. Without the second one the process died under way.
/// </summary>
internal sealed class ExportAudit : IAsyncDisposable
{
    private readonly NpgsqlDataSource _database;
    private readonly Scope _scope;
    private readonly string _target;
    private readonly TimeProvider _time;

    private ExportAudit(NpgsqlDataSource database, Scope scope, string target, TimeProvider time) =>
        (_database, _scope, _target, _time) = (database, scope, target, time);

    /// <summary>What there is at the end.</summary>
    public IReadOnlyList<StoredFile> Files { get; set; } = [];

    public static async Task<ExportAudit> BeginAsync(
        NpgsqlDataSource database, Scope scope, ExportAsked asked, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var audit = new ExportAudit(database, scope, asked.Target, time);
        await audit.AddEntryAsync(
            "export-training-data", JsonSerializer.Serialize(asked, CliJson.Default.ExportAsked), cancellationToken);
        return audit;
    }

    // Ctrl-C ends the command, and is what the entry is about.
    public async ValueTask DisposeAsync() => await AddEntryAsync(
        "end-export", JsonSerializer.Serialize(new ExportEnded(_target, Files), CliJson.Default.ExportEnded),
        CancellationToken.None);

    private async Task AddEntryAsync(string action, string parametersJson, CancellationToken cancellationToken)
    {
        await using var db = await _database.OpenConnectionAsync(cancellationToken);
        await db.AddAuditEntryAsync(
            _scope, Actor.Name, action, $"files {_target}", reason: null, parametersJson, _time.GetUtcNow(),
            cancellationToken);
    }
}
