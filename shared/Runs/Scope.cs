namespace FeedbackLoop.Runs;

/// <summary>What a model is trained for: an organization (its general model) or one of its projects.</summary>
/// <param name="OrganizationId">The tenant; every query filters by it.</param>
/// <param name="ProjectId"><see langword="null"/> means the general model of the organization.</param>
public readonly record struct Scope(Guid OrganizationId, Guid? ProjectId)
{
    public bool IsGeneral => ProjectId is null;

    /// <summary>
    /// Folder inside the bucket that one claim of a run exports to, with a slash at the end. Where the files of a run
    /// are is known from <c>ml.datasets</c> alone: the claim that counts is the one that recorded them.
    /// </summary>
    /// <param name="version">Of the run: milliseconds since 1970.</param>
    /// <param name="epoch">Of the claim: a worker that lost it never writes where its successor does.</param>
    public string DatasetFolder(long version, int epoch) => ProjectId is { } project
        ? $"orgs/{OrganizationId}/projects/{project}/v{version}/e{epoch}/"
        : $"orgs/{OrganizationId}/general/v{version}/e{epoch}/";

    public override string ToString() =>
        ProjectId is { } project ? $"project {project}" : $"organization {OrganizationId}";
}
