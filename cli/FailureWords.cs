using System.Net.Sockets;
using EvolveDb;
using FeedbackLoop.Datasets;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Knowledge.Import;
using Npgsql;

namespace FeedbackLoop.Cli;

/// <summary>Exceptions in words: what was wrong and how to mend it, without a stack trace.</summary>
internal static class FailureWords
{
    private const string Migrate =
        "Run: feedbackloop migrate (with --with-knowledge-tables when the database is not the product's own)";

    public static CommandException Explain(Exception exception) => exception switch
    {
        CommandException e => e,
        ImportRefusedException e => CommandException.Refused(e.Message, remedy: null),
        DatasetConflictException e => new(
            ExitCode.Refused, e.Message, "Nothing was overwritten. Name another folder, or remove the object.", e),
        DatasetStoreException e => Failed(
            FirstLine(e),
            e.IsPermanent
                ? "Check the name of the bucket, and that these credentials may write to it."
                : "Run the command again; what is already there is not sent twice.",
            e),
        SchedulerException e => Failed(e.Message, e.Remedy, e),
        OperationCanceledException =>
            Failed("interrupted", "What was already written stays. Run the command again.", exception),
        EvolveValidationException e => new(
            ExitCode.Refused, $"a migration that was applied earlier is not the same any more: {FirstLine(e)}",
            "Restore the file as it was and put the change into a new migration.", e),
        _ when Inner<PostgresException>(exception) is { } e => Explain(e),
        _ when Inner<SocketException>(exception) is not null || Inner<TimeoutException>(exception) is not null =>
            Failed(
                $"the database cannot be reached: {FirstLine(Inner<NpgsqlException>(exception) ?? exception)}",
                "Check host and port of --database or DATABASE_URL, and that the server is running.", exception),
        _ when Inner<NpgsqlException>(exception) is { } e =>
            Failed($"the connection to the database failed: {FirstLine(e)}", "Check --database or DATABASE_URL.", e),
        UnauthorizedAccessException or IOException => Failed(FirstLine(exception), remedy: null, exception),
        _ => Failed($"unexpected {exception.GetType().Name}: {FirstLine(exception)}", remedy: null, exception),
    };

    private static CommandException Explain(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.InvalidSchemaName
            or PostgresErrorCodes.UndefinedFunction =>
            new(ExitCode.Refused, $"the database lacks what this command needs: {e.MessageText}", Migrate, e),
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            Failed($"the database does not let you in: {e.MessageText}",
                "Check user and password of --database or DATABASE_URL.", e),
        PostgresErrorCodes.InvalidCatalogName =>
            Failed($"the server has no such database: {e.MessageText}", "Create it, or name another one.", e),
        PostgresErrorCodes.InsufficientPrivilege =>
            Failed($"the database user may not do this: {e.MessageText}",
                "Connect as the owner of the tables, or grant the right to this user.", e),
        PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.CannotConnectNow =>
            Failed($"the database takes no connection now: {e.MessageText}", "Try again in a moment.", e),
        _ => Failed($"the database reports {e.SqlState}: {e.MessageText}", e.Hint, e),
    };

    private static CommandException Failed(string problem, string? remedy, Exception inner) =>
        new(ExitCode.Failed, problem, remedy, inner);

    private static T? Inner<T>(Exception? exception)
        where T : Exception
    {
        while (exception is not null and not T)
        {
            exception = exception.InnerException;
        }

        return (T?)exception;
    }

    private static string FirstLine(Exception exception) => exception.Message.Split('\n')[0].Trim();
}
