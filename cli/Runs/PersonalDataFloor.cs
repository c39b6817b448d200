using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Cli.Runs;

/// <summary>An organization's floor, in the words of the command line.</summary>
internal static class PersonalDataFloor
{
    /// <exception cref="CommandException">The organization lets no run do so little about personal data.</exception>
    public static async Task KeepAsync(
        NpgsqlDataSource database, Scope scope, ExportCriteria criteria, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        if (await db.CheckPiiFloorAsync(scope.OrganizationId, criteria, cancellationToken) is { } error)
        {
            throw Refusal(error, scope);
        }
    }

    public static CommandException Refusal(FieldError error, Scope scope) => CommandException.Refused(
        error.Message.Replace(error.Field, "--pii", StringComparison.Ordinal),
        "An admin of the organization sets the floor: feedbackloop schedule set --organization "
        + $"{scope.OrganizationId} --pii-floor …");
}
