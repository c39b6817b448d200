using FeedbackLoop.Extraction;
using Npgsql;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>The organization of an import and the projects that it has met.</summary>
internal sealed class ImportScope(Guid organizationId, string organization)
{
    private readonly Dictionary<string, ImportProject> _projects = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    public Guid OrganizationId => organizationId;

    /// <summary>Names of the projects that the lines named.</summary>
    public int Projects => _names.Count;

    /// <exception cref="ImportRefusedException">The organization of an earlier import was deleted.</exception>
    public static async Task<ImportScope> OpenAsync(
        NpgsqlConnection db, string organization, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var newId = NameBasedId.Create(Guid.Empty, "organization", organization);
        return await db.EnsureOrganizationAsync(newId, organization, now, cancellationToken) is { } id
            ? new ImportScope(id, organization)
            : throw new ImportRefusedException(
                $"The organization '{organization}' of an earlier import was deleted or renamed; "
                + "restore it or import into one of another name.");
    }

    /// <summary>After a transaction that was rolled back: a project that was made in it is not there.</summary>
    public void ForgetProjects() => _projects.Clear();

    /// <param name="project">In any spelling of its name.</param>
    /// <exception cref="ImportRefusedException">The project of an earlier import was deleted.</exception>
    public async Task<ImportProject> ProjectAsync(
        NpgsqlConnection db, string project, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var key = ComparedText.Type(project);
        if (!_projects.TryGetValue(key, out var known))
        {
            var newId = NameBasedId.Create(organizationId, "project", project);
            var id = await db.EnsureProjectAsync(organizationId, newId, project, now, cancellationToken)
                ?? throw new ImportRefusedException(
                    $"The project '{project}' of '{organization}' was deleted or renamed since an earlier import; "
                    + "restore it or import into another organization.");
            known = new(id, await db.ListRegisteredTypesAsync(id, cancellationToken));
            _projects.Add(key, known);
            _names.Add(key);
        }

        return known;
    }
}

/// <summary>A project that is imported into.</summary>
/// <param name="Types">Of its registry, whose spelling the objects get.</param>
internal sealed record ImportProject(Guid Id, ExtractionTypes Types);
