namespace FeedbackLoop.Runs;

/// <summary>When a scope is gone from the product, whose rows go without asking us.</summary>
public static class GoneScope
{
    /// <summary>
    /// The condition on a row with <c>organization_id</c> and <c>project_id</c>: the organization or the project has no row any
    /// more, is marked deleted, or the project belongs to another organization now.
    /// </summary>
    /// <param name="row">Alias of the row.</param>
    public static string Of(string row) =>
        $"""
        (not exists (
             select 1 from kb.orgs go where go.id = {row}.organization_id and go.deleted_at is null)
         or ({row}.project_id is not null and not exists (
             select 1
             from   kb.projects gp
             where  gp.id = {row}.project_id
             and    gp.organization_id = {row}.organization_id
             and    gp.deleted_at is null)))
        """;
}
