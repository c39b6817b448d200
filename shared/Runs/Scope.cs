namespace FeedbackLoop.Runs;

/// <summary>What a model is trained for: an organization (its general model) or one of its projects.</summary>
/// <param name="OrganizationId">The tenant; every query filters by it.</param>
/// <param name="ProjectId"><see langword="null"/> means the general model of the organization.</param>
public readonly record struct Scope(Guid OrganizationId, Guid? ProjectId)
{
    public bool IsGeneral => ProjectId is null;

    /// <summary>Folder of a run's files inside the bucket, with a slash at the end.</summary>
    /// <param name="version">Of the run: milliseconds since 1970.</param>
    public string DatasetFolder(long version) => ProjectId is { } project
        ? $"orgs/{OrganizationId}/projects/{project}/v{version}/"
        : $"orgs/{OrganizationId}/general/v{version}/";

    public override string ToString() =>
        ProjectId is { } project ? $"project {project}" : $"organization {OrganizationId}";
}
