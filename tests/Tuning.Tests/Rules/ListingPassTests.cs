using CsCheck;

namespace FeedbackLoop.Tuning.Tests.Rules;

public sealed class ListingPassTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddYears(50);

    [Fact]
    public void Until_its_end_a_list_proves_nothing_and_then_everything()
    {
        var pass = ListingPass.Begin(Start);
        Assert.False(pass.Proves(Start));

        pass = pass.Add(Page("next", 3), []);
        Assert.False(pass.Proves(Start));
        Assert.Equal(("next", 1, false), (pass.PageToken, pass.Jobs, pass.IsAtEnd));

        Assert.True(pass.Add(Page("", 2), []).Proves(Start.AddYears(-40)));
    }

    [Fact]
    public void Newest_first_is_proven_by_twenty_falls_and_past_the_run_by_an_hour()
    {
        // Hours 100, 99, … before the start; the run was created at hour 50.
        var run = Start.AddHours(50);
        Assert.True(Falling(100, down: 48).Proves(run));
        Assert.False(Falling(100, down: 49).Proves(run));
        Assert.False(Falling(67, down: 48).Proves(run)); // past the run, by nineteen falls
        Assert.True(Falling(68, down: 48).Proves(run));
    }

    [Fact]
    public void One_rise_on_whichever_page_is_enough_to_read_on()
    {
        var pass = Falling(100, down: 40);
        Assert.True(pass.Proves(Start.AddHours(50)));

        Assert.False(pass.Add(Page("next", 41, 39), []).Proves(Start.AddHours(50)));
        Assert.False(pass.Add(Page("next", 39, 38, 38.1), []).Proves(Start.AddHours(50)));
        Assert.True(pass.Add(Page("next", 40, 39, 39), []).Proves(Start.AddHours(50)));
    }

    [Fact]
    public void Oldest_first_and_jobs_of_one_moment_prove_nothing()
    {
        Assert.False(ListingPass.Begin(Start)
            .Add(Page("next", [.. Enumerable.Range(0, 100).Select(hour => (double)hour)]), []).Proves(Start.AddHours(500)));
        Assert.False(ListingPass.Begin(Start)
            .Add(Page("next", [.. Enumerable.Repeat(1.0, 100)]), []).Proves(Start.AddHours(500)));
    }

    [Fact]
    public void A_job_without_a_create_time_says_nothing_of_an_order()
    {
        var page = Page("next", 30, 29);
        page = page with { Jobs = [.. page.Jobs, page.Jobs[0] with { Name = "x", CreatedAt = DateTimeOffset.UnixEpoch }] };

        Assert.False(Falling(100, down: 40).Add(page, []).Proves(Start.AddHours(50)));
    }

    /// <summary>Whatever the order, pages and run: what a pass proves to be read is read.</summary>
    [Fact]
    public void What_is_proven_is_so_in_every_sorted_list_however_it_is_cut_into_pages() =>
        Gen.Select(Gen.Int[0, 300].List[0, 200], Gen.Int[1, 60], Gen.Int[0, 300], Gen.Bool).Sample((hours, size, run, isNewestFirst) =>
        {
            var sorted = isNewestFirst ? hours.OrderDescending().ToList() : [.. hours.Order()];
            var pages = sorted.Chunk(size).ToList();
            var pass = ListingPass.Begin(Start);
            var read = 0;
            for (var page = 0; page < pages.Count && !pass.Proves(Start.AddHours(run)); page++)
            {
                pass = pass.Add(Page(page == pages.Count - 1 ? "" : "next", [.. pages[page].Select(hour => (double)hour)]), []);
                read += pages[page].Length;
            }

            Assert.DoesNotContain(sorted.Skip(read), hour => hour >= run);
        });

    [Fact]
    public void A_restart_forgets_everything_but_what_was_found_and_is_counted()
    {
        var job = Job(7);
        var pass = (Falling(100, down: 40) with { Attempt = 3 }).Add(Page("next", 7), [job]).Restart(Start.AddDays(9));

        Assert.Equal(
            ("", 0, 0, false, 1, 3, Start.AddDays(9)),
            (pass.PageToken, pass.Jobs, pass.Falls, pass.IsAtEnd, pass.Restarts, pass.Attempt, pass.StartedAt));
        Assert.Same(job, Assert.Single(pass.Found));
        Assert.Null(pass.LastCreatedAt);
        Assert.Equal(
            [false, true],
            new[] { 7, 8 }.Select(times => Enumerable.Range(0, times).Aggregate(ListingPass.Begin(Start), (p, _) => p.Restart(Start)).IsGivenUp));
    }

    [Fact]
    public void A_pass_goes_on_for_a_day_and_after_its_end_begins_anew()
    {
        var pass = Falling(100, down: 40) with { Restarts = 2 };

        Assert.Same(pass, ListingPass.GoOn(pass, Start.AddDays(1)));
        Assert.Equal(3, ListingPass.GoOn(pass, Start.AddDays(1).AddSeconds(1)).Restarts);
        Assert.Equal(0, ListingPass.GoOn(pass with { IsAtEnd = true }, Start.AddHours(1)).Restarts);
        Assert.Equal(Start.AddHours(1), ListingPass.GoOn(pass with { IsAtEnd = true }, Start.AddHours(1)).StartedAt);
        Assert.Equal(0, ListingPass.GoOn(null, Start).Jobs);
    }

    [Fact]
    public void It_is_kept_as_it_is()
    {
        var pass = Falling(100, down: 40).Add(Page("token", 7), [Job(7)]) with { Attempt = 2, Restarts = 1 };

        var back = ListingPass.FromJson(pass.ToJson())!;

        Assert.Equal(pass with { Found = [] }, back with { Found = [] });
        var (one, other) = (Assert.Single(pass.Found), Assert.Single(back.Found));
        Assert.Equal(one with { Labels = other.Labels }, other);
        Assert.Equal(one.Labels, other.Labels);
        Assert.Null(ListingPass.FromJson(null));
    }

    private static ListingPass Falling(int from, int down) => ListingPass.Begin(Start).Add(
        Page("next", [.. Enumerable.Range(0, from - down + 1).Select(step => (double)(from - step))]), []);

    private static TuningJobPage Page(string next, params double[] hours) => new([.. hours.Select(Job)], next);

    private static TuningJob Job(double hour) => new()
    {
        Name = $"job-{hour}",
        State = TuningJobState.Failed,
        StateText = "Failed",
        Labels = new Dictionary<string, string> { ["run"] = "r" },
        CreatedAt = Start.AddHours(hour),
    };
}
