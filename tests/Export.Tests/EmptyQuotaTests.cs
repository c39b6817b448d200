using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;

namespace FeedbackLoop.Export.Tests;

/// <summary>How many texts with nothing to find go to the files, whatever comes in whatever order.</summary>
public sealed class EmptyQuotaTests
{
    private const int Seeds = 400;

    [Fact]
    public void Texts_with_nothing_to_find_keep_their_share_at_each_line()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var share = random.NextDouble() * 0.9;
            var quota = new EmptyQuota(share, waitingBytes: random.Next(0, 200_000));
            var (withContent, empty) = (0L, 0L);
            foreach (var line in Written(quota, Lines(random)).Where(line => line.Origin.Split != DocumentSplit.Test))
            {
                withContent += line.Example.IsEmpty ? 0 : 1;
                empty += line.Example.IsEmpty ? 1 : 0;
                Assert.True(
                    empty <= EmptyShare.Limit(withContent, share), $"seed {seed}: {empty} empty beside {withContent}");
            }
        }
    }

    [Fact]
    public void Each_line_is_written_once_or_counted_as_surplus_and_only_empty_ones_are_left_out()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var quota = new EmptyQuota(random.NextDouble() * 0.9, waitingBytes: random.Next(0, 200_000));
            var lines = Lines(random);

            var written = Written(quota, lines).ConvertAll(line => line.Origin.JobId);

            Assert.Equal(written.Count, written.Distinct().Count());
            Assert.Equal(lines.Count, written.Count + quota.Surplus);
            Assert.Empty(lines
                .Where(line => !line.Example.IsEmpty || line.Origin.Split == DocumentSplit.Test)
                .Select(line => line.Origin.JobId)
                .Except(written));
        }
    }

    [Fact]
    public void With_room_to_wait_as_many_are_written_as_the_share_allows()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var share = random.NextDouble() * 0.9;
            var lines = Lines(random);
            var sides = lines
                .Where(line => line.Origin.Split != DocumentSplit.Test)
                .ToLookup(line => line.Example.IsEmpty);

            var written = Written(new EmptyQuota(share, waitingBytes: int.MaxValue), lines)
                .Count(line => line.Origin.Split != DocumentSplit.Test);

            Assert.Equal(EmptyShare.Examples(sides[false].Count(), sides[true].Count(), share), written);
        }
    }

    [Fact]
    public void The_one_that_waits_longest_goes_first_and_is_the_line_that_came_though_its_buffer_has_been_used_again()
    {
        var buffer = new byte[100];
        buffer.AsSpan().Fill(1);
        var quota = new EmptyQuota(0.5);

        Assert.False(quota.Passes(Line(isEmpty: true, DocumentSplit.Train, buffer)));
        buffer.AsSpan().Fill(2);
        Assert.False(quota.Passes(Line(isEmpty: true, DocumentSplit.Validation, buffer)));
        Assert.Equal(2, quota.Surplus);
        var next = quota.Written(Line(isEmpty: false, DocumentSplit.Train, new byte[1]));

        Assert.All(Assert.IsType<ExampleLine>(next).Line.ToArray(), each => Assert.Equal(1, each));
        Assert.Null(quota.Written(next));
        Assert.Equal(1, quota.Surplus);
    }

    [Fact]
    public void What_waits_is_bounded_by_its_bytes()
    {
        var quota = new EmptyQuota(0.5, waitingBytes: 10_000);

        for (var i = 0; i < 1_000; i++)
        {
            Assert.False(quota.Passes(Line(isEmpty: true, DocumentSplit.Train, new byte[1_000])));
        }

        var content = Enumerable.Range(0, 100)
            .Select(_ => Line(isEmpty: false, DocumentSplit.Train, new byte[1]))
            .ToList();

        Assert.Equal(1_000, quota.Surplus);
        Assert.Equal(110, Written(quota, content).Count);
        Assert.Equal(990, quota.Surplus);
    }

    // As the export does: a line that passes stands in its file at once, and with it those that fit because of it.
    private static List<ExampleLine> Written(EmptyQuota quota, IEnumerable<ExampleLine> lines)
    {
        var written = new List<ExampleLine>();
        foreach (var line in lines.Where(quota.Passes))
        {
            for (var next = line; next is not null; next = quota.Written(next))
            {
                written.Add(next);
            }
        }

        return written;
    }

    private static List<ExampleLine> Lines(Random random)
    {
        var (empty, test) = (random.NextDouble(), random.NextDouble() * 0.3);
        return
        [
            .. Enumerable.Range(0, random.Next(0, 300)).Select(_ => Line(
                random.NextDouble() < empty,
                random.NextDouble() < test ? DocumentSplit.Test
                : random.Next(4) == 0 ? DocumentSplit.Validation
                : DocumentSplit.Train,
                new byte[random.Next(1, 2_000)])),
        ];
    }

    private static ExampleLine Line(bool isEmpty, string side, byte[] bytes) => new(
        new TrainingExample("", isEmpty ? [] : [new("", "", "", null, default)], []), default,
        new ExampleOrigin(Guid.NewGuid(), default, default, side, []), bytes, bytes.Length);
}
