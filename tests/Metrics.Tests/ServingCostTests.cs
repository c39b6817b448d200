using FeedbackLoop.Selection;
using FeedbackLoop.Tuning;

namespace FeedbackLoop.Metrics.Tests;

/// <summary>Tokens to US dollars, or to "not known".</summary>
public sealed class ServingCostTests
{
    private static readonly BaseModelCatalogue Catalogue = new()
    {
        DefaultId = "priced",
        Models =
        [
            new() { Id = "priced", InputPrice = 0.25m, OutputPrice = 1.50m, TunedPriceMultiplier = 1.5m },
            new() { Id = "unpriced" },
        ],
    };

    [Theory]
    [InlineData(ModelTier.Base, 4.0)]
    [InlineData(ModelTier.General, 6.0)]
    [InlineData(ModelTier.Project, 6.0)]
    public void A_tuned_model_costs_its_multiple(string tier, double usd) =>
        Assert.Equal((decimal)usd, ServingCost.Usd(tier, "priced", new(4_000_000, 2_000_000), Catalogue));

    [Theory]
    [InlineData("unpriced")]
    [InlineData("retired")]
    [InlineData(null)]
    public void Without_a_price_the_cost_is_not_known(string? model) =>
        Assert.Null(ServingCost.Usd(ModelTier.Base, model, new(1, 0), Catalogue));

    [Fact]
    public void No_tokens_cost_nothing_whatever_the_price() =>
        Assert.Equal(0m, ServingCost.Usd(ModelTier.Base, null, default, Catalogue));

    [Theory]
    [InlineData(null, null, true)]
    [InlineData(1.0, 2.0, true)]
    [InlineData(1.0, null, false)]
    [InlineData(null, 2.0, false)]
    [InlineData(0.0, 2.0, false)]
    public void A_catalogue_names_both_prices_or_none_and_no_0(double? input, double? output, bool isValid)
    {
        var catalogue = new BaseModelCatalogue
        {
            DefaultId = "model",
            Models =
            [
                new()
                {
                    Id = "model",
                    Tunable = true,
                    ServingLocations = new Dictionary<string, string> { ["us-central1"] = "us" },
                    InputPrice = (decimal?)input,
                    OutputPrice = (decimal?)output,
                },
            ],
        };

        Assert.Equal(
            isValid,
            new BaseModelCatalogueValidator().Validate(null, catalogue).Succeeded
                && new BaseModelCatalogueRules().Validate(null, catalogue).Succeeded);
    }
}
