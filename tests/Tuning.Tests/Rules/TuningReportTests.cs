using System.Text.Json;

namespace FeedbackLoop.Tuning.Tests.Rules;

public sealed class TuningReportTests
{
    private static readonly TuningStatistics Counted = new(
        Examples: 120, BillableTokens: 1_000_000, Steps: 40, DroppedExamples: 1, DroppedIndices: [7],
        DroppedReasons: ["too long"]);

    [Theory]
    [InlineData(1_000_000, 1, 3.00)]
    [InlineData(1_000_000, 5, 15.00)]
    [InlineData(1, 1, 0.0001)]
    public void A_job_has_cost_counted_tokens_times_epochs_times_price(long tokens, int epochs, decimal usd) =>
        Assert.Equal(
            usd, TuningCost.ActualUsd(Counted with { BillableTokens = tokens }, epochs, Catalogues.Model("m")));

    [Fact]
    public void Nobody_knows_the_cost_when_Vertex_chose_the_epochs() =>
        Assert.Null(TuningCost.ActualUsd(Counted, epochs: null, Catalogues.Model("m")));

    [Fact]
    public void Nobody_knows_the_cost_before_Vertex_has_counted() =>
        Assert.Null(TuningCost.ActualUsd(Counted with { BillableTokens = 0 }, epochs: 3, Catalogues.Model("m")));

    [Fact]
    public void Statistics_come_back_as_they_were_stored()
    {
        var read = TuningStatistics.FromJson(Counted.ToJson());

        Assert.Equivalent(Counted, read, strict: true);
    }

    [Fact]
    public void Statistics_are_read_in_the_databases_own_spelling()
    {
        const string stored =
            """
            {"steps": 40, "examples": 120, "billableTokens": 9000, "droppedExamples": 0, "droppedIndices": [], "droppedReasons": []}
            """;

        Assert.Equal(9000, TuningStatistics.FromJson(stored)?.BillableTokens);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    public void A_job_without_statistics_has_none(string? json) => Assert.Null(TuningStatistics.FromJson(json));

    [Fact]
    public void Statistics_with_a_part_missing_are_refused() =>
        Assert.Throws<JsonException>(() => TuningStatistics.FromJson("""{"examples": 120}"""));

    [Fact]
    public void A_job_has_a_page_in_the_console() =>
        Assert.Equal(
            "https://console.cloud.google.com/vertex-ai/tuning/locations/us-central1/tuningJob/42?project=acme-prod",
            TuningConsole.JobPage("projects/acme-prod/locations/us-central1/tuningJobs/42")?.AbsoluteUri);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("projects/p/locations/l/tuningJobs/")]
    [InlineData("projects/p/locations/l/models/42")]
    [InlineData("projects/p/locations/l/tuningJobs/42/more")]
    public void What_is_no_job_has_no_page(string? name) => Assert.Null(TuningConsole.JobPage(name));

    [Fact]
    public void A_name_cannot_leave_the_page_of_the_console() =>
        Assert.Equal(
            "https://console.cloud.google.com/vertex-ai/tuning/locations/l%3Fx/tuningJob/42%23y?project=p%26q",
            TuningConsole.JobPage("projects/p&q/locations/l?x/tuningJobs/42#y")?.AbsoluteUri);
}
