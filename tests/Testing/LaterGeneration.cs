using Npgsql;

namespace FeedbackLoop.Testing;

/// <summary>The product's tables as its later server has them; see <c>LaterGeneration.sql</c>.</summary>
public static class LaterGeneration
{
    /// <param name="admin">Of a database with the product's tables, with or without ours.</param>
    public static async Task ApplyAsync(NpgsqlDataSource admin, CancellationToken cancellationToken)
    {
        await using var script = typeof(LaterGeneration).Assembly.GetManifestResourceStream("LaterGeneration.sql")
            ?? throw new InvalidOperationException("LaterGeneration.sql is not embedded");
        using var reader = new StreamReader(script);
        await using var command = admin.CreateCommand(await reader.ReadToEndAsync(cancellationToken));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
