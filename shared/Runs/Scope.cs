namespace FeedbackLoop.Runs;

/// <summary>What a model is trained for: an organization (its general model) or one of its projects.</summary>
/// <param name="OrganizationId">The tenant; every query filters by it.</param>
/// <param name="ProjectId"><see langword="null"/> means the general model of the organization.</param>
public readonly record struct Scope(Guid OrganizationId, Guid? ProjectId)
{
    public bool IsGeneral => ProjectId is null;

    public override string ToString() =>
        ProjectId is { } project ? $"project {project}" : $"organization {OrganizationId}";
}
