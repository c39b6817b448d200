using System.Reflection;
using EvolveDb;
using EvolveDb.Configuration;
using Npgsql;

namespace FeedbackLoop.Platform;

/// <summary>Applies the numbered SQL files of <c>migrations/</c>, forward only.</summary>
/// <remarks>
/// Each file runs in its own transaction and is recorded with its checksum in <c>{schema}.migrations</c>. Several processes
/// may start it at once: they queue on a lock of the database. A recorded file that has changed since is refused.
/// </remarks>
public static class Migrator
{
    /// <summary>The tables of this system and the soft delete of chunks: what a deployment applies.</summary>
    /// <returns>How many files were applied now; 0 when the database was up to date.</returns>
    /// <exception cref="EvolveValidationException">A file that was applied earlier has another content now.</exception>
    /// <exception cref="EvolveSqlException">A statement failed; its file left nothing behind.</exception>
    public static int Migrate(string connectionString, Action<string> log) =>
        Apply(connectionString, typeof(Migrator).Assembly, "migrations.ml.", "ml", log);

    /// <summary>Applies the embedded files of <paramref name="assembly"/> whose names start with <paramref name="prefix"/>.</summary>
    public static int Apply(string connectionString, Assembly assembly, string prefix, string schema, Action<string> log)
    {
        // Not pooled: the advisory lock belongs to the session and must end with this call, whatever happens.
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        using var connection = new NpgsqlConnection(unpooled.ConnectionString);
        var evolve = new Evolve(connection, message => log(message))
        {
            EmbeddedResourceAssemblies = [assembly],
            EmbeddedResourceFilters = [prefix],
            Schemas = [schema],
            MetadataTableSchema = schema,
            MetadataTableName = "migrations",
            EnableClusterMode = true,
            TransactionMode = TransactionKind.CommitEach,
            IsEraseDisabled = true,
            Encoding = System.Text.Encoding.UTF8,
        };
        evolve.Migrate();
        return evolve.NbMigration;
    }
}
