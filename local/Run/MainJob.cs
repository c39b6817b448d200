using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Local;

/// <summary>
/// The main job once, on a database of its own: verified extractions to a general model, to a project model on top of it, to
/// the model that the project's next extraction uses.
/// </summary>
internal sealed class MainJob(RunOptions options)
{
    private const string Database = "once";
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly Stopwatch _watch = Stopwatch.StartNew();

    /// <returns>0 only when the right model is selected, answers, and its objects wait for a review.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var dataDirectory = Directory.CreateTempSubdirectory("feedbackloop-once-");
        try
        {
            return await RunAsync(dataDirectory.FullName, patience.Token);
        }
        catch (OperationCanceledException) when (
            patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            Say("failed", $"not done after {Patience.TotalMinutes:0} minutes; the log above says what it waits for");
            return 1;
        }
        finally
        {
            dataDirectory.Delete(recursive: true);
        }
    }

    private async Task<int> RunAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        await using var postgres = await LocalPostgres.StartAsync(
            new() { Directory = LocalInstallation.ClusterDirectory(options.StateDirectory, "once") }, cancellationToken);
        await postgres.DropDatabaseAsync(Database, cancellationToken);
        await postgres.CreateDatabaseAsync(Database, template: null, cancellationToken);
        KnowledgeSchema.MigrateAll(postgres.ConnectionString(Database), _ => { });
        Say("database", "PostgreSQL is up and migrated");

        var connectionString = postgres.ConnectionString(Database, "app");
        var import = await LocalInstallation.ImportAsync(connectionString, options.DataFile, cancellationToken);
        Say("import", $"{import.Documents:N0} documents in {import.Projects:N0} projects: {import.Objects:N0} objects "
            + $"({import.Reviewed:N0} reviewed, {import.AutoAccepted:N0} accepted, {import.Pending:N0} pending, "
            + $"{import.Rejected:N0} rejected), {import.Relationships:N0} relationships, "
            + $"{import.NothingToFind:N0} texts with nothing to find, {import.Broken:N0} broken lines");

        if (import.Documents == 0)
        {
            Say("failed", $"{options.DataFile} holds no extraction"
                + (import.BrokenLines is [var first, ..] ? $": line {first.Line}: {first.Reason}" : ""));
            return 1;
        }

        await using var chain = await LocalChain.StartAsync(
            new()
            {
                ConnectionString = connectionString,
                ApiConnectionString = postgres.ConnectionString(Database, "app_api"),
                DataDirectory = dataDirectory,
                PubSubEmulator = LocalInstallation.Emulator(),
                Settings = LocalInstallation.QuickPolls,
                Logging = logging => logging
                    .AddSimpleConsole(console => console.SingleLine = true)
                    .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
                    .SetMinimumLevel(LogLevel.Warning),
            },
            cancellationToken);
        Say("chain", $"{chain.Functions.Count} functions, Pub/Sub at {chain.PubSubAddress}, "
            + $"Cloud Storage at {chain.Storage.Address}, Vertex AI at {chain.Vertex.Address}");

        await using var database = NpgsqlDataSource.Create(connectionString);
        using var sweeping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sweeps = LocalInstallation.SweepAsync(chain, SweepInterval, sweeping.Token);
        try
        {
            return await TrainBothAsync(chain, database, import.OrganizationId, cancellationToken);
        }
        finally
        {
            await sweeping.CancelAsync();
            await sweeps.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<int> TrainBothAsync(
        LocalChain chain, NpgsqlDataSource database, Guid organization, CancellationToken cancellationToken)
    {
        var general = await TrainAsync(database, new Scope(organization, null), "general", cancellationToken);
        var project = await LargestProjectAsync(database, organization, cancellationToken);
        var onTop = general.IsReady
            ? await TrainAsync(database, new Scope(organization, project), "project", cancellationToken)
            : null;

        await using var services = SelectionServices.Build(chain.Settings);
        var choice = await services.GetRequiredService<ModelSelector>()
            .SelectAsync(organization, project, cancellationToken);
        Say("selection", $"project {project}: {choice.Tier} model {choice.ModelId} version {choice.Version}, because "
            + choice.Reason);

        // A project's model of which nothing shows that it is better is kept back, and the general one goes on: as it should be.
        var isRight = onTop is { IsReady: true } ? choice.ModelId == onTop.Run
            : onTop is { IsKeptBack: true } && choice.ModelId == general.Run;
        var holds = general.IsReady && isRight
            && await AskAsync(chain, services, database, choice, project, onTop!, cancellationToken); // not null when right
        var seconds = Math.Round(_watch.Elapsed.TotalSeconds, 1);
        Say(holds ? "done" : "failed", $"after {seconds.ToString(CultureInfo.InvariantCulture)} s");
        Console.WriteLine(JsonSerializer.Serialize(
            MainJobResult.Of(organization, general, onTop, choice, seconds), MainJobJson.Default.MainJobResult));
        return holds ? 0 : 1;
    }

    private async Task<TrainedModel> TrainAsync(
        NpgsqlDataSource database, Scope scope, string tier, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var requested = await db.RequestRunAsync(
            new RunRequest(
                scope, RunPurpose.Training, RunTrigger.Manual, "local-run", RunParameters.Default, Key: null),
            TimeProvider.System.GetUtcNow(), cancellationToken);
        var id = requested is RunRequestOutcome.Accepted accepted
            ? accepted.RunId
            : throw new InvalidOperationException($"{scope} has a live run already: {requested}");
        Say(tier, $"run {id} requested");

        var shown = RunState.Requested;
        var said = _watch.Elapsed;
        while (true)
        {
            var run = await db.FindRunAsync(id, cancellationToken)
                ?? throw new InvalidOperationException($"run {id} vanished");
            if (run.State != shown)
            {
                (shown, said) = (run.State, _watch.Elapsed);
                Say(tier, await DescribeAsync(db, run, cancellationToken));
            }

            if (RunTransitions.IsFinal(run.State) || run.State == RunState.NeedsOperator)
            {
                var trained = await TrainedModel.LoadAsync(db, run, cancellationToken);
                Show(tier, trained);
                return trained;
            }

            if (run.State == RunState.Evaluating && _watch.Elapsed - said > ProgressInterval)
            {
                said = _watch.Elapsed;
                var answers = await db.ListEvaluatedModelsAsync(id, cancellationToken);
                Say(tier, $"  {answers.Sum(model => model.Answers):N0} answers of {answers.Count} models to held-out chunks");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }
    }

    private static async Task<string> DescribeAsync(NpgsqlConnection db, Run run, CancellationToken cancellationToken)
    {
        var dataset = run.DatasetId is { } id ? await db.FindDatasetAsync(id, cancellationToken) : null;
        var model = await db.FindModelAsync(run.Id, cancellationToken);
        return run.State switch
        {
            RunState.Exported when dataset is not null => string.Create(
                CultureInfo.InvariantCulture,
                $"exported {dataset.TrainExamples:N0} train, {dataset.ValidationExamples:N0} validation and "
                + $"{dataset.TestExamples:N0} held-out examples, about "
                + $"{dataset.EstimatedTokens:N0} tokens, {run.EstimatedCostUsd:0.00} USD estimated, to {dataset.Uri}"),
            RunState.Tuning when model is not null => $"tuning {model.TuningJob} from "
                + (model.ParentModelId is { } parent ? $"model {parent}" : model.BaseModel),
            RunState.Succeeded when model is not null =>
                $"succeeded: version {model.Version} of {run.Scope} is {model.Status} at {model.VertexEndpoint}",
            _ => run.Reason is null ? run.State : $"{run.State}: {run.Reason}",
        };
    }

    /// <summary>The models side by side on documents that no tuning job was given, and what follows.</summary>
    private void Show(string tier, TrainedModel trained)
    {
        foreach (var model in trained.Evaluation ?? [])
        {
            var name = model.Subject.Version is { } version ? $"{model.Subject.Role} {version}" : model.Subject.Role;
            if (model.Scores is not { } scores)
            {
                Say(tier, $"  {name,-10} not scored: {model.Subject.Problem ?? "it never answered"}");
                continue;
            }

            Say(tier, $"  {name,-10} {scores.Chunks} chunks: entities P {scores.Entities.Precision:0.000} "
                + $"R {scores.Entities.Recall:0.000} F1 {scores.Entities.F1:0.000} (macro {scores.EntitiesMacroF1:0.000}), "
                + $"relationships F1 {scores.Relationships.F1:0.000} (typed {scores.TypedRelationships.F1:0.000}), "
                + $"readable {scores.ValidRate:0.000}, in the text {scores.GroundingRate:0.000}"
                + (scores.EmptyTexts is { } empty
                    ? $", {empty.InventedEntities} invented in {empty.Texts} texts with nothing to find"
                    : "")
                + (model.IsReference ? " ← compared with" : ""));
        }

        if (trained.Verdict is { } verdict)
        {
            Say(tier, $"  verdict: {verdict.Verdict.Replace('_', ' ')}, {verdict.Reason}");
        }
    }

    /// <summary>Has what was selected extract a chunk that no model has learnt from, as the product would.</summary>
    private async Task<bool> AskAsync(
        LocalChain chain, IServiceProvider services, NpgsqlDataSource database, ModelChoice choice, Guid project,
        TrainedModel trained, CancellationToken cancellationToken)
    {
        var chunk = await FindHeldOutAsync(
            services.GetRequiredService<IDatasetStore>(), database, trained.Run, cancellationToken);
        if (chunk is null)
        {
            Say("extraction", "no document is held out, so there is nothing new to extract from");
            return true;
        }

        return await ExtractAsync(chain, database, choice, project, chunk.Text, cancellationToken);
    }

    private static async Task<HeldOutChunk?> FindHeldOutAsync(
        IDatasetStore store, NpgsqlDataSource database, RunId runId, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var run = await db.FindRunAsync(runId, cancellationToken);
        if (run?.DatasetId is not { } id
            || await db.FindDatasetAsync(id, cancellationToken) is not { TestUri: { } uri, TestSha256: { } sha256 } dataset)
        {
            return null;
        }

        var documents = await db.ListTestDocumentsAsync(id, cancellationToken);
        await using var content = await store.OpenReadAsync(
            DatasetUri.NameOf(uri), dataset.TestGeneration, cancellationToken);
        return await HeldOutFile.ReadAsync(content, sha256, documents, cancellationToken).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>A new document with this text, as the product would have it extracted, to objects that wait for a review.</summary>
    private async Task<bool> ExtractAsync(
        LocalChain chain, NpgsqlDataSource database, ModelChoice choice, Guid project, string text,
        CancellationToken cancellationToken)
    {
        var job = await NewExtraction.AddAsync(database, project, text, cancellationToken);
        await chain.RequestExtractionAsync(job, cancellationToken);
        while (true)
        {
            var result = await NewExtraction.ReadAsync(database, job, cancellationToken);
            if (result is { IsOver: true })
            {
                Say("extraction", $"job {job} of a new chunk is {result.Status}: {result.Objects} objects "
                    + $"({result.NeedReview} to be reviewed) and {result.Relationships} relationships in the knowledge tables, "
                    + $"by the {result.Tier} model version {result.Version} in {result.LatencyMs} ms{result.Problem}");
                return result.Status == "requires_review" && result.Tier == choice.Tier;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }
    }

    private static async Task<Guid> LargestProjectAsync(
        NpgsqlDataSource database, Guid organization, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            select   p.id
            from     kb.projects p
            join     kb.object_extraction_jobs j on j.project_id = p.id
            where    p.organization_id = $1
            group by p.id
            order by count(*) desc, p.id
            limit    1
            """);
        command.Parameters.AddWithValue(organization);
        return await command.ExecuteScalarAsync(cancellationToken) is Guid project
            ? project
            : throw new InvalidOperationException("the file holds no extraction");
    }

    private void Say(string stage, FormattableString text) =>
        Say(stage, text.ToString(CultureInfo.InvariantCulture));

    private void Say(string stage, string text) => Console.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{_watch.Elapsed.TotalSeconds,6:0.0} s  {stage,-10}  {text}"));
}
