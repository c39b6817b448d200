using System.Text.Json.Serialization;
using FeedbackLoop.Cli.Commands;

namespace FeedbackLoop.Cli;

/// <summary>The object of a command that did not do its work.</summary>
internal sealed record CommandProblem(int ExitCode, string Problem, string? Remedy);

/// <summary>What <c>--json</c> writes.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CommandProblem))]
[JsonSerializable(typeof(MigrateResult))]
[JsonSerializable(typeof(ImportResult))]
[JsonSerializable(typeof(ExportCommandResult))]
internal sealed partial class CliJson : JsonSerializerContext;
