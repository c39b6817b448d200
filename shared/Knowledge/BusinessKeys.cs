using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Knowledge;

/// <summary>A business key, which a project has once for each type.</summary>
internal readonly record struct BusinessKey(Guid ProjectId, string Type, string Key);

/// <summary>
/// Who has a business key. The later generation of the product allows one current object for each key, and both generations
/// are treated alike: who has a key keeps it, and an object that comes later carries it among its properties. Whether the two
/// are one thing is for a reviewer to decide.
/// </summary>
internal sealed class BusinessKeys
{
    /// <summary>The member of <c>properties</c> that holds a key that another object has.</summary>
    public const string Member = "business_key";

    private readonly HashSet<BusinessKey> _taken;

    private BusinessKeys(HashSet<BusinessKey> taken) => _taken = taken;

    /// <summary>Finds which of the wanted keys are taken at this moment.</summary>
    public static async Task<BusinessKeys> ReadAsync(
        NpgsqlConnection db, IReadOnlyCollection<BusinessKey> wanted, CancellationToken cancellationToken)
    {
        // What the product's index counts, and the current version of an object that the older generation has updated, whose
        // supersedes_id names the version before.
        const string sql =
            """
            select distinct o.project_id as ProjectId, o.type as Type, o.key as Key
            from   unnest(@projects, @types, @keys) as k (project_id, type, key)
            join   kb.graph_objects o on o.project_id = k.project_id and o.type = k.type and o.key = k.key
            where  o.branch_id is null
            and    o.deleted_at is null
            and    (o.supersedes_id is null
                    or not exists (
                        select 1
                        from   kb.graph_objects n
                        where  n.project_id = o.project_id
                        and    n.canonical_id = o.canonical_id
                        and    n.branch_id is null
                        and    n.version > o.version))
            """;

        if (wanted.Count == 0)
        {
            return new([]);
        }

        var args = new
        {
            projects = wanted.Select(key => key.ProjectId).ToArray(),
            types = wanted.Select(key => key.Type).ToArray(),
            keys = wanted.Select(key => key.Key).ToArray(),
        };
        return new((await db.QueryAsync<BusinessKey>(Sql.Command(sql, args, cancellationToken))).ToHashSet());
    }

    /// <summary>Gives a key to an object. It has the key from now on, also against the objects that ask next.</summary>
    /// <returns>False when another one has it.</returns>
    public bool Take(BusinessKey key) => _taken.Add(key);

    /// <summary>Takes a key back from an object that is not stored after all.</summary>
    public void Release(BusinessKey key) => _taken.Remove(key);
}
