using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Preflights;
using FeedbackLoop.Cli.Runs;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Npgsql;
using Spectre.Console;

namespace FeedbackLoop.Cli.Commands;

/// <summary>The run that was started.</summary>
/// <param name="IsRepeat">The same command was given before under this idempotency key, and this is its run.</param>
/// <param name="BaseModel">What is tuned, or what the model rests on that is tuned further.</param>
/// <param name="ParentModelId">The general model that the run goes on from.</param>
/// <param name="GeneralTraining">The general model is being trained, and this run does not wait for it.</param>
/// <param name="IsMessageSent">False: the five-minute sweep starts the chain.</param>
internal sealed record TrainResult(
    RunId RunId, Guid OrganizationId, Guid? ProjectId, string State, bool IsRepeat, string BaseModel,
    RunId? ParentModelId, GeneralTraining? GeneralTraining, bool IsMessageSent, string? WhyNotSent);

/// <summary>Starts the training of a general model or of a project's.</summary>
internal sealed class TrainCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly string _example;
    private readonly ScopeOptions _scope = new();
    private readonly CriteriaOptions _criteria = new();
    private readonly TuningParameterOptions _tuning = new();

    private readonly Option<string?> _key = TextOption.Create(
        "--idempotency-key", "Your name for this wish: the same command under the same name starts nothing again.",
        "TEXT", maxLength: 200);

    private readonly Option<bool> _watch = new("--watch")
    {
        Description = "Follow the run to its end. Ctrl-C ends the watch, not the run.",
    };

    private readonly Option<bool> _dryRun = DryRun.CreateOption("start nothing");

    private TrainCommand(string name, string description, string example, bool isGeneral, TimeProvider time)
        : base(name, description)
    {
        (_time, _example) = (time, example);
        var scope = isGeneral ? _scope.Organization : _scope.Project;
        scope.Required = true;
        foreach (var option in (Option[])[scope, .. _tuning.All, .. _criteria.All, _key, _watch, _dryRun])
        {
            Options.Add(option);
        }
    }

    public static TrainCommand ForGeneralModel(TimeProvider time) => new(
        "train-general-model",
        "Starts a training on all projects of an organization. Its model serves every project without one of its own.",
        "feedbackloop train-general-model --organization 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d11", isGeneral: true, time);

    public static TrainCommand ForProjectModel(TimeProvider time) => new(
        "train-project-model",
        "Starts a training on one project, on top of its organization's general model when there is one.",
        "feedbackloop train-project-model --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10", isGeneral: false, time);

    public override IReadOnlyList<string> Examples =>
    [
        _example,
        $"{_example} --epochs 3 --min-confidence 0.9 --watch",
        $"{_example} --idempotency-key october --json",
        $"{_example} --dry-run",
    ];

    public override IReadOnlyList<string> ExitCodes =>
    [
        "0 the run is started; with --watch: its model is ready; with --dry-run: it would start",
        "2 wrong usage",
        "3 refused with a reason, such as a run that is not over; with --watch also: skipped, cancelled, needs an operator",
        "4 failed; with --watch also: the run failed",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var settings = OperatorSettings.Read(arguments);
        var catalogue = settings.ReadCatalogue();
        var region = settings.Require("GoogleCloud:Location");
        await using var database = settings.OpenDatabase();
        var check = new DryRun(database, settings, _time);
        if (arguments.GetValue(_dryRun))
        {
            return await check.ShowAsync(
                await _scope.GetAsync(database, arguments, cancellationToken), RunPurpose.Training, ReadParameters(arguments),
                settings.ReadExportOptions(), output, cancellationToken);
        }

        var (request, plan, general) = await PrepareAsync(
            database, arguments, settings, catalogue, region, cancellationToken);
        if (await MayBeNewAsync(database, request, cancellationToken))
        {
            await check.RefuseAsync(request.Scope, request.Parameters, cancellationToken);
        }

        var accepted = await RequestAsync(database, request, cancellationToken);

        var state = accepted.IsRepeat
            ? await ReadStateAsync(database, accepted.RunId, cancellationToken)
            : RunState.Requested;

        // Also after a repeat: the first command may have died between its commit and its message.
        var wakeup = await Wakeup.SendAsync(database, settings, cancellationToken);
        var isWatching = arguments.GetValue(_watch);
        if (!isWatching || !output.IsJson)
        {
            var result = new TrainResult(
                accepted.RunId, request.Scope.OrganizationId, request.Scope.ProjectId, state, accepted.IsRepeat,
                plan.BaseModel, plan.Parent?.Id, general, wakeup.IsSent, wakeup.WhyNot);
            output.Result(
                result, CliJson.Default.TrainResult, new Rows(Lines(result, wakeup, isWatching).Select(line => new Text(line))));
        }

        return isWatching
            ? await new RunWatch(database, catalogue, _time, output).FollowAsync(accepted.RunId, cancellationToken)
            : ExitCode.Done;
    }

    private async Task<(RunRequest Request, TuningPlan Plan, GeneralTraining? General)> PrepareAsync(
        NpgsqlDataSource database, ParseResult arguments, OperatorSettings settings, BaseModelCatalogue catalogue,
        string region, CancellationToken cancellationToken)
    {
        var terms = settings.ReadSpendingTerms();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var scope = await _scope.GetAsync(db, arguments, cancellationToken);
        var parameters = ReadParameters(arguments);
        var general = scope.IsGeneral
            ? null
            : await db.FindReadyModelAsync(new Scope(scope.OrganizationId, null), cancellationToken);
        await RefuseHeldAsync(db, scope, terms, cancellationToken);
        var today = DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime);
        var (plan, reason) = TuningPlan.Choose(scope, parameters.Tuning, general, catalogue, region, today);
        if (plan is null)
        {
            throw CommandException.Refused(reason!, "Choose another --base-model."); // a plan or a reason
        }

        var key = arguments.GetValue(_key) is { } text ? new IdempotencyKey(text, Fingerprint(scope, parameters)) : null;
        return (
            new RunRequest(scope, RunPurpose.Training, RunTrigger.Manual, Actor.Name, parameters, key)
            {
                DailyLimit = terms.Options.RunsPerDay,
            },
            plan,
            await GeneralTraining.FindAsync(db, scope, plan, cancellationToken));
    }

    private RunParameters ReadParameters(ParseResult arguments) => new(_criteria.Read(arguments), _tuning.Read(arguments));

    // What was accepted under its key gets the same answer again, and what a live run is in the way of is refused for that.
    private static async Task<bool> MayBeNewAsync(
        NpgsqlDataSource database, RunRequest request, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await db.FindLiveRunAsync(request.Scope, request.Purpose, cancellationToken) is null
            && (request.Key is not { } key
                || await db.FindAcceptedRequestAsync(request.RequestedBy, key.Value, cancellationToken) is null);
    }

    // The step that pays refuses it too; here a person hears of it before anything is exported.
    private async Task RefuseHeldAsync(
        NpgsqlConnection db, Scope scope, SpendingTerms terms, CancellationToken cancellationToken)
    {
        var hold = SpendingRule.Hold(
            await db.FindSpendingStopAsync(cancellationToken),
            await db.ReadSpendingAsync(scope.OrganizationId, terms, _time.GetUtcNow(), cancellationToken));
        if (hold is not null)
        {
            throw CommandException.Refused($"no training may start now: {hold}", "See: feedbackloop spending");
        }
    }

    private async Task<RunRequestOutcome.Accepted> RequestAsync(
        NpgsqlDataSource database, RunRequest request, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await db.RequestRunAsync(request, _time.GetUtcNow(), cancellationToken) switch
        {
            RunRequestOutcome.Accepted accepted => accepted,
            RunRequestOutcome.AlreadyRunning live => throw new CommandException(
                ExitCode.Refused, $"{request.Scope} has a run that is not over: {live.RunId} is {live.State}",
                $"Wait for it: feedbackloop training-status {live.RunId} --watch")
            {
                Run = (live.RunId, live.State),
            },
            RunRequestOutcome.BelowFloor below => throw PersonalDataFloor.Refusal(below.Error, request.Scope),
            RunRequestOutcome.TooMany tooMany => throw CommandException.Refused(
                $"{request.Scope} has begun enough for a day: {tooMany.Reason}",
                "See: feedbackloop training-status, and Spending:RunsPerDay"),
            RunRequestOutcome.KeyReused reused => throw CommandException.Refused(
                $"the idempotency key belongs to run {reused.RunId}, which was asked for with other options",
                "Repeat that command as it was, or choose another key."),
            var outcome => throw new InvalidOperationException($"unknown outcome {outcome}"),
        };
    }

    private static async Task<string> ReadStateAsync(
        NpgsqlDataSource database, RunId id, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return (await db.FindRunAsync(id, cancellationToken))?.State
            ?? throw new InvalidOperationException($"run {id} vanished");
    }

    private static byte[] Fingerprint(Scope scope, RunParameters parameters) => SHA256.HashData(Encoding.UTF8.GetBytes(
        $"{RunPurpose.Training}\n{scope.OrganizationId}\n{scope.ProjectId}\n{parameters.ToJson()}"));

    private static IEnumerable<string> Lines(TrainResult result, Wakeup wakeup, bool isWatching)
    {
        yield return result.IsRepeat
            ? $"Run {result.RunId} was started by this command before; it is {result.State}."
            : $"Run {result.RunId} is {result.State}.";
        yield return result.ParentModelId is { } parent
            ? $"It goes on from the general model {parent}, which rests on {result.BaseModel}."
            : $"It tunes {result.BaseModel}.";
        if (result.GeneralTraining is { } general)
        {
            yield return general.InWords();
        }

        yield return wakeup.Sentence();
        if (!isWatching)
        {
            yield return $"Follow it: feedbackloop training-status {result.RunId} --watch";
        }
    }
}
