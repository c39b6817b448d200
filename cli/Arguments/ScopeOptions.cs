using System.CommandLine;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Cli.Arguments;

/// <summary>Whose data, runs or models a command is about: <c>--project</c> or <c>--organization</c>.</summary>
internal sealed class ScopeOptions
{
    // The longer names are those that the export had first.
    public Option<Guid?> Project { get; } = IdOption.Create("--project", "The project.", "--project-id");

    public Option<Guid?> Organization { get; } = IdOption.Create(
        "--organization", "The organization, with all its projects.", "--organization-id");

    /// <summary>Of the two, one must be given.</summary>
    public void AddOneTo(Command command)
    {
        command.Options.Add(Project);
        command.Options.Add(Organization);
        command.Validators.Add(result =>
        {
            if ((result.GetResult(Project) is null) == (result.GetResult(Organization) is null))
            {
                result.AddError($"Give either {Project.Name} or {Organization.Name}.");
            }
        });
    }

    /// <summary>Either, or neither for everything.</summary>
    public void AddAtMostOneTo(Command command)
    {
        command.Options.Add(Project);
        command.Options.Add(Organization);
        command.Validators.Add(result =>
        {
            if (result.GetResult(Project) is not null && result.GetResult(Organization) is not null)
            {
                result.AddError($"Give {Project.Name} or {Organization.Name}, not both.");
            }
        });
    }

    /// <summary>One must be given; with both, the project must be one of the organization's.</summary>
    public void AddAtLeastOneTo(Command command)
    {
        command.Options.Add(Project);
        command.Options.Add(Organization);
        command.Validators.Add(result =>
        {
            if (result.GetResult(Project) is null && result.GetResult(Organization) is null)
            {
                result.AddError($"Give {Organization.Name} or {Project.Name}.");
            }
        });
    }

    /// <summary>On a connection of its own, for a command that reads with others.</summary>
    /// <inheritdoc cref="FindAsync" path="/exception"/>
    public async Task<Scope> GetAsync(
        NpgsqlDataSource database, ParseResult arguments, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await GetAsync(db, arguments, cancellationToken);
    }

    /// <summary>The scope of a command that must name one.</summary>
    /// <inheritdoc cref="FindAsync" path="/exception"/>
    public async Task<Scope> GetAsync(NpgsqlConnection db, ParseResult arguments, CancellationToken cancellationToken) =>
        await FindAsync(db, arguments, cancellationToken)
        ?? throw new InvalidOperationException("a scope is required, and the parser let its absence pass");

    /// <summary>Null when the command line names neither.</summary>
    /// <exception cref="CommandException">There is no such project or organization.</exception>
    public async Task<Scope?> FindAsync(
        NpgsqlConnection db, ParseResult arguments, CancellationToken cancellationToken)
    {
        var wanted = arguments.GetValue(Organization);
        if (arguments.GetValue(Project) is { } project)
        {
            return await db.FindProjectScopeAsync(project, cancellationToken) is { } scope
                && (wanted is null || wanted == scope.OrganizationId)
                    ? scope
                    : throw CommandException.Refused(
                        wanted is null ? $"there is no project {project}" : $"organization {wanted} has no project {project}",
                        "Check the id and --database.");
        }

        if (wanted is not { } organization)
        {
            return null;
        }

        return await db.HasOrganizationAsync(organization, cancellationToken)
            ? new Scope(organization, null)
            : throw CommandException.Refused($"there is no organization {organization}", "Check the id and --database.");
    }

    /// <summary>
    /// What of runs and models is shown: a project's own, an organization's with all its projects', or all. A project or an
    /// organization that the product has deleted is one as long as it has runs.
    /// </summary>
    public async Task<ScopeFilter> FilterAsync(
        NpgsqlConnection db, ParseResult arguments, CancellationToken cancellationToken)
    {
        var (organization, project) = (arguments.GetValue(Organization), arguments.GetValue(Project));
        if (!await db.HasRunsAsync(organization, project, cancellationToken))
        {
            // For the refusal of what there is not.
            await FindAsync(db, arguments, cancellationToken);
        }

        return (organization, project) switch
        {
            (_, { } id) => new ScopeFilter([], [], [id]),
            ({ } id, null) => new ScopeFilter([id], [], []),
            (null, null) => new ScopeFilter(await db.ListOrganizationIdsAsync(cancellationToken), [], []),
        };
    }
}
