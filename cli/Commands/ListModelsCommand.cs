using System.CommandLine;
using System.Globalization;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Runs;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FeedbackLoop.Cli.Commands;

/// <summary>Models, newest first.</summary>
internal sealed record ModelList(IReadOnlyList<ModelRow> Models);

/// <param name="Id">Also the id of the run that made it.</param>
/// <param name="TaintedSince">A document that it has learnt from was forgotten or deleted; null: none was.</param>
internal sealed record ModelRow(
    RunId Id, Guid OrganizationId, string? Organization, Guid? ProjectId, string? Project, int Version, string Status,
    string? StatusReason, string BaseModel, RunId? ParentModelId, string? Endpoint, string TuningJob,
    int TrainingExamples, int ValidationExamples, string? Verdict, string? VerdictReason, DateTimeOffset? PromotedAt,
    DateTimeOffset CreatedAt, DateTimeOffset? TaintedSince, string? TaintReason);

/// <summary>The registry.</summary>
internal sealed class ListModelsCommand : OperatorCommand
{
    private readonly ScopeOptions _scope = new();

    private readonly Option<string?> _status = ChoiceOption.Create(
        "--status", "Only models of this status.", ModelStatus.Training, ModelStatus.Ready, ModelStatus.Failed,
        ModelStatus.Deprecated);

    private readonly Option<int> _limit = LimitedOption.Create("--limit", "How many models.", 50, 1, 1_000);

    public ListModelsCommand()
        : base("list-models", "Lists tuned models, newest first. A model's id is that of the run that made it.")
    {
        _scope.AddAtMostOneTo(this);
        Options.Add(_status);
        Options.Add(_limit);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop list-models",
        "feedbackloop list-models --organization 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d11 --status ready",
        "feedbackloop list-models --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10 --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        await using var database = OperatorSettings.Read(arguments).OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var filter = await _scope.FilterAsync(db, arguments, cancellationToken);
        var models = await db.ListVisibleModelsAsync(
            filter, arguments.GetValue(_status), after: null, arguments.GetValue(_limit), cancellationToken);
        var names = await db.ReadNamesAsync(models.Select(model => model.Scope), cancellationToken);
        ModelRow[] rows = [.. models.Select(model => ToRow(model, names))];
        output.Result(new ModelList(rows), CliJson.Default.ModelList, Page(rows));
        return ExitCode.Done;
    }

    private static IRenderable Page(ModelRow[] models)
    {
        if (models.Length == 0)
        {
            return new Text("No models.");
        }

        // Hardly any model is tainted: the column comes with the first one.
        string[] columns = ["MODEL", "VERSION", "STATUS", "SCOPE", "BASE MODEL", "EXAMPLES", "VERDICT", "PROMOTED"];
        var isAnyTainted = models.Any(model => model.TaintedSince is not null);
        var table = CommandOutput.Table(isAnyTainted ? [.. columns, "TAINTED SINCE"] : columns);
        foreach (var model in models)
        {
            IRenderable[] cells =
            [
                new Text($"{model.Id}"), new Text($"{model.Version}"),
                new Text(model.Status, new Style(model.Status == ModelStatus.Ready ? Color.Green : Color.Grey)),
                new Text(ScopeName.Of(model.OrganizationId, model.Organization, model.ProjectId, model.Project)),
                new Text(model.BaseModel),
                new Text(string.Create(CultureInfo.InvariantCulture, $"{model.TrainingExamples:N0}")),
                new Text(model.Verdict?.Replace('_', ' ') ?? "–"),
                new Text(At(model.PromotedAt)),
            ];
            table.AddRow(isAnyTainted ? [.. cells, new Text(At(model.TaintedSince), new Style(Color.Red))] : cells);
        }

        return table;
    }

    private static string At(DateTimeOffset? time) =>
        time?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture) ?? "–";

    private static ModelRow ToRow(FineTunedModel model, IReadOnlyDictionary<Guid, string> names) => new(
        model.Id, model.OrganizationId, names.GetValueOrDefault(model.OrganizationId), model.ProjectId,
        model.ProjectId is { } project ? names.GetValueOrDefault(project) : null, model.Version, model.Status,
        model.StatusReason, model.BaseModel, model.ParentModelId, model.VertexEndpoint, model.TuningJob,
        model.TrainingExamples, model.ValidationExamples, model.Verdict, model.VerdictReason, model.PromotedAt, model.CreatedAt,
        model.TaintedSince, model.TaintReason);
}
