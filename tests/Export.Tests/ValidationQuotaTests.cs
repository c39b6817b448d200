using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;

namespace FeedbackLoop.Export.Tests;

/// <summary>What may validate beside the examples that train, whatever comes in whatever order.</summary>
public sealed class ValidationQuotaTests
{
    private const int Seeds = 400;

    [Fact]
    public void At_most_a_quarter_of_the_training_bytes_validates_at_each_line()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var (lines, random) = Lines(seed);
            var quota = new ValidationQuota(ValidationLimits.MaxExamples, waitingBytes: random.Next(0, 200_000));
            var (train, validation) = (0L, 0L);
            foreach (var line in lines)
            {
                foreach (var each in quota.Pass(line))
                {
                    train += each.Origin.Split == DocumentSplit.Train ? each.Line.Length : 0;
                    validation += each.Origin.Split == DocumentSplit.Validation ? each.Line.Length : 0;
                    Assert.True(4 * validation <= train, $"seed {seed}: {validation} bytes validate beside {train}");
                }
            }
        }
    }

    [Fact]
    public void Each_line_is_written_once_or_counted_as_surplus_and_what_trains_is_never_left_out()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var (lines, random) = Lines(seed);
            var quota = new ValidationQuota(random.Next(0, 200), waitingBytes: random.Next(0, 200_000));

            var written = lines.SelectMany(quota.Pass).Select(line => line.Origin.JobId).ToList();

            Assert.Equal(written.Count, written.Distinct().Count());
            Assert.Equal(lines.Count, written.Count + quota.Surplus);
            Assert.Empty(lines
                .Where(line => line.Origin.Split != DocumentSplit.Validation)
                .Select(line => line.Origin.JobId)
                .Except(written));
        }
    }

    [Fact]
    public void A_line_that_waited_is_the_line_that_came_though_its_buffer_has_been_used_again()
    {
        var buffer = new byte[100];
        buffer.AsSpan().Fill(1);
        var quota = new ValidationQuota(ValidationLimits.MaxExamples);

        Assert.Empty(quota.Pass(Line(DocumentSplit.Validation, buffer)));
        buffer.AsSpan().Fill(2);
        Assert.Single(quota.Pass(Line(DocumentSplit.Train, new byte[399])));
        var written = quota.Pass(Line(DocumentSplit.Train, new byte[1]));

        Assert.Equal(2, written.Count);
        Assert.All(written[1].Line.ToArray(), each => Assert.Equal(1, each));
        Assert.Equal(0, quota.Surplus);
    }

    [Fact]
    public void A_long_text_does_not_keep_back_the_short_ones_behind_it()
    {
        var quota = new ValidationQuota(ValidationLimits.MaxExamples);

        Assert.Empty(quota.Pass(Line(DocumentSplit.Validation, new byte[175_000])));
        Assert.Empty(quota.Pass(Line(DocumentSplit.Validation, new byte[100])));
        var written = quota.Pass(Line(DocumentSplit.Train, new byte[400]));

        Assert.Equal([400, 100], written.Select(line => line.Line.Length));
        Assert.Equal(1, quota.Surplus);
    }

    [Fact]
    public void Without_lines_that_train_nothing_validates_and_little_is_kept()
    {
        var quota = new ValidationQuota(ValidationLimits.MaxExamples, waitingBytes: 10_000);

        for (var i = 0; i < 1_000; i++)
        {
            Assert.Empty(quota.Pass(Line(DocumentSplit.Validation, new byte[1_000])));
        }

        Assert.Equal(1_000, quota.Surplus);
        Assert.Equal(11, quota.Pass(Line(DocumentSplit.Train, new byte[4_000_000])).Count);
    }

    [Fact]
    public void Above_a_thousand_at_most_three_in_ten_of_the_training_examples_validate()
    {
        var quota = new ValidationQuota(ValidationLimits.MaxExamples);
        var written = Enumerable.Range(0, 2_000)
            .SelectMany(_ => quota.Pass(Line(DocumentSplit.Validation, new byte[1])))
            .Concat(Enumerable.Range(0, 4_000).SelectMany(_ => quota.Pass(Line(DocumentSplit.Train, new byte[1_000]))))
            .ToLookup(line => line.Origin.Split);

        Assert.Equal(1_200, written[DocumentSplit.Validation].Count());
        Assert.Null(ValidationLimits.Check(4_000, 4_000_000, 1_200, 1_200));
        Assert.NotNull(ValidationLimits.Check(4_000, 4_000_000, 1_201, 1_201));
    }

    // Shares and sizes that no installation has, and some that have nothing to train on or one long text.
    private static (IReadOnlyList<ExampleLine> Lines, Random Random) Lines(int seed)
    {
        var random = new Random(seed);
        var (validation, test) = (random.NextDouble(), random.NextDouble() * 0.3);
        var longest = 1 << random.Next(1, 16);
        var lines = Enumerable.Range(0, random.Next(0, 300))
            .Select(_ => Line(
                random.NextDouble() < test ? DocumentSplit.Test
                : random.NextDouble() < validation ? DocumentSplit.Validation
                : DocumentSplit.Train,
                new byte[random.Next(50) == 0 ? 175_000 : random.Next(1, longest + 1)]))
            .ToList();
        return (lines, random);
    }

    private static ExampleLine Line(string side, byte[] bytes) => new(
        new TrainingExample("", [], []), default, new ExampleOrigin(Guid.NewGuid(), default, default, side, []), bytes,
        bytes.Length);
}
