using FeedbackLoop.Datasets;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Extraction;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Grpc.Core;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>What a new model must show before it replaces one that is in use.</summary>
public sealed class GoingLiveTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Base = "base";

    private readonly Dictionary<string, Func<HeldOutExample, string>> _answers = [];
    private readonly HeldOutExample[] _documents = HeldOutExample.Documents(24);
    private World _world = null!; // these two are set before each test
    private ScriptedModel _model = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(postgres);
        _model = new ScriptedModel((endpoint, text) =>
            _answers.GetValueOrDefault(endpoint ?? Base, HeldOutExample.Half)(_documents.Single(each => each.Text == text)));
        _world.Model = _model;
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData(5, ModelVerdict.NoEvidence)]
    [InlineData(6, ModelVerdict.Worse)]
    [InlineData(19, ModelVerdict.Worse)]
    public async Task Few_documents_are_enough_to_keep_a_model_back(int documents, string verdict)
    {
        var scope = await _world.AddScopeAsync();
        var live = await AddLiveAsync(scope, HeldOutExample.Whole);
        var (run, endpoint) = await TuneAsync(scope, documents);
        _answers[endpoint] = HeldOutExample.Half;

        await _world.PollAsync(run);

        var model = await FindAsync(run);
        Assert.Equal((ModelStatus.Deprecated, verdict), (model.Status, model.Verdict));
        Assert.Contains("entity F1 −0.333 (−0.333 to −0.333)", model.VerdictReason, StringComparison.Ordinal);
        Assert.Equal(ModelStatus.Ready, (await FindAsync(live)).Status);
    }

    [Fact]
    public async Task Where_a_tuned_model_is_in_use_no_evidence_keeps_the_new_one_back()
    {
        var scope = await _world.AddScopeAsync();
        var live = await AddLiveAsync(scope, HeldOutExample.Half);
        var (run, _) = await TuneAsync(scope);

        await _world.PollAsync(run);

        var model = await FindAsync(run);
        Assert.Equal((ModelStatus.Deprecated, ModelVerdict.NoEvidence), (model.Status, model.Verdict));
        Assert.Equal(
            "not in use, no evidence that it is better: entity F1 0.000 (0.000 to 0.000); relationship F1 0.000 (0.000 to 0.000)",
            (await _world.FindAsync(run)).Reason);
        Assert.Equal(ModelStatus.Ready, (await FindAsync(live)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_general_model_in_use_is_what_a_projects_first_model_would_replace(bool hasGeneral)
    {
        var project = await _world.AddScopeAsync(isProject: true);
        if (hasGeneral)
        {
            await AddLiveAsync(new Scope(project.OrganizationId, null), HeldOutExample.Half);
        }

        var (run, _) = await TuneAsync(project);

        await _world.PollAsync(run);

        Assert.Equal(
            (hasGeneral ? ModelStatus.Deprecated : ModelStatus.Ready, ModelVerdict.NoEvidence),
            ((await FindAsync(run)).Status, (await FindAsync(run)).Verdict));
    }

    [Theory]
    [InlineData(0, 200, "no document is held out")]
    [InlineData(24, 0, "evaluations are switched off")]
    public async Task A_model_that_nobody_could_compare_does_not_replace_one_in_use(int documents, int chunks, string reason)
    {
        var scope = await _world.AddScopeAsync();
        var live = await AddLiveAsync(scope, HeldOutExample.Half);
        _world.Evaluation = new() { MaxChunks = chunks };
        var (run, _) = await TuneAsync(scope, documents);

        await _world.PollAsync(run);

        var model = await FindAsync(run);
        Assert.Equal((ModelStatus.Deprecated, reason), (model.Status, model.VerdictReason));
        Assert.Equal(ModelStatus.Ready, (await FindAsync(live)).Status);
    }

    [Fact]
    public async Task A_model_that_could_not_be_asked_does_not_replace_one_in_use()
    {
        var scope = await _world.AddScopeAsync();
        var live = await AddLiveAsync(scope, HeldOutExample.Half);
        var (run, endpoint) = await TuneAsync(scope);
        foreach (var name in (string[])[endpoint, Base, (await FindAsync(live)).VertexEndpoint!])
        {
            _answers[name] = _ => throw new RpcException(new Status(StatusCode.Unavailable, "no replica"));
        }

        await _world.PollAsync(run);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(7), Stop);
        await _world.SweepAsync();

        var model = await FindAsync(run);
        Assert.Equal((ModelStatus.Deprecated, ModelVerdict.NoEvidence), (model.Status, model.Verdict));
        Assert.StartsWith("no held-out chunk was answered in time: ", model.VerdictReason, StringComparison.Ordinal);
        Assert.Equal(ModelStatus.Ready, (await FindAsync(live)).Status);
    }

    public static TheoryData<string> Losses => ["gone", "another version", "another content", "no example"];

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task A_held_out_file_that_cannot_be_read_keeps_the_first_model_back_as_well(string loss)
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        _answers[endpoint] = HeldOutExample.Whole;
        var name = DatasetUri.NameOf((await _world.FindDatasetAsync(run)).TestUri!); // it has one
        var says = await LoseAsync(loss, run, name);

        await _world.PollAsync(run);

        var (ended, model) = (await _world.FindAsync(run), await FindAsync(run));
        Assert.Equal((RunState.Succeeded, ModelStatus.Deprecated), (ended.State, model.Status));
        Assert.StartsWith($"the held-out file gs://datasets/{name} cannot be read: {says}", model.VerdictReason, StringComparison.Ordinal);
        Assert.Equal($"not in use, no evidence that it is better: {model.VerdictReason}", ended.Reason);
        Assert.Empty(_model.Asked);
    }

    [Fact]
    public async Task A_file_from_before_generations_were_recorded_is_known_by_its_hash()
    {
        var (run, endpoint) = await TuneAsync(await _world.AddScopeAsync());
        _answers[endpoint] = HeldOutExample.Whole;
        await _world.Rows.ExecuteAsync("update ml.datasets set test_generation = null", Stop);
        var name = DatasetUri.NameOf((await _world.FindDatasetAsync(run)).TestUri!); // it has one
        _world.Store.Put(name, System.Text.Encoding.UTF8.GetString(_world.Store.Find(name)!)); // it is there

        await _world.PollAsync(run);

        Assert.Equal(ModelVerdict.Better, (await FindAsync(run)).Verdict);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Small_losses_do_not_add_up_and_what_the_best_model_has_answered_is_not_paid_for_again(bool isGone)
    {
        var scope = await _world.AddScopeAsync();
        var best = await EvaluateAsync(scope, HeldOutExample.Whole);
        var live = await EvaluateAsync(scope, HeldOutExample.Half, promote: true);
        var address = (await FindAsync(best)).VertexEndpoint!;
        var asked = Asked(address);
        if (isGone)
        {
            _answers[address] = _ => throw new ExtractionModelGoneException(
                "deleted", new RpcException(new Status(StatusCode.NotFound, "gone")));
        }

        var run = await EvaluateAsync(scope, HeldOutExample.Half);

        var model = await FindAsync(run);
        Assert.Equal((ModelStatus.Deprecated, ModelVerdict.Worse), (model.Status, model.Verdict));
        Assert.Equal(
            "than version 1, the best that was ever in use here: entity F1 −0.333 (−0.333 to −0.333); relationship F1 −1.000 "
            + "(−1.000 to −1.000); than the live model: entity F1 0.000 (0.000 to 0.000); relationship F1 0.000 (0.000 to 0.000)",
            model.VerdictReason);
        Assert.Equal(asked, Asked(address));
        Assert.Equal(
            ["self", "live", "best", "base"], (await ListAsync(run)).Select(each => each.Subject.Role));
        var compared = (await ListAsync(run)).Single(each => each.Subject.Role == ComparedWith.Best);
        Assert.Equal((best, 24, 0m), (compared.Subject.ModelId!.Value, compared.Answers, compared.CostUsd));
        Assert.Equal(ModelStatus.Ready, (await FindAsync(live)).Status);
    }

    [Fact]
    public async Task The_best_model_is_asked_about_what_it_has_not_answered_and_is_compared_on_the_common_documents_when_it_is_gone()
    {
        var scope = await _world.AddScopeAsync();
        var best = await EvaluateAsync(scope, HeldOutExample.Whole, documents: 10);
        await EvaluateAsync(scope, HeldOutExample.Half, promote: true, documents: 10);
        var address = (await FindAsync(best)).VertexEndpoint!;
        var asked = Asked(address);

        var reachable = await EvaluateAsync(scope, HeldOutExample.Half, documents: 18);

        Assert.Equal(asked + 8, Asked(address));
        Assert.Equal(18, (await FindComparedAsync(reachable)).Comparison!.Documents);

        _answers[address] = _ => throw new ExtractionModelGoneException(
            "deleted", new RpcException(new Status(StatusCode.NotFound, "gone")));
        _world.Evaluation = new() { Concurrency = 1 };
        var gone = await EvaluateAsync(scope, HeldOutExample.Half, documents: 24);

        var compared = await FindComparedAsync(gone);
        Assert.Equal(("deleted", 18, 18), (compared.Subject.Problem, compared.Answers, compared.Comparison!.Documents));
        Assert.Equal(asked + 9, Asked(address));
        Assert.Equal(ModelVerdict.Worse, (await FindAsync(gone)).Verdict);
    }

    [Fact]
    public async Task Answers_to_a_text_whose_right_answer_has_changed_are_none_of_the_same_chunk()
    {
        var scope = await _world.AddScopeAsync();
        await EvaluateAsync(scope, HeldOutExample.Whole);
        await EvaluateAsync(scope, HeldOutExample.Half, promote: true);
        await _world.Rows.ExecuteAsync(
            "update ml.evaluation_answers set content_hash = case when position = 3 then sha256('other') end where position < 6", Stop);

        var run = await EvaluateAsync(scope, HeldOutExample.Half);

        // Those without a hash are from before it was kept.
        Assert.Equal(
            6L, await _world.Rows.ScalarAsync<long>(
                $"select count(*) from ml.evaluation_answers where model_id = '{run}' and compared_with = 'best' and input_tokens > 0", Stop));
    }

    [Fact]
    public async Task The_document_of_a_recorded_answer_is_that_of_today()
    {
        var scope = await _world.AddScopeAsync();
        await EvaluateAsync(scope, HeldOutExample.Whole);
        await EvaluateAsync(scope, HeldOutExample.Half, promote: true);
        await _world.Rows.ExecuteAsync(
            "update ml.evaluation_answers set score = jsonb_set(score, '{documentId}', to_jsonb(gen_random_uuid()))", Stop);

        var run = await EvaluateAsync(scope, HeldOutExample.Half);

        Assert.Equal(24, (await FindComparedAsync(run)).Comparison!.Documents);
    }

    [Fact]
    public async Task A_model_that_was_never_in_use_or_showed_itself_on_five_documents_is_not_the_best()
    {
        var scope = await _world.AddScopeAsync();
        await EvaluateAsync(scope, HeldOutExample.Whole, documents: 5);
        await EvaluateAsync(scope, HeldOutExample.Half, promote: true);
        var keptBack = await EvaluateAsync(scope, HeldOutExample.Half);
        Assert.Equal(ModelStatus.Deprecated, (await FindAsync(keptBack)).Status);
        await _world.Rows.ExecuteAsync(
            $"update ml.fine_tuned_models set evaluation_metrics = jsonb_set(evaluation_metrics, '{{entityF1}}', '1') where id = '{keptBack}'",
            Stop);

        var run = await EvaluateAsync(scope, HeldOutExample.Half);

        Assert.DoesNotContain(await ListAsync(run), each => each.Subject.Role == ComparedWith.Best);
    }

    [Fact]
    public async Task The_best_model_of_another_scope_is_none_of_this_one()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        var organization = new Scope(project.OrganizationId, null);
        await EvaluateAsync(organization, HeldOutExample.Whole);
        await EvaluateAsync(organization, HeldOutExample.Half, promote: true);

        var run = await EvaluateAsync(project, HeldOutExample.Half);

        Assert.Equal(["self", "general", "base"], (await ListAsync(run)).Select(each => each.Subject.Role));
    }

    private int Asked(string endpoint) => _model.Asked.Count(asked => asked.Endpoint == endpoint);

    /// <summary>A model from its training to the end of its evaluation.</summary>
    private async Task<RunId> EvaluateAsync(
        Scope scope, Func<HeldOutExample, string> answer, bool promote = false, int documents = 24)
    {
        var (run, endpoint) = await TuneAsync(scope, documents);
        _answers[endpoint] = answer;
        await _world.PollAsync(run);
        Assert.Equal(RunState.Succeeded, (await _world.FindAsync(run)).State);
        if (promote)
        {
            Assert.IsType<PromotionOutcome.Promoted>(await _world.PromoteAsync(run, "wanted"));
        }

        return run;
    }

    private async Task<EvaluatedModel> FindComparedAsync(RunId run) =>
        (await ListAsync(run)).Single(each => each.Subject.Role == ComparedWith.Best);

    private async Task<IReadOnlyList<EvaluatedModel>> ListAsync(RunId run)
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        return await db.ListEvaluatedModelsAsync(run, Stop);
    }

    private async Task<string> LoseAsync(string loss, RunId run, string name)
    {
        switch (loss)
        {
            case "gone":
                await _world.Store.DeleteAsync(name, generation: null, Stop);
                return $"{name} of generation ";
            case "another version":
                _world.Store.Put(name, string.Concat(_documents.Select(each => each.Line)));
                return $"{name} of generation ";
            case "another content":
                await _world.Rows.ExecuteAsync("update ml.datasets set test_generation = null", Stop);
                _world.Store.Put(name, string.Concat(_documents[..12].Select(each => each.Line)));
                return "it has SHA-256 ";
            default:
                var file = _world.Store.Put(name, string.Concat(_documents.Select(each => each.Line)) + "{}\n");
                await _world.Rows.ExecuteAsync(
                    $"update ml.datasets set test_generation = {file.Generation}, test_sha256 = '{file.Sha256}' where run_id = '{run}'",
                    Stop);
                return "line 24 of the held-out file is no example (";
        }
    }

    /// <summary>A run whose tuning job is done, and nothing after that.</summary>
    private async Task<(RunId Run, string Endpoint)> TuneAsync(Scope scope, int documents = 24)
    {
        var run = await _world.AddExportedRunAsync(scope, heldOut: _documents[..documents]);
        await _world.TrainAsync(run);
        return (run, (await _world.FinishJobAsync(run)).Endpoint!); // it has succeeded
    }

    private async Task<RunId> AddLiveAsync(Scope scope, Func<HeldOutExample, string> answer)
    {
        var run = await _world.AddReadyModelAsync(scope);
        _answers[(await FindAsync(run)).VertexEndpoint!] = answer; // it is ready
        return run;
    }

    private async Task<FineTunedModel> FindAsync(RunId run) => (await _world.FindModelAsync(run))!; // it is registered
}
