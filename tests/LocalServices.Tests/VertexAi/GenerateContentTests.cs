using FeedbackLoop.Local.VertexAi.Learning;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;

namespace FeedbackLoop.Local.VertexAi;

public sealed class GenerateContentTests : VertexAiTestBase
{
    private const string Base = "projects/demo/locations/us/publishers/google/models/gemini-3.1-flash-lite";

    [Fact]
    public async Task An_answer_has_text_usage_and_the_version_of_the_model()
    {
        var answer = await AskAsync(Base, "On Monday Ada Marsh came to Hall Seven.");

        var candidate = Assert.Single(answer.Candidates);
        Assert.Equal(Candidate.Types.FinishReason.Stop, candidate.FinishReason);
        Assert.NotEmpty(ExtractionText.Read(candidate.Content.Parts[0].Text)!.Entities);
        Assert.Equal("gemini-3.1-flash-lite", answer.ModelVersion);
        Assert.True(answer.UsageMetadata.PromptTokenCount > 0 && answer.UsageMetadata.CandidatesTokenCount > 0);
    }

    [Fact]
    public async Task A_tuned_model_finds_more_in_notes_that_it_has_not_seen_than_the_base_model()
    {
        await PutDatasetAsync(examples: 100);
        var job = await TuneAsync();
        var held = StaffNotes.Write(30, seed: 99);

        var tuned = await ScoreAsync(job.TunedModel.Endpoint, held);
        var baseline = await ScoreAsync(Base, held);

        Assert.True(tuned > 0.9, $"tuned {tuned:F3}");
        Assert.True(tuned > baseline + 0.2, $"tuned {tuned:F3}, base {baseline:F3}");
    }

    [Fact]
    public async Task A_tuned_endpoint_answers_in_its_region_and_in_the_multi_region_around_it()
    {
        await PutDatasetAsync();
        var job = await TuneAsync();
        var endpoint = job.TunedModel.Endpoint;

        Assert.Equal(job.TunedModel.Model, (await AskAsync(endpoint, "x")).ModelVersion);
        Assert.Equal(
            job.TunedModel.Model,
            (await AskAsync(endpoint.Replace("us-central1", "us", StringComparison.Ordinal), "x")).ModelVersion);
        var elsewhere = await RefusalOfAsync(
            () => AskAsync(endpoint.Replace("us-central1", "eu", StringComparison.Ordinal), "x"));
        Assert.Equal(StatusCode.NotFound, elsewhere.StatusCode);
    }

    [Fact]
    public async Task A_removed_endpoint_is_not_found_although_its_job_still_names_it()
    {
        await PutDatasetAsync();
        var job = await TuneAsync();
        Server.RemoveEndpoint(job.TunedModel.Endpoint);

        Assert.Equal(
            StatusCode.NotFound, (await RefusalOfAsync(() => AskAsync(job.TunedModel.Endpoint, "x"))).StatusCode);
        Assert.Equal(job.TunedModel.Endpoint, (await GetAsync(job.Name)).TunedModel.Endpoint);
    }

    [Theory]
    [InlineData("projects/demo/locations/us/models/123@1", StatusCode.InvalidArgument)]
    [InlineData("gemini-3.5-flash", StatusCode.InvalidArgument)]
    [InlineData("projects/demo/locations/us/endpoints/123", StatusCode.NotFound)]
    [InlineData("publishers/google/models/gemini-1.0-pro", StatusCode.NotFound)]
    public async Task A_name_that_is_no_model_to_call_is_refused(string model, StatusCode status)
    {
        Assert.Equal(status, (await RefusalOfAsync(() => AskAsync(model, "x"))).StatusCode);
    }

    [Fact]
    public async Task An_answer_longer_than_allowed_is_cut_off()
    {
        var answer = await Prediction.GenerateContentAsync(
            new GenerateContentRequest
            {
                Model = Base,
                SystemInstruction = new Content { Parts = { new Part { Text = StaffNotes.System } } },
                Contents = { new Content { Role = "user", Parts = { new Part { Text = "So Ada Marsh came." } } } },
                GenerationConfig = new GenerationConfig { MaxOutputTokens = 5 },
            },
            cancellationToken: Cancel);

        Assert.Equal(Candidate.Types.FinishReason.MaxTokens, answer.Candidates[0].FinishReason);
        Assert.Equal(20, answer.Candidates[0].Content.Parts[0].Text.Length);
    }

    [Fact]
    public async Task Streaming_is_not_there()
    {
        using var call = Prediction.StreamGenerateContent(
            new GenerateContentRequest { Model = Base }, cancellationToken: Cancel);

        var error = await RefusalOfAsync(() => call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.Unimplemented, error.StatusCode);
    }

    [Fact]
    public async Task Tuning_on_top_of_a_model_keeps_what_that_model_knows()
    {
        await PutDatasetAsync(examples: 100);
        var general = await TuneAsync();
        await PutAsync("run-1/train.jsonl", StaffNotes.File(5, seed: 3));

        var alone = await TuneAsync(job => job.TunedModelDisplayName = "alone");
        var onTop = await TuneAsync(job =>
        {
            job.PreTunedModel = new PreTunedModel { TunedModelName = general.TunedModel.Model };
            job.TunedModelDisplayName = "project";
        });

        var held = StaffNotes.Write(30, seed: 99);
        Assert.True(
            await ScoreAsync(onTop.TunedModel.Endpoint, held) > await ScoreAsync(alone.TunedModel.Endpoint, held));
        Assert.Equal("gemini-3.1-flash-lite", onTop.PreTunedModel.BaseModel);
        Assert.EndsWith("@1", onTop.TunedModel.Model, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tuning_under_the_same_display_name_makes_the_next_version()
    {
        await PutDatasetAsync();
        var first = await TuneAsync();

        var second = await TuneAsync(
            job => job.PreTunedModel = new PreTunedModel { TunedModelName = first.TunedModel.Model });

        Assert.Equal(first.TunedModel.Model.Replace("@1", "@2", StringComparison.Ordinal), second.TunedModel.Model);
    }

    private async Task<double> ScoreAsync(string model, IReadOnlyList<(string Text, Learning.Extraction Answer)> notes)
    {
        var (right, given, wanted) = (0, 0, 0);
        foreach (var (text, answer) in notes)
        {
            var said = await AskAsync(model, text);
            var found = ExtractionText.Read(said.Candidates[0].Content.Parts[0].Text)!;
            var truth = answer.Entities.Select(each => (each.Type, each.Name)).ToHashSet();
            given += found.Entities.Count;
            wanted += truth.Count;
            right += found.Entities.Count(each => truth.Contains((each.Type, each.Name)));
        }

        return 2.0 * right / (given + wanted);
    }
}
