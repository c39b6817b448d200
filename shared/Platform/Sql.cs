using System.Data;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Dapper;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Platform;

/// <summary>The one place that configures Dapper and builds its commands.</summary>
public static class Sql
{
    /// <summary>A command that stops at the server when <paramref name="cancellationToken"/> is cancelled.</summary>
    public static CommandDefinition Command(string sql, object? args, CancellationToken cancellationToken) =>
        new(sql, args, cancellationToken: cancellationToken);

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Type handlers must be there before the first query of any host.")]
    internal static void Configure()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.AddTypeHandler(new DateTimeOffsetHandler());
        SqlMapper.AddTypeHandler(new RunIdHandler());
        SqlMapper.AddTypeHandler(new StringArrayHandler());
    }

    // Npgsql hands out timestamptz as a UTC DateTime, and takes a DateTimeOffset only without an offset.
    private sealed class DateTimeOffsetHandler : SqlMapper.TypeHandler<DateTimeOffset>
    {
        public override DateTimeOffset Parse(object value) => new((DateTime)value, TimeSpan.Zero);

        public override void SetValue(IDbDataParameter parameter, DateTimeOffset value) =>
            parameter.Value = value.UtcDateTime;
    }

    private sealed class RunIdHandler : SqlMapper.TypeHandler<RunId>
    {
        public override RunId Parse(object value) => new((Guid)value);

        public override void SetValue(IDbDataParameter parameter, RunId value) => parameter.Value = value.Value;
    }

    private sealed class StringArrayHandler : SqlMapper.TypeHandler<string[]>
    {
        public override string[] Parse(object value) => (string[])value;

        public override void SetValue(IDbDataParameter parameter, string[]? value) => parameter.Value = value;
    }
}
