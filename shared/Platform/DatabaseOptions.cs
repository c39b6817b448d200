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

    /// <summary>Most connections of one instance. An export alone uses five.</summary>
    [Range(6, 100)]
    public int MaxConnections { get; init; } = 10;

    /// <summary>
    /// Whose rows a session sees is a setting of the session. A pool that lends sessions as they are, or lends one session to
    /// several at once, would show one organization's rows to another.
    /// </summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        // What stands in the string is a secret, so it is not repeated.
        const string unreadable = "The connection string cannot be read: write it as Host=…;Database=…;Username=…;Password=….";
        NpgsqlConnectionStringBuilder? builder = null;
        try
        {
            builder = new NpgsqlConnectionStringBuilder(ConnectionString);
        }
        catch (ArgumentException)
        {
        }

        if (builder is null)
        {
            yield return new ValidationResult(unreadable, [nameof(ConnectionString)]);
            yield break;
        }

        if (builder.NoResetOnClose)
        {
            yield return new ValidationResult(
                "The connection string says 'No Reset On Close=true': the next user of a connection would see the rows of the "
                + "one before. Take it out.",
                [nameof(ConnectionString)]);
        }

        if (builder.Multiplexing)
        {
            yield return new ValidationResult(
                "The connection string says 'Multiplexing=true': several users of one connection would see each other's rows. "
                + "Take it out.",
                [nameof(ConnectionString)]);
        }
    }
}

[OptionsValidator]
public sealed partial class DatabaseOptionsValidator : IValidateOptions<DatabaseOptions>;
