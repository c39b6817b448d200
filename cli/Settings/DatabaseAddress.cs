using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace FeedbackLoop.Cli.Settings;

/// <summary>The two ways in which people write where a database is.</summary>
internal static class DatabaseAddress
{
    /// <summary>A connection string from a <c>postgres://</c> address or from a connection string.</summary>
    /// <exception cref="FormatException">Neither. The message never holds the password.</exception>
    public static string Parse(string address)
    {
        var isUrl = address.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase)
            || address.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);
        var builder = isUrl ? FromUrl(address) : FromPairs(address);
        if (string.IsNullOrEmpty(builder.Host))
        {
            throw new FormatException("it names no host");
        }

        if (string.IsNullOrEmpty(builder.ApplicationName))
        {
            builder.ApplicationName = "feedbackloop";
        }

        return builder.ConnectionString;
    }

    private static NpgsqlConnectionStringBuilder FromPairs(string address)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(address);
        }
        catch (ArgumentException e) when (e.Message.StartsWith("Couldn't set", StringComparison.Ordinal)
            || e is { InnerException: KeyNotFoundException })
        {
            throw new FormatException(e.Message.Split('\n', '(')[0].Trim());
        }
        catch (ArgumentException)
        {
            // The parser's own words may repeat the text, and with it the password.
            throw new FormatException("it is neither an address nor a list of Name=Value; pairs");
        }
    }

    private static NpgsqlConnectionStringBuilder FromUrl(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url))
        {
            throw new FormatException(
                "the address cannot be read (characters such as / @ # in a password are written %2F %40 %23)");
        }

        var builder = new NpgsqlConnectionStringBuilder { Host = Unescape(url.Host) };
        if (url.Port > 0)
        {
            builder.Port = url.Port;
        }

        var user = url.UserInfo.Split(':', 2);
        if (user[0] is not "")
        {
            builder.Username = Unescape(user[0]);
        }

        if (user.Length == 2)
        {
            builder.Password = Unescape(user[1]);
        }

        if (url.AbsolutePath.TrimStart('/') is { Length: > 0 } database)
        {
            builder.Database = Unescape(database);
        }

        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            Set(builder, Unescape(parts[0]), parts.Length == 2 ? Unescape(parts[1]) : "");
        }

        return builder;
    }

    // libpq's names, where they differ from Npgsql's.
    private static void Set(NpgsqlConnectionStringBuilder builder, string name, string value)
    {
        var keyword = name switch
        {
            "sslmode" => "SSL Mode",
            "sslrootcert" => "Root Certificate",
            "sslcert" => "SSL Certificate",
            "sslkey" => "SSL Key",
            "connect_timeout" => "Timeout",
            "application_name" => "Application Name",
            "target_session_attrs" => "Target Session Attributes",
            _ => name,
        };
        try
        {
            builder[keyword] = keyword == "SSL Mode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }
        catch (Exception e) when (e is ArgumentException or KeyNotFoundException or FormatException)
        {
            throw new FormatException($"'{name}' with the value '{value}' is not known");
        }
    }

    [return: NotNullIfNotNull(nameof(text))]
    private static string? Unescape(string? text) => text is null ? null : Uri.UnescapeDataString(text);
}
