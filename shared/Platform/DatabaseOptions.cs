using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Platform;

/// <summary>Where the product's database is, bound from the <c>Database</c> section.</summary>
public sealed class DatabaseOptions
{
    public const string Section = "Database";

    /// <summary>Npgsql connection string; in a deployment it comes from Secret Manager.</summary>
    [Required]
    public string ConnectionString { get; init; } = "";

    /// <summary>Most connections of one instance. An export alone uses five.</summary>
    [Range(6, 100)]
    public int MaxConnections { get; init; } = 10;
}

[OptionsValidator]
public sealed partial class DatabaseOptionsValidator : IValidateOptions<DatabaseOptions>;
