namespace FeedbackLoop.Tuning.Tests;

internal static class Catalogues
{
    public static BaseModelCatalogue Usual { get; } = Of(
        Model("gemini-3.1-flash-lite"), Model("gemini-3.5-flash", trainingPrice: 10),
        Model("gemini-2.5-flash", retiresOn: new DateOnly(2026, 10, 20), successor: "gemini-3.5-flash"));

    public static BaseModelCatalogue Of(params BaseModel[] models) => new() { DefaultId = models[0].Id, Models = models };

    public static BaseModel Model(
        string id, bool tunable = true, bool continuous = true, DateOnly? retiresOn = null, DateOnly? blockedFrom = null,
        string? successor = null, decimal? trainingPrice = 3, decimal? servingPrice = 0.25m) => new()
        {
            Id = id,
            Tunable = tunable,
            ContinuousTuning = continuous,
            ServingLocations = new Dictionary<string, string> { ["us-central1"] = "us", ["europe-west4"] = "eu" },
            AdapterSizes = [1, 2, 4, 8, 16],
            TrainingPrice = trainingPrice,
            InputPrice = servingPrice,
            OutputPrice = servingPrice * 6,
            RetiresOn = retiresOn,
            TuningBlockedFrom = blockedFrom,
            Successor = successor,
            Thinking = ThinkingSetting.Minimal,
        };
}
