using System.CommandLine;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli.Arguments;

/// <summary>What becomes an example: the same options for an export and for a training.</summary>
internal sealed class CriteriaOptions
{
    private static readonly ExportCriteria Defaults = new();

    private readonly Option<double> _minConfidence = Share(
        "--min-confidence", "Lowest confidence that counts as verified without a person.", Defaults.MinConfidence,
        nameof(ExportCriteria.MinConfidence));

    private readonly Option<bool> _humanReviewedOnly = new("--human-reviewed-only")
    {
        Description = "Take only what a person has reviewed.",
    };

    private readonly Option<bool> _countOwnAcceptances = new("--count-own-acceptances")
    {
        Description = "Take also what our own tuned models found and the product accepted without a person.",
    };

    private readonly Option<double> _maxEmptyShare = Share(
        "--max-empty-share", "Most texts with nothing to find, as a share of the train and validation examples.",
        Defaults.MaxEmptyShare, nameof(ExportCriteria.MaxEmptyShare));

    private readonly Option<PiiPolicy> _pii = ChoiceOption.Create(
        "--pii", "What happens to an example with personal data.", Defaults.Pii);

    private readonly Option<double> _validationShare = Share(
        "--validation-share", "Share of the documents whose examples validate.", Defaults.ValidationShare,
        nameof(ExportCriteria.ValidationShare));

    private readonly Option<long> _seed = LimitedOption.Create(
        "--seed", "Decides split and order: the same seed and data give the same bytes.", Defaults.Seed, long.MinValue,
        long.MaxValue);

    private readonly Option<int?> _minExamples;

    public CriteriaOptions()
    {
        var (min, max) = LimitedOption.LimitsOf<int>(typeof(ExportCriteria), nameof(ExportCriteria.MinExamples));
        _minExamples = LimitedOption.CreateOptional(
            "--min-examples",
            "Refuse fewer examples than this. [default: 100 for an organization, 50 for a project]", min, max);
        _seed.HelpName = "NUMBER";
    }

    public IEnumerable<Option> All =>
    [
        _minConfidence, _humanReviewedOnly, _countOwnAcceptances, _maxEmptyShare, _pii, _validationShare, _seed, _minExamples,
    ];

    public ExportCriteria Read(ParseResult arguments) => new()
    {
        MinConfidence = arguments.GetValue(_minConfidence),
        HumanReviewedOnly = arguments.GetValue(_humanReviewedOnly),
        CountOwnAcceptances = arguments.GetValue(_countOwnAcceptances),
        MaxEmptyShare = arguments.GetValue(_maxEmptyShare),
        Pii = arguments.GetValue(_pii),
        ValidationShare = arguments.GetValue(_validationShare),
        Seed = arguments.GetValue(_seed),
        MinExamples = arguments.GetValue(_minExamples),
    };

    private static Option<double> Share(string name, string description, double defaultValue, string property)
    {
        var (min, max) = LimitedOption.LimitsOf<double>(typeof(ExportCriteria), property);
        return LimitedOption.Create(name, description, defaultValue, min, max);
    }
}
