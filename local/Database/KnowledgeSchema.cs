using System.Reflection;
using FeedbackLoop.Platform;

namespace FeedbackLoop.Local;

/// <summary>The product's tables and the logins, for a database that is not the product's own.</summary>
public static class KnowledgeSchema
{
    /// <summary>Creates <c>core.*</c>, <c>kb.*</c> and the logins, then everything that a deployment applies.</summary>
    /// <returns>How many files were applied now.</returns>
    public static int MigrateAll(string connectionString, Action<string> log) =>
        Migrate(connectionString, log) + Migrator.Migrate(connectionString, log);

    /// <summary>Creates <c>core.*</c>, <c>kb.*</c> and the logins: what a deployment has before it applies anything.</summary>
    /// <returns>How many files were applied now.</returns>
    public static int Migrate(string connectionString, Action<string> log) =>
        Migrator.Apply(connectionString, Assembly.GetExecutingAssembly(), "migrations.knowledge.", "local", log);
}
