using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Extraction;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FeedbackLoop.Cli.Commands;

/// <summary>What a model found in a text.</summary>
/// <param name="Problem">Why its answer cannot be read, also when asked a second time; null when it can.</param>
/// <param name="CostUsd">By the catalogue's prices; null when they are not known.</param>
/// <param name="Dropped">Parts of the answer that an extraction would not store, by reason.</param>
internal sealed record ExtractResult(
    Guid ProjectId, string Tier, Guid? ModelId, int? Version, string BaseModel, string Reason,
    IReadOnlyList<Fallback> Fallbacks, string PromptHash, int LatencyMs, int InputTokens, int OutputTokens,
    decimal? CostUsd, string? Problem, IReadOnlyList<ExtractedEntity> Entities,
    IReadOnlyList<ExtractedRelationship> Relationships, IReadOnlyDictionary<string, int> Dropped);

/// <param name="Confidence">0 to 1.</param>
internal sealed record ExtractedEntity(
    string Type, string Name, string Description, string? BusinessKey, JsonElement Properties, double Confidence);

internal sealed record ExtractedRelationship(string SourceName, string TargetName, string Type, string? Description);

/// <summary>Tries a project's model on a text, as an extraction would ask it, and stores nothing.</summary>
internal sealed class ExtractCommand : OperatorCommand
{
    private const int LongestText = 1_000_000;

    private readonly Argument<string> _file = new("FILE") { Description = "The text, UTF-8. - reads stdin." };
    private readonly Option<Guid?> _project = IdOption.Create("--project", "The project whose model is asked.", "--project-id");

    private readonly Option<bool> _base = new("--base")
    {
        Description = "Ask the base model instead, to compare.",
    };

    public ExtractCommand()
        : base(
            "extract",
            "Has the model that a project's next extraction uses extract a text, and shows what it finds. Nothing is stored; "
            + "the call to Vertex AI is paid for.")
    {
        _project.Required = true;
        Arguments.Add(_file);
        Options.Add(_project);
        Options.Add(_base);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop extract chapter.txt --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10",
        "echo \"Kafka feeds the Ledger.\" | feedbackloop extract - --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10 --base --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var text = await ReadAsync(arguments.GetRequiredValue(_file), cancellationToken);
        var settings = OperatorSettings.Read(arguments);
        var google = new OptionsWrapper<GoogleCloudOptions>(new GoogleCloudOptions
        {
            ProjectId = settings.Require("GoogleCloud:ProjectId"),
            Location = settings.Require("GoogleCloud:Location"),
            VertexAddress = settings.FindAddress("GoogleCloud:VertexAddress"),
        });
        if (google.Value.VertexAddress is null)
        {
            // The channel would find out in the middle of a call, and say it less well.
            MachineCredentials.Find();
        }

        var catalogue = new OptionsWrapper<BaseModelCatalogue>(settings.ReadCatalogue());
        await using var database = settings.OpenDatabase();
        var (scope, choice, types) = await ChooseAsync(
            database, catalogue.Value, settings.ReadVerification(), arguments, cancellationToken);
        if (types.UnlistedTypes > 0)
        {
            var reasons = types.LeftOut.Where(part => part.Part == LeftOutType.WholeType).Select(part => part.Reason).Distinct();
            output.Warn(string.Create(
                CultureInfo.InvariantCulture,
                $"{types.UnlistedTypes:N0} types of the project stand in no prompt ({string.Join(", ", reasons)}); an extraction "
                + $"stores nothing of them."));
        }

        var prompt = ExtractionPrompt.For(types);
        using var channels = new VertexChannels(google, new GoogleAccess());
        var model = new TieredModel(
            new VertexExtractionModel(google, catalogue, channels, TimeProvider.System), database, catalogue,
            NullLogger<TieredModel>.Instance);
        TieredAnswer answer;
        try
        {
            answer = await model.AskAsync(scope.OrganizationId, choice, prompt, text, cancellationToken);
        }
        catch (Exception e) when (
            e is RpcException or ExtractionModelGoneException && !cancellationToken.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCode.Failed, $"no model answers: {(e is RpcException { Status.Detail: { } detail } ? detail : e.Message)}",
                "Check GoogleCloud:ProjectId, GoogleCloud:Location and the access of these credentials to Vertex AI.", e);
        }

        foreach (var fallback in answer.Fallbacks)
        {
            output.Warn($"The {fallback.Tier} model does not answer: {fallback.Reason}");
        }

