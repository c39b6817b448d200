using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Extraction;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Local;

/// <summary>
/// The main job once, on a database of its own: verified extractions to a general model, to a project model on top of it, to
/// the model that the project's next extraction is told to use.
/// </summary>
internal sealed class MainJob(RunOptions options)
{
    private const string Database = "once";
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly Stopwatch _watch = Stopwatch.StartNew();

    /// <returns>0 only when both models are ready and the project's is selected and answers.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var dataDirectory = Directory.CreateTempSubdirectory("feedbackloop-once-");
        try
        {
            return await RunAsync(dataDirectory.FullName, patience.Token);
        }
        finally
        {
            dataDirectory.Delete(recursive: true);
        }
    }

    private async Task<int> RunAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        await using var postgres = await LocalPostgres.StartAsync(
            new() { Directory = LocalInstallation.ClusterDirectory("once") }, cancellationToken);
        await postgres.DropDatabaseAsync(Database, cancellationToken);
        await postgres.CreateDatabaseAsync(Database, template: null, cancellationToken);
        KnowledgeSchema.MigrateAll(postgres.ConnectionString(Database), _ => { });
        Say("database", "PostgreSQL is up and migrated");

        var connectionString = postgres.ConnectionString(Database, "app");
        var import = await LocalInstallation.ImportAsync(connectionString, options.DataFile, cancellationToken);
        Say("import", $"{import.Documents:N0} documents in {import.Projects:N0} projects: {import.Objects:N0} objects "
            + $"({import.Reviewed:N0} reviewed, {import.AutoAccepted:N0} accepted, {import.Pending:N0} pending, "
            + $"{import.Rejected:N0} rejected), {import.Relationships:N0} relationships, {import.Broken:N0} broken lines");

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

        var answered = onTop is { IsReady: true }
            && await AskAsync(chain, services, database, choice, onTop, cancellationToken);
        var holds = general.IsReady && onTop is { IsReady: true } && answered
            && choice.Tier == ModelTier.Project && choice.ModelId == onTop.Run;
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
        while (true)
        {
            var run = await db.FindRunAsync(id, cancellationToken)
                ?? throw new InvalidOperationException($"run {id} vanished");
            if (run.State != shown)
            {
                shown = run.State;
                Say(tier, await DescribeAsync(db, run, cancellationToken));
            }

            if (RunTransitions.IsFinal(run.State) || run.State == RunState.NeedsOperator)
            {
                return await TrainedModel.LoadAsync(db, run, cancellationToken);
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
                $"exported {dataset.TrainExamples:N0} train and {dataset.ValidationExamples:N0} validation examples, about "
                + $"{dataset.EstimatedTokens:N0} tokens, {run.EstimatedCostUsd:0.00} USD estimated, to {dataset.Uri}"),
            RunState.Tuning when model is not null => $"tuning {model.TuningJob} from "
                + (model.ParentModelId is { } parent ? $"model {parent}" : model.BaseModel),
            RunState.Succeeded when model is not null =>
                $"succeeded: version {model.Version} of {run.Scope} is {model.Status} at {model.VertexEndpoint}",
            _ => run.Reason is null ? run.State : $"{run.State}: {run.Reason}",
        };
    }

    /// <summary>Calls what was selected on a held-out chunk, beside the base model, and shows what each found.</summary>
    private async Task<bool> AskAsync(
        LocalChain chain, IServiceProvider services, NpgsqlDataSource database, ModelChoice choice, TrainedModel trained,
        CancellationToken cancellationToken)
    {
        var line = await HeldOutLine.ReadAsync(
            services.GetRequiredService<IDatasetStore>(), database, trained.Run, cancellationToken);
        if (line is null)
        {
            Say("extraction", "no document fell on the validation side, so there is nothing held out to ask about");
            return true;
        }

        var model = services.GetRequiredService<IExtractionModel>();
        var tuned = await model.GenerateAsync(
            choice.BaseModel, choice.Endpoint, line.System, line.User, cancellationToken);
        var plain = await model.GenerateAsync(
            choice.BaseModel, endpoint: null, line.System, line.User, cancellationToken);
        Say("extraction", $"a held-out chunk of {line.User.Length:N0} characters has {line.Expected.Count} entities; the "
            + $"selected model found {line.CountFound(tuned.Text)} of them among {HeldOutLine.Entities(tuned.Text).Count}, "
            + $"the base model {line.CountFound(plain.Text)} among {HeldOutLine.Entities(plain.Text).Count}");
        return tuned.FinishReason == "Stop" && await ExtractAsync(chain, database, choice, line.Text, cancellationToken);
    }

    /// <summary>A new document with this text, as the product would have it extracted, to objects that wait for a review.</summary>
    private async Task<bool> ExtractAsync(
        LocalChain chain, NpgsqlDataSource database, ModelChoice choice, string text,
        CancellationToken cancellationToken)
    {
        var job = await NewExtraction.AddAsync(database, choice.ModelId!.Value, text, cancellationToken); // a project's model has one
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
