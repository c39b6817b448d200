using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>The role that owns the product's tables in a deployment: no superuser, and subject to row security.</summary>
internal static class OrdinaryOwner
{
    public const string Name = "product_owner";

    /// <param name="admin">Of a database with the product's tables.</param>
    public static async Task TakeOverAsync(NpgsqlDataSource admin, string database, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            do $$
            begin
                create role {Name} login;
            exception
                when duplicate_object then null;
            end
            $$;
            alter role {Name} nosuperuser nobypassrls nocreaterole;
            alter database {database} owner to {Name};
            alter schema kb owner to {Name};
            alter schema core owner to {Name};
            do $$
            declare
                found regclass;
            begin
                for found in
                    select oid from pg_class where relkind = 'r' and relnamespace in ('kb'::regnamespace, 'core'::regnamespace)
                loop
                    execute format('alter table %s owner to {Name}', found);
                end loop;
            end
            $$
            """;

        await using var db = await admin.OpenConnectionAsync(cancellationToken);
        await db.ExecuteAsync(Sql.Command(sql, null, cancellationToken));
    }
}
