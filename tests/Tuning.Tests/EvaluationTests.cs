using FeedbackLoop.Datasets;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Extraction;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Time.Testing;
using Grpc.Core;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>Between the end of a tuning job and the first extraction by its model.</summary>
public sealed class EvaluationTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Base = "base";
    private const string NoJson = "I found two people.";

    private readonly Dictionary<string, Func<HeldOutExample, string>> _answers = [];
    private readonly HeldOutExample[] _documents = HeldOutExample.Documents(24);
    private readonly HeldOutExample[] _empty = HeldOutExample.EmptyDocuments(8);
    private World _world = null!; // these two are set before each test
    private ScriptedModel _model = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(postgres);
        _model = new ScriptedModel((endpoint, text) =>
            _answers.GetValueOrDefault(endpoint ?? Base, HeldOutExample.Half)(_documents.Concat(_empty).Single(each => each.Text == text)));
        _world.Model = _model;
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_better_model_goes_live_and_says_by_how_much()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        _answers[endpoint] = HeldOutExample.Whole;

        await _world.PollAsync(run);

        var model = await _world.FindModelAsync(run);
        Assert.Equal((ModelStatus.Ready, ModelVerdict.Better), (model!.Status, model.Verdict));
        Assert.Equal(
            "entity F1 +0.333 (+0.333 to +0.333); relationship F1 +1.000 (+1.000 to +1.000)", model.VerdictReason);
        Assert.Equal(
            """{"chunks": 24, "entityF1": 1, "documents": 24, "reference": "base", "relationshipF1": 1, "referenceEntityF1": 0.6666666666666666, "referenceRelationshipF1": 0}""",
            model.EvaluationMetricsJson);
        Assert.Equal(
            ["self 24 1 True ", "base 24 0.6666666666666666 True +0.333 reference"],
            (await ListAsync(run)).Select(Words));
        Assert.Equal(
            [$"promote-model model {run} better: {model.VerdictReason}"],
            await AuditAsync(run));
    }

    [Fact]
    public async Task A_worse_model_is_kept_back_and_its_admins_are_told()
    {
        var scope = await _world.AddScopeAsync();
        var admin = await AddAdminAsync(scope);
        var live = await AddLiveAsync(scope, HeldOutExample.Whole);
        var (run, endpoint) = await TuneAsync(scope);
        _answers[endpoint] = HeldOutExample.Half;

        Assert.IsType<StepOutcome.Done>(await _world.PollAsync(run));

        var (ended, model) = (await _world.FindAsync(run), await _world.FindModelAsync(run));
        const string Reason =
            "not in use, worse: entity F1 −0.333 (−0.333 to −0.333); relationship F1 −1.000 (−1.000 to −1.000)";
        Assert.Equal((RunState.Succeeded, Reason), (ended.State, ended.Reason));
        Assert.Equal((ModelStatus.Deprecated, Reason), (model!.Status, model.StatusReason));
        Assert.Equal((ModelVerdict.Worse, (DateTimeOffset?)null), (model.Verdict, model.PromotedAt));
        Assert.Equal(ModelStatus.Ready, (await _world.FindModelAsync(live))!.Status);
        Assert.Equal([$"keep-model-back model {run} {Reason}"], await AuditAsync(run));
        Assert.Equal("training-finished", _world.Published.Topics[^1]);
        Assert.Equal(
            $"{admin} Version 2 is trained, and {Reason}. Extractions go on as before. You may promote it all the same, with a reason.",
            await _world.Rows.ScalarAsync<string>("select user_id || ' ' || message from kb.notifications", Stop));
    }

    [Theory]
    [InlineData(true, ModelStatus.Ready, null)]
    [InlineData(
        false, ModelStatus.Deprecated,
        "not in use, no evidence that it is better: entity F1 0.000 (0.000 to 0.000); relationship F1 0.000 (0.000 to 0.000)")]
    public async Task The_policy_says_what_becomes_of_a_model_without_evidence(bool promotes, string status, string? reason)
    {
        _world.Evaluation = new() { PromoteWithoutEvidence = promotes };
        var (run, _) = await TuneAsync(await _world.AddScopeAsync());

        await _world.PollAsync(run);

        var model = await _world.FindModelAsync(run);
        Assert.Equal((status, ModelVerdict.NoEvidence), (model!.Status, model.Verdict));
        Assert.Equal(reason, (await _world.FindAsync(run)).Reason);
    }

    [Fact]
    public async Task A_model_that_finds_people_where_there_are_none_is_kept_back()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync(), [.. _documents, .. _empty]);
        _answers[endpoint] = document => _empty.Contains(document) ? Somebody : document.Answer;
        _answers[Base] = document => document == _empty[0] ? Somebody : document.Answer;

        await _world.PollAsync(run);

        var model = await _world.FindModelAsync(run);
        Assert.Equal((ModelStatus.Deprecated, ModelVerdict.Worse), (model!.Status, model.Verdict));
        Assert.Equal(
            "it invents where nothing is to be found: more than before in 7 documents, fewer in 0; entity F1 −0.067 "
            + "(−0.133 to −0.025); relationship F1 0.000 (0.000 to 0.000); 8 entities invented in 8 texts with nothing to find, "
            + "up from 1",
            model.VerdictReason);
        var evaluated = await ListAsync(run);
        Assert.Equal(
            [new EmptyTextScore(8, 8, 8, 1), new EmptyTextScore(8, 1, 1, 0.125)],
            evaluated.Select(each => each.Scores!.EmptyTexts));
        Assert.Equal(new InventionComparison(8, 8, 1, MoreIn: 7, FewerIn: 0), evaluated[1].Comparison!.Inventions);
        Assert.Equal((24, 32), (evaluated[1].Comparison!.Documents, evaluated[1].Comparison!.Chunks));
    }

    [Fact]
    public async Task Scores_from_before_such_texts_were_counted_can_be_read()
    {
        var (run, _) = await TuneAsync(await _world.AddScopeAsync(), [.. _documents, .. _empty]);
        await _world.PollAsync(run);
        await _world.Rows.ExecuteAsync(
            "update ml.model_evaluations set scores = scores - 'emptyTexts', comparison = comparison - 'inventions'", Stop);

        var evaluated = await ListAsync(run);

        Assert.All(evaluated, each => Assert.Null(each.Scores!.EmptyTexts));
        Assert.Null(evaluated[1].Comparison!.Inventions);
    }

    [Fact]
    public async Task Too_few_documents_are_no_evidence_however_large_the_difference()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync(), documents: 19);
        _answers[endpoint] = HeldOutExample.Whole;

        await _world.PollAsync(run);

        var model = await _world.FindModelAsync(run);
        Assert.Equal(ModelVerdict.NoEvidence, model!.Verdict);
        Assert.StartsWith("too few held-out documents to tell: 19 of 20;", model.VerdictReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_held_out_documents_nothing_is_asked_and_the_model_goes_live()
    {
        var (run, _) = await TuneAsync(await _world.AddScopeAsync(), documents: 0);

        await _world.PollAsync(run);

        var model = await _world.FindModelAsync(run);
        Assert.Equal((ModelStatus.Ready, ModelVerdict.NoEvidence), (model!.Status, model.Verdict));
        Assert.Equal("no document is held out", model.VerdictReason);
        Assert.Empty(_model.Asked);
        Assert.Empty(await ListAsync(run));
    }

    [Fact]
    public async Task A_projects_model_is_compared_with_live_general_and_base_on_the_same_chunks()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        var general = await AddLiveAsync(new Scope(project.OrganizationId, null), HeldOutExample.Half);
        var live = await AddLiveAsync(project, HeldOutExample.Half);
        var before = _model.Asked.Count;
        var (run, endpoint) = await TuneAsync(project);
        _answers[endpoint] = HeldOutExample.Whole;

        await _world.PollAsync(run);

        var models = await ListAsync(run);
        Assert.Equal(
            [("self", run), ("live", live), ("general", general), ("base", (RunId?)null)],
            models.Select(each => (each.Subject.Role, each.Subject.ModelId)));
        Assert.Equal("live", Assert.Single(models, each => each.IsReference).Subject.Role);
        var asked = _model.Asked.Skip(before).GroupBy(each => each.Endpoint).ToList();
        Assert.Equal(4, asked.Count);
        Assert.All(asked, each => Assert.Equal(
            _documents.Select(document => document.Text).Order(StringComparer.Ordinal),
            each.Select(question => question.Text).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Number_cost_and_calls_at_once_are_bounded()
    {
        // A call is 1,000 tokens in and 100 out: 1,000 × 2 + 100 × 10 millionths of a dollar, and thrice that for a tuned model.
        _world.Catalogue = Catalogues.Of(new BaseModel
        {
            Id = "gemini-3.1-flash-lite",
            Tunable = true,
            ContinuousTuning = true,
            ServingLocations = new Dictionary<string, string> { ["us-central1"] = "us" },
            TrainingPrice = 3,
            InputPrice = 2,
            OutputPrice = 10,
            TunedPriceMultiplier = 3,
        });
        // Nobody gets an answer before three have asked; those that would be too many have a moment to show themselves.
        var three = new CountdownEvent(3);
        var together = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _model.Delay = async token =>
        {
            if (!three.IsSet && three.Signal())
            {
                together.SetResult();
            }

            await together.Task.WaitAsync(Patience.Limit, token);
            await Task.Delay(2, token);
        };
        _world.Evaluation = new() { MaxChunks = 7, Concurrency = 3 };
        var (byNumber, _) = await TuneAsync(await _world.AddScopeAsync());
        await _world.PollAsync(byNumber);
        Assert.Equal(14, _model.Asked.Count);
        Assert.Equal(3, _model.Most);
        Assert.Equal([0.063m, 0.021m], (await ListAsync(byNumber)).Select(each => each.CostUsd));

        // The estimate is of short texts: what the calls really cost ends it, at a whole chunk and what was on its way.
        _world.Evaluation = new() { MaxUsd = 0.04m, Concurrency = 1 };
        var (byCost, _) = await TuneAsync(await _world.AddScopeAsync());
        await _world.PollAsync(byCost);

        Assert.Equal([4, 4], (await ListAsync(byCost)).Select(each => each.Answers));
        Assert.Equal(RunState.Succeeded, (await _world.FindAsync(byCost)).State);
    }

    [Fact]
    public async Task A_worker_that_dies_leaves_its_answers_to_the_next_one()
    {
        _world.Evaluation = new() { Concurrency = 1 };
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        _answers[endpoint] = HeldOutExample.Whole;

        await _world.DieAtAsync(Failpoint.EvaluationAnswerStored, () => _world.PollAsync(run));
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(3), Stop);
        await _world.SweepAndDeliverAsync();

        Assert.Equal(ModelVerdict.Better, (await _world.FindModelAsync(run))!.Verdict);
        Assert.Equal(48, _model.Asked.Count);
        Assert.Equal(48, _model.Asked.Distinct().Count());
    }

    [Fact]
    public async Task A_long_evaluation_goes_on_in_the_next_delivery()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        _world.Evaluation = new() { SliceTime = TimeSpan.FromMinutes(4), Concurrency = 1 };
        var (run, _) = await TuneAsync(await _world.AddScopeAsync(), documents: 2);
        _world.Time = time;
        _model.Delay = _ =>
        {
            time.Advance(TimeSpan.FromMinutes(4)); // one call takes a whole slice
            return Task.CompletedTask;
        };

        await _world.PollOnceAsync(run);
        var deliveries = 0;
        while ((await _world.FindAsync(run)).State != RunState.Succeeded)
        {
            Assert.InRange(++deliveries, 1, 5);
            Assert.IsType<StepOutcome.Done>(await _world.PollOnceAsync(run));
        }

        Assert.Equal(4, deliveries);
        Assert.Equal(4, _model.Asked.Distinct().Count());
        Assert.Equal(5, _world.Published.Topics.Count(topic => topic == "tuning-started")); // one is TrainFunction's, one the first
    }

    [Fact]
    public async Task A_live_model_whose_endpoint_is_gone_leaves_its_place_to_the_next_tier()
    {
        var scope = await _world.AddScopeAsync();
        var live = await AddLiveAsync(scope, HeldOutExample.Half);
        var gone = (await _world.FindModelAsync(live))!.VertexEndpoint!;
        _answers[gone] = _ => throw Gone(gone, StatusCode.NotFound);
        var (run, endpoint) = await TuneAsync(scope);
        _answers[endpoint] = HeldOutExample.Whole;

        await _world.PollAsync(run);

        var models = await ListAsync(run);
        var dead = models.Single(each => each.Subject.Role == "live");
        Assert.Equal(($"{gone}: NotFound", 0), (dead.Subject.Problem, dead.Answers));
        Assert.Equal("base", models.Single(each => each.IsReference).Subject.Role);
        Assert.Equal(ModelVerdict.Better, (await _world.FindModelAsync(run))!.Verdict);
    }

    [Fact]
    public async Task Calls_that_fail_are_made_again_and_those_that_are_answered_are_not()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync(), documents: 3);
        _answers[endpoint] = _ => throw new RpcException(new Status(StatusCode.ResourceExhausted, "quota"));
        await _world.PollAsync(run);
        var waiting = await _world.FindAsync(run);
        Assert.Equal(RunState.Evaluating, waiting.State);
        Assert.StartsWith("3 of 6 answers to held-out chunks are missing: ", waiting.Reason, StringComparison.Ordinal);

        _answers[endpoint] = HeldOutExample.Whole;
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(3), Stop);
        await _world.SweepAndDeliverAsync();

        Assert.Equal(RunState.Succeeded, (await _world.FindAsync(run)).State);
        Assert.Equal(3 + 6, _model.Asked.Count);
    }

    [Fact]
    public async Task A_request_that_the_service_refuses_counts_as_an_answer_that_nobody_can_read()
    {
        var (run, _) = await TuneAsync(await _world.AddScopeAsync());
        _answers[Base] = _ => throw new RpcException(new Status(StatusCode.InvalidArgument, "too long"));

        await _world.PollAsync(run);

        Assert.Equal(0, (await ListAsync(run)).Single(each => each.Subject.Role == "base").Scores!.ValidRate);
        Assert.Equal(ModelVerdict.Better, (await _world.FindModelAsync(run))!.Verdict);
    }

    [Fact]
    public async Task A_model_that_never_answers_is_worse_when_its_time_is_over()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        _answers[endpoint] = _ => throw new RpcException(new Status(StatusCode.Unavailable, "no replica"));
        await _world.PollAsync(run);

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(7), Stop);
        await _world.SweepAsync();

        var model = await _world.FindModelAsync(run);
        Assert.Equal((ModelStatus.Deprecated, ModelVerdict.Worse), (model!.Status, model.Verdict));
        Assert.Matches(@"^0 of (\d+) answers are readable, down from \1;", model.VerdictReason);
        Assert.Equal(RunState.Succeeded, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task When_nobody_answers_the_paid_model_is_not_thrown_away()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        foreach (var name in (string[])[endpoint, Base])
        {
            _answers[name] = _ => throw new RpcException(new Status(StatusCode.Unavailable, "no replica"));
        }

        await _world.PollAsync(run);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(7), Stop);
        await _world.SweepAsync();

        var model = await _world.FindModelAsync(run);
        Assert.Equal((ModelStatus.Ready, ModelVerdict.NoEvidence), (model!.Status, model.Verdict));
    }

    [Fact]
    public async Task Answers_that_cannot_be_read_are_worse()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        _answers[endpoint] = document => document == _documents[0] || document == _documents[1] ? NoJson : HeldOutExample.Whole(document);

        await _world.PollAsync(run);

        var model = await _world.FindModelAsync(run);
        Assert.Equal(ModelVerdict.Worse, model!.Verdict);
        Assert.StartsWith("22 of 24 answers are readable, down from 24;", model.VerdictReason, StringComparison.Ordinal);
        Assert.Equal(
            2L, await _world.Rows.ScalarAsync<long>(
                "select count(*) from ml.evaluation_answers where problem = 'it has not the form that was asked for'", Stop));
    }

    [Fact]
    public async Task While_all_spending_is_stopped_nothing_is_asked()
    {
        var (run, _) = await TuneAsync(await _world.AddScopeAsync());
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        await db.StopSpendingAsync("tester", "bill", TimeProvider.System.GetUtcNow(), Stop);

        await _world.PollAsync(run);
        Assert.Equal("all spending is stopped: bill", (await _world.FindAsync(run)).Reason);
        Assert.Empty(_model.Asked);

        await db.ResumeSpendingAsync("tester", TimeProvider.System.GetUtcNow(), Stop);
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(11), Stop);
        await _world.SweepAndDeliverAsync();
        Assert.Equal(RunState.Succeeded, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task What_the_month_has_no_money_for_is_not_asked_and_waits_until_the_deadline()
    {
        var scope = await _world.AddScopeAsync();
        var live = await AddLiveAsync(scope, HeldOutExample.Half);
        var before = _model.Asked.Count;
        var (run, endpoint) = await TuneAsync(scope);
        _answers[endpoint] = HeldOutExample.Whole;
        await LimitAsync(scope, 0);

        await _world.PollAsync(run);

        var waiting = await _world.FindAsync(run);
        Assert.Equal(RunState.Evaluating, waiting.State);
        Assert.Matches(
            @"^what is left of the comparison is estimated at 0\.\d+ USD; with 0\.\d+ USD already committed in .* it would pass the "
            + "organization's monthly limit of 0.00 USD$",
            waiting.Reason);
        Assert.Equal(before, _model.Asked.Count);

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(7), Stop);
        await _world.SweepAsync();

        // Nothing is known of the new one, and the old one stays.
        Assert.Equal(ModelStatus.Ready, (await _world.FindModelAsync(live))!.Status);
        var ended = await _world.FindAsync(run);
        Assert.Equal(RunState.Succeeded, ended.State);
        Assert.StartsWith(
            "not in use, no evidence that it is better: no held-out chunk was answered in time: what is left of the comparison is "
            + "estimated at",
            ended.Reason, StringComparison.Ordinal);
        Assert.Equal(before, _model.Asked.Count);
    }

    [Fact]
    public async Task An_evaluation_goes_on_when_somebody_raises_the_limit()
    {
        var scope = await _world.AddScopeAsync();
        var (run, endpoint) = await TuneAsync(scope);
        _answers[endpoint] = HeldOutExample.Whole;
        await LimitAsync(scope, 0);
        await _world.PollAsync(run);
        Assert.Empty(_model.Asked);

        await _world.Rows.ExecuteAsync("update ml.training_schedules set monthly_limit_usd = 50", Stop);
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(11), Stop);
        await _world.SweepAndDeliverAsync();

        Assert.Equal(ModelVerdict.Better, (await _world.FindModelAsync(run))!.Verdict);
    }

    [Fact]
    public async Task Its_answers_count_in_the_month_once_each_by_model()
    {
        var scope = await _world.AddScopeAsync();
        _world.Evaluation = new() { MaxChunks = 4 };
        var (run, _) = await TuneAsync(scope);
        await _world.PollAsync(run);
        await _world.PollAsync(run);

        // 1,000 tokens in and 100 out, at 0.25 and 1.50 a million, which these models cost tuned as well.
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        var spending = await db.ReadSpendingAsync(
            scope.OrganizationId, _world.Terms, TimeProvider.System.GetUtcNow(), Stop);
        Assert.Equal((8 * 0.0004m, 0m), (spending.EvaluationUsd, spending.ExtractionUsd));
        Assert.Equal(
            "base gemini-3.1-flash-lite 4 4000 400, tuned gemini-3.1-flash-lite 4 4000 400",
            await _world.Rows.ScalarAsync<string>(
                """
                select string_agg(format('%s %s %s %s %s', case when is_tuned then 'tuned' else 'base' end, base_model, calls,
                                         input_tokens, output_tokens), ', ' order by is_tuned)
                from   ml.monthly_tokens where kind = 'evaluation'
                """,
                Stop));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_model_without_a_price_is_compared_only_where_no_limit_is(bool isUnlimited)
    {
        var scope = await _world.AddScopeAsync();
        _world.Catalogue = Catalogues.Of(Catalogues.Model("gemini-3.1-flash-lite", servingPrice: null));
        if (isUnlimited)
        {
            await LimitAsync(scope, null);
        }

        var (run, _) = await TuneAsync(scope);
        await _world.PollAsync(run);

        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        var spending = await db.ReadSpendingAsync(
            scope.OrganizationId, _world.Terms, TimeProvider.System.GetUtcNow(), Stop);
        if (isUnlimited)
        {
            Assert.Equal(RunState.Succeeded, (await _world.FindAsync(run)).State);
            Assert.Equal([new UnpricedUse(SpendingKind.Evaluation, "gemini-3.1-flash-lite")], spending.Unpriced);
            return;
        }

        Assert.Equal(
            (RunState.Evaluating,
            "what answers of gemini-3.1-flash-lite cost is not known, and the organization has a monthly limit of 100.00 USD (the "
            + "installation's default): set InputPrice and OutputPrice of gemini-3.1-flash-lite in BaseModels:Models"),
            ((await _world.FindAsync(run)).State, (await _world.FindAsync(run)).Reason));
        Assert.Empty(_model.Asked);
    }

    [Fact]
    public async Task A_model_in_use_that_changed_meanwhile_is_not_replaced()
    {
        var scope = await _world.AddScopeAsync();
        var old = await AddLiveAsync(scope, HeldOutExample.Half);
        var live = await AddLiveAsync(scope, HeldOutExample.Half);
        _world.Evaluation = new() { Concurrency = 1 };
        var (run, endpoint) = await TuneAsync(scope);
        _answers[endpoint] = HeldOutExample.Whole;
        _world.At(Failpoint.EvaluationAnswerStored, () => _world.PromoteAsync(old, "the new one drops names"));

        await _world.PollAsync(run);

        Assert.Equal(ModelStatus.Deprecated, (await _world.FindModelAsync(run))!.Status);
        Assert.Equal(ModelStatus.Ready, (await _world.FindModelAsync(old))!.Status);
        Assert.Equal(ModelStatus.Deprecated, (await _world.FindModelAsync(live))!.Status);
        Assert.Equal(
            "not in use: somebody changed the model in use while this one was evaluated against the one before",
            (await _world.FindAsync(run)).Reason);
    }

    [Fact]
    public async Task A_cancellation_ends_the_questions()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        _world.Evaluation = new() { Concurrency = 1 };
        var (run, _) = await TuneAsync(await _world.AddScopeAsync());
        await _world.PollOnceAsync(run);
        _world.Time = time;
        _world.At(Failpoint.EvaluationAnswerStored, async () =>
        {
            await _world.CancelAsync(run);

            // The next question gets no answer; before it would, the lease is to be kept.
            _model.Delay = token => Task.Delay(Timeout.Infinite, token);
            time.Advance(_world.Settings.Lease);
        });

        Assert.IsType<StepOutcome.AlreadyDone>(await _world.PollOnceAsync(run));
        Assert.Single(_model.Asked);
        _model.Delay = _ => Task.CompletedTask;
        await _world.PollAsync(run);

        Assert.Equal(RunState.Cancelled, (await _world.FindAsync(run)).State);
        Assert.Equal(ModelStatus.Failed, (await _world.FindModelAsync(run))!.Status);
    }

    [Fact]
    public async Task A_slow_model_does_not_cost_the_lease()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var (run, _) = await TuneAsync(await _world.AddScopeAsync(), documents: 2);
        await _world.PollOnceAsync(run);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _model.Delay = token =>
        {
            asked.TrySetResult();
            return answered.Task.WaitAsync(token);
        };
        _world.Time = time;

        var first = _world.PollOnceAsync(run);
        await asked.Task.WithPatience();
        for (var third = 0; third < 6; third++)
        {
            var before = await LeaseUntilAsync(run);
            await _world.Clock.AdvanceAsync(_world.Settings.Lease / 3, Stop);
            time.Advance(_world.Settings.Lease / 3);
            await Patience.UntilAsync(async () => await LeaseUntilAsync(run) > before, () => "the lease is not kept");
        }

        Assert.IsType<StepOutcome.AlreadyDone>(await _world.PollOnceAsync(run));
        answered.SetResult();
        await first.WithPatience();

        Assert.Equal(4, _model.Asked.Count);
        Assert.Equal(RunState.Succeeded, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task Who_promotes_a_worse_model_says_why_and_it_stands_in_the_audit_log()
    {
        var scope = await _world.AddScopeAsync();
        await AddLiveAsync(scope, HeldOutExample.Whole);
        var (run, endpoint) = await TuneAsync(scope);
        _answers[endpoint] = HeldOutExample.Half;
        await _world.PollAsync(run);

        Assert.IsType<PromotionOutcome.ReasonNeeded>(await _world.PromoteAsync(run, " "));
        Assert.Equal(ModelStatus.Deprecated, (await _world.FindModelAsync(run))!.Status);

        Assert.IsType<PromotionOutcome.Promoted>(await _world.PromoteAsync(run, "the held-out documents are old"));
        Assert.Equal(ModelStatus.Ready, (await _world.FindModelAsync(run))!.Status);
        Assert.Equal(
            $"promote-model model {run}, evaluated as worse: entity F1 −0.333 (−0.333 to −0.333); relationship F1 −1.000 "
            + "(−1.000 to −1.000) the held-out documents are old",
            (await AuditAsync(run))[^1]);
    }

    [Fact]
    public async Task Nobody_promotes_a_model_that_is_being_evaluated()
    {
        var (run, _) = await TuneAsync(await _world.AddScopeAsync());
        await _world.PollOnceAsync(run);
        _answers[Base] = _ => throw new RpcException(new Status(StatusCode.Unavailable, "away"));
        await _world.PollOnceAsync(run);
        Assert.NotNull((await _world.FindModelAsync(run))!.VertexEndpoint);

        var refused = Assert.IsType<PromotionOutcome.Refused>(await _world.PromoteAsync(run, "at once"));

        Assert.Contains("is not done", refused.Reason, StringComparison.Ordinal);
        Assert.Equal(ModelStatus.Training, (await _world.FindModelAsync(run))!.Status);
    }

    [Fact]
    public async Task A_general_model_that_is_promoted_late_is_news_to_the_schedules()
    {
        _world.Evaluation = new() { PromoteWithoutEvidence = false };
        var (run, _) = await TuneAsync(await _world.AddScopeAsync());
        await _world.PollAsync(run);
        await _world.PromoteAsync(run, "it knows the new types");
        await _world.PromoteAsync(run, "again");

        Assert.Equal(2L, await _world.Rows.ScalarAsync<long>(
            $"select count(*) from ml.outbox where topic = 'training-finished' and run_id = '{run}'", Stop));
    }

    [Fact]
    public async Task A_live_model_that_does_not_answer_keeps_its_place_and_a_permission_that_is_gone_does_not()
    {
        var scope = await _world.AddScopeAsync();
        var live = (await _world.FindModelAsync(await AddLiveAsync(scope, HeldOutExample.Whole)))!.VertexEndpoint!;
        _answers[live] = _ => throw new RpcException(new Status(StatusCode.ResourceExhausted, "quota"));
        _world.Evaluation = new() { PromoteWithoutEvidence = false, Concurrency = 1 };
        var (silent, endpoint) = await TuneAsync(scope);
        _answers[endpoint] = HeldOutExample.Whole;
        await _world.PollAsync(silent);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(7), Stop);
        await _world.SweepAsync();
        Assert.Equal(
            (ModelVerdict.NoEvidence, "the live model has answered no held-out chunk"),
            ((await _world.FindModelAsync(silent))!.Verdict, (await _world.FindModelAsync(silent))!.VerdictReason));

        _answers[live] = _ => throw Gone(live, StatusCode.PermissionDenied);
        var (forbidden, other) = await TuneAsync(scope);
        _answers[other] = HeldOutExample.Whole;
        await _world.PollAsync(forbidden);
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(3), Stop);
        await _world.SweepAndDeliverAsync();
        Assert.Equal(ModelVerdict.Better, (await _world.FindModelAsync(forbidden))!.Verdict);
        Assert.Equal(8, _model.Asked.Count(asked => asked.Endpoint == live) - 8);
    }

    [Fact]
    public async Task What_is_worse_than_the_base_model_is_kept_back_whatever_the_live_one_says()
    {
        var scope = await _world.AddScopeAsync();
        await AddLiveAsync(scope, HeldOutExample.Half);
        _answers[Base] = HeldOutExample.Whole;
        var (run, _) = await TuneAsync(scope);

        await _world.PollAsync(run);

        var model = await _world.FindModelAsync(run);
        Assert.Equal((ModelStatus.Deprecated, ModelVerdict.Worse), (model!.Status, model.Verdict));
        Assert.StartsWith("than the base model: entity F1 −0.333", model.VerdictReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_is_asked_about_documents_that_a_compared_model_has_learnt_from()
    {
        var scope = await _world.AddScopeAsync();
        var live = await AddLiveAsync(scope, HeldOutExample.Half);
        await _world.Rows.ExecuteAsync(
            $"""
            insert into ml.dataset_examples (dataset_id, organization_id, job_id, chunk_id, document_id, split, content_hash)
            select dataset_id, organization_id, gen_random_uuid(), gen_random_uuid(), '{_documents[3].Origin.DocumentId}',
                   'train', sha256('x')
            from   ml.fine_tuned_models
            where  id = '{live}'
            """,
            Stop);
        var (run, endpoint) = await TuneAsync(scope);
        _answers[endpoint] = HeldOutExample.Whole;

        await _world.PollAsync(run);

        Assert.DoesNotContain(_model.Asked, asked => asked.Text == _documents[3].Text);
        Assert.Equal(23, (await ListAsync(run))[0].Scores!.Chunks);
    }

    [Fact]
    public async Task A_general_model_that_changed_meanwhile_counts_as_well()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        var general = new Scope(project.OrganizationId, null);
        var old = await AddLiveAsync(general, HeldOutExample.Half);
        await AddLiveAsync(general, HeldOutExample.Half);
        _world.Evaluation = new() { Concurrency = 1 };
        var (run, endpoint) = await TuneAsync(project);
        _answers[endpoint] = HeldOutExample.Whole;
        _world.At(Failpoint.EvaluationAnswerStored, () => _world.PromoteAsync(old, "back"));

        await _world.PollAsync(run);

        Assert.StartsWith("not in use: somebody changed", (await _world.FindAsync(run)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_stop_of_all_spending_counts_against_nobody()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        _answers[endpoint] = HeldOutExample.Whole;
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        await db.StopSpendingAsync("tester", "bill", TimeProvider.System.GetUtcNow(), Stop);
        await _world.PollAsync(run);
        for (var hour = 0; hour < 8; hour++)
        {
            await _world.Clock.AdvanceAsync(TimeSpan.FromHours(1), Stop);
            await _world.SweepAndDeliverAsync();
        }

        Assert.Equal(RunState.Evaluating, (await _world.FindAsync(run)).State);
        await db.ResumeSpendingAsync("tester", TimeProvider.System.GetUtcNow(), Stop);
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(11), Stop);
        await _world.SweepAndDeliverAsync();
        Assert.Equal(ModelVerdict.Better, (await _world.FindModelAsync(run))!.Verdict);
    }

    [Fact]
    public async Task A_decision_that_is_overdue_needs_neither_vertex_nor_the_file()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        _answers[endpoint] = document => document == _documents[5]
            ? throw new RpcException(new Status(StatusCode.Internal, "again and again"))
            : HeldOutExample.Whole(document);
        await _world.PollAsync(run);
        await _world.Store.DeleteAsync(
            DatasetUri.NameOf((await _world.FindDatasetAsync(run)).TestUri!), generation: null, Stop);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(7), Stop);
        _world.Vertex.Faults.Script(
            Local.VertexAi.VertexMethod.GetTuningJob,
            [.. Enumerable.Repeat(new Local.VertexAi.VertexAnswer.Refuse(StatusCode.Internal, "broken"), 8)]);

        await _world.SweepAsync();

        var model = await _world.FindModelAsync(run);
        Assert.Equal((ModelStatus.Ready, ModelVerdict.Better), (model!.Status, model.Verdict));
    }

    [Fact]
    public async Task Answers_that_are_there_are_shown_when_the_file_is_gone_and_bring_nothing_live()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        _answers[endpoint] = document => document == _documents[5]
            ? throw new RpcException(new Status(StatusCode.Internal, "again and again"))
            : NoJson;
        await _world.PollAsync(run);
        await _world.Store.DeleteAsync(
            DatasetUri.NameOf((await _world.FindDatasetAsync(run)).TestUri!), generation: null, Stop);
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(3), Stop);

        await _world.SweepAndDeliverAsync();

        Assert.Equal(ModelVerdict.Worse, (await _world.FindModelAsync(run))!.Verdict);
    }

    [Fact]
    public async Task When_the_new_model_fails_the_others_are_not_paid_for_meanwhile()
    {
        _world.Evaluation = new() { Concurrency = 1 };
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        _answers[endpoint] = _ => throw new RpcException(new Status(StatusCode.Unavailable, "no replica"));

        await _world.PollAsync(run);

        Assert.Equal(RunState.Evaluating, (await _world.FindAsync(run)).State);
        Assert.InRange(_model.Asked.Count, 15, 16);
    }

    // Null: no limit at all.
    private Task LimitAsync(Scope scope, decimal? limit) => _world.Rows.ExecuteAsync(
        FormattableString.Invariant(
            $"""
            insert into ml.training_schedules (id, organization_id, monthly_limit_usd, no_monthly_limit, created_at, updated_at)
            values (gen_random_uuid(), '{scope.OrganizationId}', {(object?)limit ?? "null"}, {limit is null}, now(), now())
            """),
        Stop);

    private Task<DateTime> LeaseUntilAsync(RunId run) =>
        _world.Rows.ScalarAsync<DateTime>($"select lease_until from ml.training_runs where id = '{run}'", Stop);

    private static ExtractionModelGoneException Gone(string endpoint, StatusCode status) =>
        new($"{endpoint}: {status}", new RpcException(new Status(status, "gone")));

    private const string Somebody =
        """{"entities":[{"type":"Person","name":"Nobody","description":"Not in the text at all."}],"relationships":[]}""";

    /// <summary>A run whose tuning job is done, and nothing after that.</summary>
    private Task<(RunId Run, string Endpoint)> TuneAsync(Scope scope, int documents = 24) =>
        TuneAsync(scope, _documents[..documents]);

    private async Task<(RunId Run, string Endpoint)> TuneAsync(Scope scope, HeldOutExample[] heldOut)
    {
        var run = await _world.AddExportedRunAsync(scope, heldOut: heldOut);
        await _world.TrainAsync(run);
        return (run, (await _world.FinishJobAsync(run)).Endpoint!); // it has succeeded
    }

    private async Task<RunId> AddLiveAsync(Scope scope, Func<HeldOutExample, string> answer)
    {
        var run = await _world.AddReadyModelAsync(scope);
        _answers[(await _world.FindModelAsync(run))!.VertexEndpoint!] = answer; // it is ready
        return run;
    }

    private async Task<Guid> AddAdminAsync(Scope scope)
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        return await _world.Rows.ScalarAsync<Guid>(
            $"""
            with person as (
                insert into core.user_profiles (zitadel_user_id) values ('{Guid.NewGuid()}') returning id
            )
            insert into kb.organization_memberships (organization_id, user_id, role)
            select '{scope.OrganizationId}', id, 'org_admin' from person
            returning user_id
            """,
            Stop);
    }

    private async Task<IReadOnlyList<EvaluatedModel>> ListAsync(RunId run)
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        return await db.ListEvaluatedModelsAsync(run, Stop);
    }

    private async Task<string[]> AuditAsync(RunId run) => (await _world.Rows.ScalarAsync<string>(
        $"""
        select string_agg(concat_ws(' ', action, subject, reason), E'\n' order by id)
        from   ml.audit_log
        where  subject like '%{run}%' and action like '%model%'
        """,
        Stop)).Split('\n');

    private static string Words(EvaluatedModel model) => FormattableString.Invariant(
        $"{model.Subject.Role} {model.Scores!.Chunks} {model.Scores.Entities.F1} {model.Scores.ValidRate == 1} {model.Comparison?.Entities?.Difference:+0.000}{(model.IsReference ? " reference" : "")}");
}
