using System.CommandLine;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli.Arguments;

/// <summary>How Vertex tunes. What is left out, the service chooses.</summary>
internal sealed class TuningParameterOptions
{
    private readonly Option<string?> _baseModel = TextOption.Create(
        "--base-model",
        "Model of the catalogue to start from. [default: the catalogue's default; ignored on top of a general model]",
        "MODEL", maxLength: 100);

    private readonly Option<int?> _epochs;

    private readonly Option<double?> _learningRateMultiplier;

    private readonly Option<int?> _adapterSize = LimitedOption.CreateOneOf(
        "--adapter-size", "Size of what is trained beside the model.", typeof(TuningParameters),
        nameof(TuningParameters.AdapterSize));

    public TuningParameterOptions()
    {
        var (fewest, most) = LimitedOption.LimitsOf<int>(typeof(TuningParameters), nameof(TuningParameters.Epochs));
        _epochs = LimitedOption.CreateOptional("--epochs", "How often the examples are gone through.", fewest, most);
        var (slowest, fastest) = LimitedOption.LimitsOf<double>(
            typeof(TuningParameters), nameof(TuningParameters.LearningRateMultiplier));
        _learningRateMultiplier = LimitedOption.CreateOptional(
            "--learning-rate-multiplier", "Times the learning rate that the service recommends.", slowest, fastest);
    }

    public IEnumerable<Option> All => [_baseModel, _epochs, _learningRateMultiplier, _adapterSize];

    public TuningParameters Read(ParseResult arguments) => new()
    {
        BaseModel = arguments.GetValue(_baseModel),
        Epochs = arguments.GetValue(_epochs),
        LearningRateMultiplier = arguments.GetValue(_learningRateMultiplier),
        AdapterSize = arguments.GetValue(_adapterSize),
    };
}
