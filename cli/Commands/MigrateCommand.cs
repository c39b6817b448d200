using System.CommandLine;
using Dapper;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Local;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Cli.Commands;

/// <param name="Applied">Files applied now; 0 when the database was up to date.</param>
/// <param name="KnowledgeTables"><c>created</c>, or <c>present</c> when they were there.</param>
internal sealed record MigrateResult(int Applied, string KnowledgeTables);

/// <summary>Applies the numbered SQL files of <c>migrations/</c>.</summary>
internal sealed class MigrateCommand : OperatorCommand
{
    private readonly Option<bool> _withKnowledgeTables = new("--with-knowledge-tables")
    {
        Description = "Create the product's tables (kb, core) first, for a database that is not the product's own.",
    };

    public MigrateCommand()
        : base("migrate", "Brings the database up to date. Safe to repeat, and to start several times at once.") =>
        Options.Add(_withKnowledgeTables);

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop migrate --database postgres://owner:secret@localhost:5432/product",
        "feedbackloop migrate --with-knowledge-tables --database postgres://postgres@localhost:5432/trial",
        "DATABASE_URL=postgres://owner:secret@localhost/product feedbackloop migrate --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var connection = OperatorSettings.Read(arguments).FindConnectionString();
        var tables = await FindTablesAsync(connection, cancellationToken);
        var mayCreate = arguments.GetValue(_withKnowledgeTables);
        if (!tables.HasKnowledge && !mayCreate)
        {
            throw CommandException.Refused(
                "the database has no table kb.chunks, so it is not the product's",
                "Name the product's database, or add --with-knowledge-tables to create the tables here.");
        }

        // Tables that these files did not make are the product's own, and stay as they are.
        var isOurs = mayCreate && (!tables.HasKnowledge || tables.HasOurKnowledge);
        var applied = isOurs
            ? KnowledgeSchema.MigrateAll(connection, _ => { })
            : Migrator.Migrate(connection, _ => { });
        var result = new MigrateResult(applied, tables.HasKnowledge ? "present" : "created");
        output.Result(result, CliJson.Default.MigrateResult, [Sentence(result)]);
        return ExitCode.Done;
    }

    private static string Sentence(MigrateResult result) => result switch
    {
        { Applied: 0 } => "The database is up to date.",
        { KnowledgeTables: "created" } => $"Applied {result.Applied} migrations; the product's tables are among them.",
        _ => $"Applied {result.Applied} migrations.",
    };

    private static async Task<Tables> FindTablesAsync(string connection, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select to_regclass('kb.chunks') is not null        as HasKnowledge,
                   to_regclass('local.migrations') is not null as HasOurKnowledge
            """;

        await using var database = NpgsqlDataSource.Create(connection);
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await db.QuerySingleAsync<Tables>(Sql.Command(sql, null, cancellationToken));
    }

    private sealed record Tables(bool HasKnowledge, bool HasOurKnowledge);
}
