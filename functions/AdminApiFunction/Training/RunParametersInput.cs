using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Training;

/// <summary>Which verified objects become examples. What is left out has the default of the installation.</summary>
/// <param name="MinConfidence">Lowest confidence that counts without a person, 0 to 1.</param>
/// <param name="HumanReviewedOnly">Only what a person has reviewed.</param>
/// <param name="CountOwnAcceptances">
/// What one of our own tuned models found, and the product accepted without a person, counts too.
/// </param>
/// <param name="MaxEmptyShare">Most texts with nothing to find, of the train and validation examples, 0 to 0.5.</param>
/// <param name="RequireName">An object without a name is left out.</param>
/// <param name="DescriptionLongerThan">Characters; −1 takes all.</param>
/// <param name="MaxUndecidedShare">Of a chunk's objects, 0 to 1.</param>
/// <param name="Pii">What is done with an example in which personal data was found.</param>
/// <param name="MaxTokens">Longer examples are left out.</param>
/// <param name="ValidationShare">Of the documents, 0 to 0.23; at most a quarter of the training bytes validates.</param>
/// <param name="Seed">Decides split and order.</param>
/// <param name="MinExamples">Fewest examples worth a run.</param>
internal sealed record ExportInput(
    double? MinConfidence = null,
    bool? HumanReviewedOnly = null,
    bool? CountOwnAcceptances = null,
    double? MaxEmptyShare = null,
    bool? RequireName = null,
    int? DescriptionLongerThan = null,
    double? MaxUndecidedShare = null,
    PiiPolicy? Pii = null,
    int? MaxTokens = null,
    double? ValidationShare = null,
    long? Seed = null,
    int? MinExamples = null)
{
    public ExportCriteria ToCriteria()
    {
        var usual = new ExportCriteria();
        return usual with
        {
            MinConfidence = MinConfidence ?? usual.MinConfidence,
            HumanReviewedOnly = HumanReviewedOnly ?? usual.HumanReviewedOnly,
            CountOwnAcceptances = CountOwnAcceptances ?? usual.CountOwnAcceptances,
            MaxEmptyShare = MaxEmptyShare ?? usual.MaxEmptyShare,
            RequireName = RequireName ?? usual.RequireName,
            DescriptionLongerThan = DescriptionLongerThan ?? usual.DescriptionLongerThan,
            MaxUndecidedShare = MaxUndecidedShare ?? usual.MaxUndecidedShare,
            Pii = Pii ?? usual.Pii,
            MaxTokens = MaxTokens ?? usual.MaxTokens,
            ValidationShare = ValidationShare ?? usual.ValidationShare,
            Seed = Seed ?? usual.Seed,
            MinExamples = MinExamples,
        };
    }
}

/// <summary>How the model is tuned. What is left out is chosen by Vertex, and the base model by the installation.</summary>
internal sealed record TuningInput(
    string? BaseModel = null, int? Epochs = null, double? LearningRateMultiplier = null, int? AdapterSize = null)
{
    public TuningParameters ToParameters() => new()
    {
        BaseModel = BaseModel,
        Epochs = Epochs,
        LearningRateMultiplier = LearningRateMultiplier,
        AdapterSize = AdapterSize,
    };
}