        var found = answer.Content is { } content
            ? ExtractionRules.Apply(content, types, [], text, default)
            : new AcceptedExtraction([], [], new Dictionary<string, int>());
        var result = ToResult(scope.ProjectId!.Value, answer, prompt, found, catalogue.Value); // a project's scope has one
        output.Result(result, CliJson.Default.ExtractResult, Page(result));
        return result.Problem is null
            ? ExitCode.Done
            : throw new CommandException(
                ExitCode.Failed, $"the model's answer cannot be read: {result.Problem}", "Try again, or another model.", null);
    }

    private static async Task<string> ReadAsync(string file, CancellationToken cancellationToken)
    {
        string text;
        try
        {
            using var reader = file == "-" ? Console.In : new StreamReader(file);
            text = await reader.ReadToEndAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"{file} cannot be read: {e.Message}", "Name a text file, or - for stdin.");
        }

        return text switch
        {
            _ when string.IsNullOrWhiteSpace(text) => throw CommandException.Usage(
                $"{file} has no text", "Name a text file, or - for stdin."),
            { Length: > LongestText } => throw CommandException.Usage(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{file} has {text.Length:N0} characters, and a chunk has at most {LongestText:N0}"),
                "Give a part of it."),
            _ => text,
        };
    }

    private async Task<(Scope Scope, ModelChoice Choice, ExtractionTypes Types)> ChooseAsync(
        NpgsqlDataSource database, BaseModelCatalogue catalogue, VerificationOptions verification, ParseResult arguments,
        CancellationToken cancellationToken)
    {
        var project = arguments.GetValue(_project)!.Value;  // required
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var scope = await db.FindProjectScopeAsync(project, cancellationToken)
            ?? throw CommandException.Refused($"there is no project {project}", "Check the id and --database.");
        var types = await db.ListTypesAsync([project], verification, cancellationToken);
        if (arguments.GetValue(_base))
        {
            return (scope, ModelSelection.Base(catalogue.GetDefault(), "it was asked for"), types[project]);
        }

        var ready = await db.ListReadyModelsAsync(scope.OrganizationId, cancellationToken);
        var choice = ModelSelection.WhileStopped(
            ModelSelection.Choose(
                ready.FirstOrDefault(model => model.ProjectId == project),
                ready.FirstOrDefault(model => model.ProjectId is null),
                catalogue.GetDefault()),
            await db.FindSpendingStopAsync(cancellationToken), catalogue.GetDefault());
        return (scope, choice, types[project]);
    }

    private static ExtractResult ToResult(
        Guid project, TieredAnswer answer, ExtractionPrompt prompt, AcceptedExtraction found, BaseModelCatalogue catalogue)
    {
        var model = answer.Answered;
        var (input, output) = (answer.Answers.Sum(each => each.InputTokens), answer.Answers.Sum(each => each.OutputTokens));
        return new(
            project, model.Tier, model.ModelId?.Value, model.Version, model.BaseModel, model.Reason, answer.Fallbacks,
            prompt.Hash, (int)answer.Answers.Sum(each => each.Latency.TotalMilliseconds), input, output,
            catalogue.FindServingPrice(model.BaseModel, isTuned: model.Endpoint is not null)?.Of(input, output),
            answer.Problem,
            [
                .. found.Entities.Select(each => new ExtractedEntity(
                    each.Entity.Type, each.Entity.Name, each.Entity.Description, each.Entity.BusinessKey,
                    JsonElement.Parse(each.Entity.PropertiesJson), each.Confidence)),
            ],
            [
                .. found.Relationships.Select(each => new ExtractedRelationship(
                    found.Entities[each.Source].Entity.Name, found.Entities[each.Target].Entity.Name, each.Type,
                    each.Description)),
            ],
            found.Dropped);
    }

    private static Rows Page(ExtractResult result)
    {
        var name = result.ModelId is { } id
            ? $"The {result.Tier} model {id}, version {result.Version}, tuned from {result.BaseModel}"
            : $"The base model {result.BaseModel}";
        var cost = result.CostUsd is { } usd
            ? string.Create(CultureInfo.InvariantCulture, $", {usd:0.######} USD")
            : "";
        List<IRenderable> parts =
        [
            new Text($"{name}, because {result.Reason}."),
            new Text(string.Create(
                CultureInfo.InvariantCulture,
                $"{result.LatencyMs:N0} ms, {result.InputTokens:N0} tokens in, {result.OutputTokens:N0} out{cost}.")),
        ];
        if (result.Entities.Count > 0)
        {
            var entities = CommandOutput.Table("TYPE", "NAME", "CONFIDENCE", "DESCRIPTION");
            foreach (var entity in result.Entities)
            {
                entities.AddRow(
                    new Text(entity.Type), new Text(entity.Name),
                    new Text(entity.Confidence.ToString("0.00", CultureInfo.InvariantCulture)), new Text(entity.Description));
            }

            parts.AddRange([Text.Empty, entities]);
        }
        else if (result.Problem is null)
        {
            parts.Add(new Text("It found nothing."));
        }

        if (result.Relationships.Count > 0)
        {
            var relationships = CommandOutput.Table("FROM", "RELATIONSHIP", "TO");
            foreach (var each in result.Relationships)
            {
                relationships.AddRow(new Text(each.SourceName), new Text(each.Type), new Text(each.TargetName));
            }

            parts.AddRange([Text.Empty, relationships]);
        }

        parts.AddRange(result.Dropped.Select(each => new Text($"Left out: {each.Value} {each.Key}")));
        return new Rows(parts);
    }
}
