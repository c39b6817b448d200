using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Platform;

/// <summary>Where the product's database is, bound from the <c>Database</c> section.</summary>
public sealed class DatabaseOptions : IValidatableObject
{
    public const string Section = "Database";

    /// <summary>Npgsql connection string; in a deployment it comes from Secret Manager.</summary>
    [Required]
    public string ConnectionString { get; init; } = "";

    /// <summary>Most connections of one instance. An export alone uses six, and the export function runs two at once.</summary>
    [Range(8, 100)]
    public int MaxConnections { get; init; } = 16;

    /// <summary>
    /// Whose rows a session sees is a setting of the session. A pool that lends sessions as they are, or lends one session to
    /// several at once, would show one organization's rows to another.
    /// </summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        FindProblem() is { } problem ? [new ValidationResult(problem, [nameof(ConnectionString)])] : [];

    private string? FindProblem()
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(ConnectionString) switch
            {
                { NoResetOnClose: true } =>
                    "The connection string says 'No Reset On Close=true': the next user of a connection would see the rows "
                    + "of the one before. Take it out.",
                { Multiplexing: true } =>
                    "The connection string says 'Multiplexing=true': several users of one connection would see each other's "
                    + "rows. Take it out.",
                _ => null,
            };
        }
        catch (ArgumentException)
        {
            // What stands in the string is a secret, so it is not repeated.
            return "The connection string cannot be read: write it as Host=…;Database=…;Username=…;Password=….";
        }
    }
}

[OptionsValidator]
public sealed partial class DatabaseOptionsValidator : IValidateOptions<DatabaseOptions>;
