using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;

namespace FeedbackLoop.Export.Tests;

/// <summary>How much of a dataset is one person's decisions, whatever comes in whatever order.</summary>
public sealed class ContributorQuotaTests
{
    private const int Seeds = 400;

    [Fact]
    public void The_cap_is_the_largest_number_with_which_nobody_has_more_than_the_share()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            long[] counts = [.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => (long)random.Next(0, 1 << random.Next(1, 9)))];
            var (others, share) = ((long)random.Next(0, 60), random.NextDouble());

            var cap = ContributorShare.Cap(counts, others, share);

            bool Holds(long limit) =>
                limit <= (share * (others + counts.Sum(count => Math.Min(count, limit)))) + 1e-9;
            Assert.True(Holds(cap), $"seed {seed}: {cap}");
            for (var more = cap + 1; more <= counts.Max(); more++)
            {
                Assert.False(Holds(more), $"seed {seed}: {more} would do, and the cap is {cap}");
            }
        }
    }

    [Theory]
    [InlineData(new long[] { 900, 50, 50 }, 0, 0.5, 100)]
    [InlineData(new long[] { 900, 50, 50 }, 300, 0.5, 400)]
    [InlineData(new long[] { 400, 300, 300 }, 0, 0.5, 400)]
    [InlineData(new long[] { 50, 50, 50 }, 0, 0.34, 50)]
    [InlineData(new long[] { 900, 800, 10, 10 }, 0, 0.4, 40)]
    [InlineData(new long[] { 900, 50, 50 }, 0, 1, 900)]
    [InlineData(new long[0], 10, 0.5, 0)]
    public void What_a_share_comes_to(long[] counts, int others, double share, int cap) =>
        Assert.Equal(cap, ContributorShare.Cap(counts, others, share));

    [Fact]
    public void A_person_with_too_many_keeps_as_many_as_the_share_allows_and_the_others_keep_all()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var examples = Examples(("ada", 900), ("bob", 60), ("cleo", 40), (null, 100));

            var chosen = Contributors.Choose(examples, 0.5, seed);

            Assert.True(chosen.IsLimited);
            Assert.Equal(
                [200, 60, 40, 100],
                ((string?[])["ada", "bob", "cleo", null]).Select(person =>
                    examples.Count(each => each.Person == person && chosen.Takes(each.JobId, person))));
        }
    }

    [Fact]
    public void A_smaller_share_takes_some_of_the_same_and_another_seed_takes_others()
    {
        var examples = Examples(("ada", 900), ("bob", 60), ("cleo", 40));
        HashSet<Guid> Of(double share, long seed = 1)
        {
            var chosen = Contributors.Choose(examples, share, seed);
            return [.. examples.Where(each => each.Person == "ada" && chosen.Takes(each.JobId, "ada")).Select(each => each.JobId)];
        }

        Assert.Equal((100, 66), (Of(0.5).Count, Of(0.4).Count));
        Assert.Subset(Of(0.5), Of(0.4));
        Assert.Equal(Of(0.5), Of(0.5));
        Assert.NotEqual(Of(0.5), Of(0.5, seed: 2));
    }

    [Theory]
    [InlineData(0.5, 2)]
    [InlineData(1, 3)]
    public void Without_three_people_or_a_share_nobody_is_limited(double share, int people)
    {
        var examples = Examples([.. Enumerable.Range(0, people).Select(i => ((string?)$"p{i}", i == 0 ? 900 : 10))]);

        var chosen = Contributors.Choose(examples, share, seed: 1);

        Assert.False(chosen.IsLimited);
        Assert.All(examples, each => Assert.True(chosen.Takes(each.JobId, each.Person)));
    }

    [Fact]
    public void Nobody_has_more_than_the_share_of_the_files_and_each_line_is_written_once_or_counted()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var (lines, random) = Lines(seed);
            var share = ContributorShare.Smallest + (random.NextDouble() * (1 - ContributorShare.Smallest));
            var empty = new EmptyQuota(random.NextDouble() * 0.5, random.Next(0, 20_000));
            var contributors = new ContributorQuota(share, random.Next(0, 200_000));
            var validation = new ValidationQuota(random.Next(0, 100), random.Next(0, 50_000));
            var quotas = new ExampleQuotas(empty, contributors, validation);

            var written = lines.SelectMany(quotas.Pass).ToList();

            var learnt = written.Where(line => line.Origin.Split != DocumentSplit.Test).ToList();
            foreach (var person in learnt.Where(line => line.Contributor is not null).GroupBy(line => line.Contributor))
            {
                Assert.True(
                    person.Count() <= Math.Max(1, (share * learnt.Count) + 1e-9),
                    $"seed {seed}: {person.Key} has {person.Count()} of {learnt.Count}, and the share is {share}");
            }

            Assert.Equal(written.Count, written.DistinctBy(line => line.Origin.JobId).Count());
            Assert.Equal(lines.Count, written.Count + empty.Surplus + contributors.Surplus + validation.Surplus);
            Assert.Equal(
                lines.Count(line => line.Origin.Split == DocumentSplit.Test),
                written.Count(line => line.Origin.Split == DocumentSplit.Test));
            Assert.True(
                learnt.Count(line => line.Example.IsEmpty) <= EmptyShare.Limit(learnt.Count(line => !line.Example.IsEmpty), 0.5));
        }
    }

    [Fact]
    public void What_the_share_allows_is_not_left_out()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var (all, random) = Lines(seed);
            var lines = all.Where(line => line.Origin.Split == DocumentSplit.Train && !line.Example.IsEmpty).ToList();
            var share = ContributorShare.Smallest + (random.NextDouble() * (1 - ContributorShare.Smallest));
            var quotas = new ExampleQuotas(new(0.1), new(share), new(100));
            var people = lines.Where(line => line.Contributor is not null).GroupBy(line => line.Contributor).ToList();
            var cap = ContributorShare.Cap(
                [.. people.Select(person => (long)person.Count())], lines.Count(line => line.Contributor is null), share);

            var written = lines.SelectMany(quotas.Pass).CountBy(line => line.Contributor ?? "").ToDictionary();

            Assert.All(people, person => Assert.InRange(
                written.GetValueOrDefault(person.Key!), Math.Min(person.Count(), cap), Math.Max(1, cap))); // not null by the filter
        }
    }

    [Fact]
    public void A_line_that_waited_is_the_line_that_came_though_its_buffer_has_been_used_again()
    {
        var buffer = new byte[10];
        var quota = new ContributorQuota(0.5);
        Assert.Single(quota.Pass(Line("ada", DocumentSplit.Train, buffer)));
        buffer.AsSpan().Fill(1);
        Assert.Empty(quota.Pass(Line("ada", DocumentSplit.Train, buffer)));
        buffer.AsSpan().Fill(2);

        var released = quota.Pass(Line("bob", DocumentSplit.Train, buffer));
        quota.Written(released[0]);
        var last = quota.Written(Line("ada", DocumentSplit.Train, buffer))
            .Concat(quota.Written(Line(null, DocumentSplit.Train, buffer)));

        Assert.All(Assert.Single(last).Line.ToArray(), each => Assert.Equal(1, each));
    }

    private static List<(Guid JobId, string? Person)> Examples(params (string? Person, int Count)[] people)
    {
        var random = new Random(1);
        var bytes = new byte[16];
        return
        [
            .. people.SelectMany(each => Enumerable.Range(0, each.Count).Select(_ =>
            {
                random.NextBytes(bytes);
                return (new Guid(bytes), each.Person);
            })),
        ];
    }

    // From one person to six with very different numbers, in one order or mixed, and some that are nobody's.
    private static (IReadOnlyList<ExampleLine> Lines, Random Random) Lines(int seed)
    {
        var random = new Random(seed);
        var (validation, test, empty, nobody) =
            (random.NextDouble() * 0.4, random.NextDouble() * 0.3, random.NextDouble() * 0.3, random.NextDouble() * 0.3);
        var people = Enumerable.Range(0, random.Next(1, 7))
            .SelectMany(i => Enumerable.Repeat($"person {i}", random.Next(1, 1 << random.Next(1, 8))))
            .ToArray();
        if (random.Next(3) > 0)
        {
            random.Shuffle(people);
        }

        return (
            [
                .. people.Select(person => Line(
                    random.NextDouble() < nobody ? null : person,
                    random.NextDouble() < test ? DocumentSplit.Test
                    : random.NextDouble() < validation ? DocumentSplit.Validation
                    : DocumentSplit.Train,
                    new byte[random.Next(1, 2_000)],
                    isEmpty: random.NextDouble() < empty)),
            ],
            random);
    }

    private static ExampleLine Line(string? person, string side, byte[] bytes, bool isEmpty = false) => new(
        new TrainingExample("", isEmpty ? [] : [new ExampleEntity("", "", "", null, default)], []), default,
        new ExampleOrigin(Guid.NewGuid(), default, default, side, []), bytes, bytes.Length, person);
}
