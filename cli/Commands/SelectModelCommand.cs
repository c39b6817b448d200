using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using FeedbackLoop.Spending;

namespace FeedbackLoop.Cli.Commands;

/// <summary>What the project's next extraction uses.</summary>
internal sealed record SelectionResult(
    Guid ProjectId, string Tier, RunId? ModelId, int? Version, string BaseModel, string? Endpoint, string? PromptHash,
    string Reason);

/// <summary>
/// Which model an extraction of a project uses, and why. The same decision as the worker's, on the database as it is: a
/// worker may be thirty seconds behind, and goes on from memory where this command fails.
/// </summary>
internal sealed class SelectModelCommand : OperatorCommand
{
    private readonly Option<Guid?> _project = IdOption.Create("--project", "The project.", "--project-id");

    public SelectModelCommand()
        : base("select-model", "Shows which model the next extraction of a project uses, and why.")
    {
        _project.Required = true;
        Options.Add(_project);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop select-model --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10",
        "feedbackloop select-model --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10 --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var settings = OperatorSettings.Read(arguments);
        var catalogue = settings.ReadCatalogue();
        var project = arguments.GetValue(_project)!.Value;  // required
        await using var database = settings.OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var scope = await db.FindProjectScopeAsync(project, cancellationToken)
            ?? throw CommandException.Refused($"there is no project {project}", "Check the id and --database.");
        var ready = await db.ListReadyModelsAsync(scope.OrganizationId, cancellationToken);
        var choice = ModelSelection.WhileStopped(
            ModelSelection.Choose(
                ready.FirstOrDefault(model => model.ProjectId == project),
                ready.FirstOrDefault(model => model.ProjectId is null),
                catalogue.GetDefault()),
            await db.FindSpendingStopAsync(cancellationToken), catalogue.GetDefault());
        output.Result(
            new SelectionResult(
                project, choice.Tier, choice.ModelId, choice.Version, choice.BaseModel, choice.Endpoint,
                choice.PromptHash, choice.Reason),
            CliJson.Default.SelectionResult,
            Lines(choice));
        return ExitCode.Done;
    }

    private static IEnumerable<string> Lines(ModelChoice choice)
    {
        yield return choice.ModelId is { } id
            ? $"The {choice.Tier} model {id}, version {choice.Version}, tuned from {choice.BaseModel}."
            : $"The base model {choice.BaseModel}.";
        yield return $"Because {choice.Reason}.";
        if (choice.Endpoint is { } endpoint)
        {
            yield return endpoint;
        }
    }
}
