using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Tuning.Tests.Rules;

public sealed class CatalogueTests
{
    private static readonly DateOnly Today = new(2026, 11, 25);

    [Fact]
    public void The_catalogue_that_is_deployed_holds_together()
    {
        using var services = Services("appsettings.json");

        var catalogue = services.GetRequiredService<IOptions<BaseModelCatalogue>>().Value;

        Assert.Equal("gemini-3.1-flash-lite", catalogue.GetDefault().Id);
        Assert.Null(catalogue.CheckTuning("gemini-3.1-flash-lite", "us-central1", true, 16, Today));
        Assert.Null(catalogue.CheckTuning("gemini-3.5-flash", "europe-west4", true, null, Today));
        Assert.Equal("us", catalogue.ServingLocation("gemini-3.5-flash", "us-central1"));
        Assert.Equal("eu", catalogue.ServingLocation("gemini-3.5-flash", "europe-west4"));
        Assert.Equal("us-central1", catalogue.ServingLocation("gemini-2.5-flash", "us-central1"));
        Assert.Equal(new DateOnly(2027, 5, 19), catalogue.Get("gemini-3.5-flash").RetiresOn);
        Assert.Equal(
            "gemini-2.5-pro was retired on 2026-10-20; use gemini-3.5-flash",
            catalogue.CheckTuning("gemini-2.5-pro", "us-central1", false, null, Today));
        Assert.Equal(
            TimeSpan.FromHours(72), services.GetRequiredService<IOptions<TuningOptions>>().Value.TuningDeadline);
    }

    [Fact]
    public void Each_refusal_says_what_is_wrong_and_what_to_use()
    {
        var catalogue = Catalogues.Of(
            Catalogues.Model("good"), Catalogues.Model("fixed", tunable: false, successor: "good"),
            Catalogues.Model("once", continuous: false),
            Catalogues.Model("closing", blockedFrom: Today, retiresOn: Today.AddDays(30), successor: "good"));

        Assert.Equal(
            "other is not in the catalogue of base models, which has good, fixed, once, closing", Check("other"));
        Assert.Equal("fixed cannot be tuned; use good", Check("fixed"));
        Assert.Equal("closing takes no tuning jobs since 2026-11-25; use good", Check("closing"));
        Assert.Null(catalogue.CheckTuning("closing", "us-central1", false, null, Today.AddDays(-1)));
        Assert.Equal(
            "closing was retired on 2026-12-25; use good",
            catalogue.CheckTuning("closing", "us-central1", false, null, Today.AddDays(30)));
        Assert.Equal(
            "good cannot be tuned in asia-east1, but in us-central1, europe-west4",
            catalogue.CheckTuning("good", "asia-east1", false, null, Today));
        Assert.Equal(
            "a model tuned from once cannot be tuned further",
            catalogue.CheckTuning("once", "us-central1", true, null, Today));
        Assert.Equal(
            "good takes no adapter size 32, but 1, 2, 4, 8, 16",
            catalogue.CheckTuning("good", "us-central1", false, 32, Today));

        string? Check(string id) => catalogue.CheckTuning(id, "us-central1", false, null, Today);
    }

    [Theory]
    [InlineData("BaseModels:DefaultId", "gemini-9")]
    [InlineData("BaseModels:Models:0:Id", "gemini-3.5-flash")]
    [InlineData("BaseModels:Models:2:Successor", "gemini-9")]
    [InlineData("BaseModels:Models:1:TrainingPrice", "-1")]
    [InlineData("BaseModels:Models:0:Tunable", "false")]
    public void A_catalogue_that_contradicts_itself_does_not_start(string key, string value)
    {
        using var services = Services("appsettings.json", new() { [key] = value });

        Assert.Throws<OptionsValidationException>(
            () => services.GetRequiredService<IOptions<BaseModelCatalogue>>().Value);
    }

    [Theory]
    [InlineData("Tuning:QuietTime", "01:59:59")]
    [InlineData("Tuning:LongestPauseBeforeCall", "00:00:31")]
    [InlineData("Tuning:AssumedEpochs", "0")]
    public void Times_that_break_the_protocol_do_not_start(string key, string value)
    {
        using var services = Services("appsettings.json", new() { [key] = value });

        Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<TuningOptions>>().Value);
    }

    [Theory]
    [InlineData(1_000_000, null, 12.00)]
    [InlineData(1_000_000, 2, 6.00)]
    [InlineData(1, 1, 0.0001)]
    [InlineData(0, 3, 0)]
    public void A_job_costs_tokens_times_epochs_times_price(long tokens, int? epochs, decimal usd) =>
        Assert.Equal(usd, TuningCost.EstimateUsd(tokens, epochs, assumedEpochs: 4, Catalogues.Model("m")));

    private static ServiceProvider Services(string file, Dictionary<string, string?>? changes = null)
    {
        var configuration = new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(AppContext.BaseDirectory, file))
            .AddInMemoryCollection(changes)
            .Build();
        return new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddTuning().BuildServiceProvider();
    }
}
