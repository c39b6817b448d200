using System.Buffers;
using Npgsql;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>A file of annotated chunks to verified extractions in <c>kb.*</c>, one JSON object a line.</summary>
/// <remarks>
/// Ids follow from the names in the file: importing a file again changes nothing, also while another import of it runs.
/// Memory is bounded by the options, not by the file. A batch that has been written stays when a later one fails.
/// </remarks>
public sealed class KnowledgeImport(NpgsqlDataSource database, TimeProvider time)
{
    private const long LinesBetweenProgress = 100;

    public async Task<ImportReport> ImportFileAsync(
        string path, string organization, ImportOptions options, Action<ImportProgress>? progress,
        CancellationToken cancellationToken)
    {
        await using var input = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        return await ImportAsync(input, organization, options, progress, cancellationToken);
    }

    /// <param name="organization">Name of the organization, which is created when there is none.</param>
    /// <param name="progress">Called from time to time and at the end.</param>
    /// <returns>The counts, and which lines were broken or different; neither stops an import.</returns>
    /// <exception cref="ImportRefusedException">Something in the database must be mended first.</exception>
    public async Task<ImportReport> ImportAsync(
        Stream input, string organization, ImportOptions options, Action<ImportProgress>? progress,
        CancellationToken cancellationToken)
    {
        var report = new ImportReport();
        var batch = new ImportBatch(options);
        using var parser = new ImportLineParser(options);
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var now = time.GetUtcNow();
        var scope = await ImportScope.OpenAsync(db, organization, now, cancellationToken);
        report.OrganizationId = scope.OrganizationId;
        await db.InsertReviewersAsync(Reviewers.All, now, cancellationToken);

        long? total = input.CanSeek ? input.Length : null;
        var state = new ImportProgress(0, 0, total);
        await foreach (var line in InputLines.ReadAsync(input, options.MaxLineBytes, cancellationToken))
        {
            state = new ImportProgress(line.Number, line.Bytes, total);
            Take(line, parser, options, batch, report);
            if (batch.IsFull)
            {
                await batch.WriteAsync(db, scope, report, now, cancellationToken);
                batch.Clear();
                progress?.Invoke(state);
            }
            else if (line.Number % LinesBetweenProgress == 0)
            {
                progress?.Invoke(state);
            }
        }

        if (!batch.IsEmpty)
        {
            await batch.WriteAsync(db, scope, report, now, cancellationToken);
        }

        report.Projects = scope.Projects;
        progress?.Invoke(state);
        return report;
    }

    private static void Take(
        in InputLine line, ImportLineParser parser, ImportOptions options, ImportBatch batch, ImportReport report)
    {
        if (line.IsTooLong)
        {
            report.AddBroken(line.Number, $"the line is longer than {options.MaxLineBytes} bytes");
        }
        else if (!IsBlank(line.Content))
        {
            var (parsed, problem) = parser.Parse(line.Content, line.IsTerminated);
            if (parsed is not null)
            {
                batch.Add(line.Number, parsed, line.Content.Length);
            }
            else
            {
                report.AddBroken(line.Number, problem!);
            }
        }
    }

    private static bool IsBlank(in ReadOnlySequence<byte> content)
    {
        var reader = new SequenceReader<byte>(content);
        reader.AdvancePastAny(" \t\r\n"u8);
        return reader.End;
    }
}
