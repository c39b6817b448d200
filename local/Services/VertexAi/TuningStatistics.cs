using System.Globalization;
using FeedbackLoop.Local.VertexAi.Learning;
using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>Counts a dataset while it is read, and drops what is too long as the real service does: silently.</summary>
internal sealed class TuningStatistics(int maxExampleTokens)
{
    private const int BatchSize = 8;
    private const int MostReportedDrops = 100;

    private readonly List<int> _inputs = [];
    private readonly List<int> _outputs = [];
    private readonly List<int> _messages = [];
    private readonly SupervisedTuningDataStats _stats = new();

    /// <param name="index">From 1.</param>
    /// <returns>False for an example that is dropped.</returns>
    public bool Count(TuningLine line, long index)
    {
        _stats.TuningDatasetExampleCount++;
        _stats.TotalTuningCharacterCount += line.Characters;
        var tokens = TuningLine.Tokens(line.Characters);
        if (tokens > maxExampleTokens)
        {
            _stats.TotalTruncatedExampleCount++;
            if (_stats.TruncatedExampleIndices.Count < MostReportedDrops)
            {
                _stats.TruncatedExampleIndices.Add(index);
                _stats.DroppedExampleReasons.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The example has {tokens} tokens; at most {maxExampleTokens} are allowed."));
            }

            return false;
        }

        var output = TuningLine.Tokens(line.Model.Length);
        _outputs.Add(output);
        _inputs.Add(tokens - output);
        _messages.Add(line.Messages);
        return true;
    }

    /// <summary>
    /// The billable tokens are those of one epoch: whether the real count is already multiplied is not documented.
    /// </summary>
    public SupervisedTuningDataStats Finish(long epochs)
    {
        var result = _stats.Clone();
        result.TotalBillableTokenCount = _inputs.Sum(each => (long)each) + _outputs.Sum(each => (long)each);
        result.TuningStepCount = epochs * ((_inputs.Count + BatchSize - 1) / BatchSize);
        result.UserInputTokenDistribution = Distribution(_inputs);
        result.UserOutputTokenDistribution = Distribution(_outputs);
        result.UserMessagePerExampleDistribution = Distribution(_messages);
        return result;
    }

    private static SupervisedTuningDatasetDistribution Distribution(List<int> values)
    {
        if (values.Count == 0)
        {
            return new SupervisedTuningDatasetDistribution();
        }

        values.Sort();
        var sum = values.Sum(each => (long)each);
        return new SupervisedTuningDatasetDistribution
        {
            Sum = sum,
            BillableSum = sum,
            Min = values[0],
            Max = values[^1],
            Mean = (double)sum / values.Count,
            Median = values[values.Count / 2],
            P5 = values[values.Count * 5 / 100],
            P95 = values[values.Count * 95 / 100],
        };
    }
}
