using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Access;

/// <summary>
/// Connections that see the rows of some organizations and of no other: the second layer of tenancy, below the conditions
/// of the queries. For the admin API, whose database user is a member of <c>ml_api</c>.
/// </summary>
public sealed class TenantConnections(NpgsqlDataSource database)
{
    /// <summary>
    /// An open connection for these organizations; none is allowed, and sees nothing. It keeps them until it is disposed:
    /// the pool resets a session before it lends it again, which is why <see cref="DatabaseOptions"/> refuses a connection
    /// string that forbids that.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The database user sees every organization, whatever the session says: it owns the tables, bypasses row security, or
    /// is a member of <c>ml_worker</c>; or a table of the product that is bound to organizations has lost its row
    /// security.
    /// </exception>
    public async Task<NpgsqlConnection> OpenAsync(
        IReadOnlyCollection<Guid> organizations, CancellationToken cancellationToken)
    {
        // For the session and not for a transaction: the caller's transactions come and go on this connection.
        const string sql =
            """
            select row_security_active('ml.training_runs') and not pg_has_role('ml_worker', 'usage')
                   and coalesce((
                       select bool_and(row_security_active(p.polrelid))
                       from   pg_policy p
                       where  p.polname = 'ml_tenant'), false)
            from   set_config('app.organizations', @organizations, false)
            """;

        var db = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var args = new { organizations = ArrayLiteral(organizations) };
            return await db.QuerySingleAsync<bool>(Sql.Command(sql, args, cancellationToken))
                ? db
                : throw new InvalidOperationException(
                    $"The database user {new NpgsqlConnectionStringBuilder(db.ConnectionString).Username} sees every "
                    + "organization. Connect as a login that is a member of ml_api, not of ml_worker, and owns nothing, "
                    + "to a database in which every table with a policy ml_tenant has its row security on.");
        }
        catch
        {
            await db.DisposeAsync();
            throw;
        }
    }

    // A Guid writes itself as hexadecimal digits and hyphens, so nothing in here needs quoting.
    private static string ArrayLiteral(IEnumerable<Guid> organizations) => $"{{{string.Join(',', organizations)}}}";
}
