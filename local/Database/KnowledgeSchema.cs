using System.Reflection;
using FeedbackLoop.Platform;

namespace FeedbackLoop.Local;

/// <summary>The product's tables, for a database that is not the product's own.</summary>
public static class KnowledgeSchema
{
    /// <summary>Creates <c>core.*</c> and <c>kb.*</c>, then everything that a deployment applies.</summary>
    /// <returns>How many files were applied now.</returns>
    public static int MigrateAll(string connectionString, Action<string> log)
    {
        var knowledge = Migrator.Apply(
            connectionString, Assembly.GetExecutingAssembly(), "migrations.knowledge.", "local", log);
        return knowledge + Migrator.Migrate(connectionString, log);
    }
}
