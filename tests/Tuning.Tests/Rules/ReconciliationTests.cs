using CsCheck;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Tuning.Tests.Rules;

public sealed class ReconciliationTests
{
    private static readonly RunId Run = new(Guid.Parse("0190aaaa-0000-7000-8000-000000000001"));

    [Fact]
    public void The_oldest_job_of_the_run_is_the_one()
    {
        var match = Find(Job("b", minute: 2), Job("a", minute: 1), Job("c", minute: 3));

        Assert.Equal("a", Assert.IsType<JobMatch.Found>(match).Job.Name);
    }

    [Fact]
    public void Of_two_as_old_the_first_by_name_is_the_one_whatever_the_order_of_the_list()
    {
        Assert.Equal("a", Assert.IsType<JobMatch.Found>(Find(Job("a"), Job("b"))).Job.Name);
        Assert.Equal("a", Assert.IsType<JobMatch.Found>(Find(Job("b"), Job("a"))).Job.Name);
    }

    [Fact]
    public void Jobs_of_other_runs_and_other_installations_are_none()
    {
        Assert.IsType<JobMatch.None>(Find(Job("a", run: Guid.CreateVersion7()), Job("b", environment: "other")));
        Assert.IsType<JobMatch.None>(Find());
    }

    [Fact]
    public void A_late_job_of_an_earlier_attempt_is_known_by_that_attempts_object()
    {
        var found = Assert.IsType<JobMatch.Found>(JobMatch.Find(
            [Job("a", attempt: "1", uri: "gs://b/1")], "test", Run, [Attempt(1), Attempt(2)]));

        Assert.Equal(1, found.Intended.Number);
    }

    [Fact]
    public void A_job_that_is_not_what_was_asked_for_is_a_stranger()
    {
        Assert.IsType<JobMatch.Stranger>(Find(Job("a", attempt: "7")));
        Assert.IsType<JobMatch.Stranger>(Find(Job("a", uri: "gs://b/other")));
        Assert.IsType<JobMatch.Stranger>(Find(Job("a", baseModel: "other")));
        Assert.IsType<JobMatch.Stranger>(Find(Job("a", baseModel: "", preTuned: "projects/1/locations/l/models/1")));
    }

    [Fact]
    public void The_projects_number_in_place_of_its_id_is_the_same_model() =>
        Assert.IsType<JobMatch.Found>(JobMatch.Find(
            [Job("a", baseModel: "", preTuned: "projects/123/locations/l/models/1@2")], "test", Run,
            [Attempt(1) with { PreTunedModel = "projects/demo/locations/l/models/1@2" }]));

    [Fact]
    public void Without_a_job_the_steps_to_the_conclusion_come_one_by_one()
    {
        var attempt = Attempt(1);
        Assert.IsType<Reconciliation.LookAgain>(Decide(attempt, minute: 119));
        Assert.IsType<Reconciliation.BurnDataset>(Decide(attempt, minute: 120));
        attempt = attempt with { DatasetDeletedAt = Minute(121) };
        Assert.IsType<Reconciliation.LookAgain>(Decide(attempt with { ListChecks = 9 }, minute: 121.9));
        Assert.IsType<Reconciliation.LookAgain>(Decide(attempt, minute: 122));
        attempt = attempt with { ListChecks = 1, LastListedFrom = Minute(122) };
        Assert.IsType<Reconciliation.LookAgain>(Decide(attempt, minute: 122));
        Assert.IsType<Reconciliation.ConcludeAbsent>(Decide(attempt, minute: 122.1));
        Assert.IsType<Reconciliation.AskOperator>(Decide(attempt, minute: 123, hasAbsent: true));
    }

    [Fact]
    public void A_list_that_is_not_read_far_enough_proves_nothing_at_any_time()
    {
        var ripe = Attempt(1) with { DatasetDeletedAt = Minute(121), ListChecks = 9 };
        foreach (var attempt in new[] { Attempt(1), ripe })
        {
            Assert.IsType<Reconciliation.ReadOn>(Decide(attempt, minute: 500, isAtEnd: false));
            Assert.IsType<Reconciliation.ReadOn>(Decide(attempt, minute: 500, isAtEnd: false, hasAbsent: true));
        }
    }

    [Fact]
    public void A_list_that_never_ends_goes_to_a_person_once_the_quiet_time_is_over()
    {
        Assert.IsType<Reconciliation.ReadOn>(Decide(Attempt(1), minute: 119, isAtEnd: false, restarts: 8));
        Assert.IsType<Reconciliation.ReadOn>(Decide(Attempt(1), minute: 120, isAtEnd: false, restarts: 7));
        Assert.IsType<Reconciliation.AskOperator>(Decide(Attempt(1), minute: 120, isAtEnd: false, restarts: 8));
    }

    [Fact]
    public void A_job_is_adopted_whatever_the_time_and_however_little_was_read()
    {
        var found = new JobMatch.Found(Job("a"), Attempt(1));

        Assert.IsType<Reconciliation.Adopt>(Reconciliation.Decide(
            Attempt(1), found, ListingPass.Begin(Minute(0)), Minute(0), hasAbsentBefore: true));
    }

    [Fact]
    public void Stopping_what_is_found_leaves_one_live_job_per_run_at_most_and_never_touches_a_recorded_one()
    {
        var job = Gen.Select(Gen.Int[0, 2], Gen.Int[0, 5], Gen.Enum<TuningJobState>(), Gen.Bool);
        Gen.Select(job.List[0, 8], Gen.Bool, Gen.Bool).Sample((drawn, isOver, isKnown) =>
        {
            var jobs = drawn.Select((each, number) => (
                Job: Job($"{number}", run: new Guid(each.Item1, 0, 0, new byte[8]), minute: each.Item2) with { State = each.Item3 },
                IsRecorded: each.Item4 && number == 0)).ToList();
            var recorded = jobs.Where(each => each.IsRecorded).Select(each => each.Job.Name).ToHashSet();
            var runs = isKnown
                ? jobs.Select(each => each.Job.Label("run")!).Distinct().ToDictionary(run => run, _ => isOver)
                : [];

            var standings = runs.ToDictionary(
                run => run.Key,
                run => new RunStanding(run.Value, jobs.Exists(each => each.IsRecorded && each.Job.Label("run") == run.Key)));
            var found = DuplicateSearch.Find(jobs.Select(each => each.Job), recorded, standings);

            var stopped = found.Select(each => each.Job.Name).ToHashSet();
            Assert.Empty(stopped.Intersect(recorded));
            Assert.All(found, each => Assert.Equal(TuningJobState.Working, each.Job.State));
            foreach (var group in jobs.GroupBy(each => each.Job.Label("run")))
            {
                var live = group.Count(each => each.Job.IsLive && !stopped.Contains(each.Job.Name));
                var allowed = !isKnown || isOver ? group.Count(each => each.IsRecorded) : 1;
                Assert.True(live <= allowed, $"{live} live jobs, {allowed} allowed");
            }
        });
    }

    [Fact]
    public void A_single_job_on_its_way_into_the_database_is_left_alone() =>
        Assert.Empty(DuplicateSearch.Find(
            [Job("a")], new HashSet<string>(), Standing(new RunStanding(IsOver: false, HasJob: false))));

    [Fact]
    public void A_job_beside_a_recorded_one_is_stopped_although_the_recorded_one_is_not_listed() =>
        Assert.Equal(["b", "a"], DuplicateSearch.Find(
            [Job("a", minute: 1), Job("b", minute: 2)], new HashSet<string>(),
            Standing(new RunStanding(IsOver: false, HasJob: true))).Select(each => each.Job.Name));

    private static JobMatch Find(params TuningJob[] jobs) => JobMatch.Find(jobs, "test", Run, [Attempt(1)]);

    private static DateTimeOffset Minute(double minute) => DateTimeOffset.UnixEpoch.AddMinutes(minute);

    private static Dictionary<string, RunStanding> Standing(RunStanding standing) => new() { [$"{Run}"] = standing };

    /// <param name="minute">When the list began.</param>
    private static Reconciliation Decide(
        TuningAttempt attempt, double minute, bool isAtEnd = true, int restarts = 0, bool hasAbsent = false) =>
        Reconciliation.Decide(
            attempt, new JobMatch.None(),
            ListingPass.Begin(Minute(minute)) with { IsAtEnd = isAtEnd, Restarts = restarts }, Minute(0), hasAbsent);

    private static TuningJob Job(
        string name, Guid? run = null, string environment = "test", string attempt = "1", string uri = "gs://b/1",
        string baseModel = "base", string? preTuned = null, int minute = 0) => new()
        {
            Name = name,
            State = TuningJobState.Working,
            StateText = "Running",
            Labels = new Dictionary<string, string>
            {
                ["app"] = "feedback-loop",
                ["env"] = environment,
                ["run"] = $"{run ?? Run.Value}",
                ["attempt"] = attempt,
            },
            BaseModel = baseModel,
            PreTunedModel = preTuned,
            TrainingDatasetUri = uri,
            CreatedAt = DateTimeOffset.UnixEpoch.AddMinutes(minute),
        };

    private static TuningAttempt Attempt(int number) => new()
    {
        RunId = Run,
        OrganizationId = Guid.Empty,
        Number = number,
        State = AttemptState.Unknown,
        VertexParent = "projects/p/locations/l",
        RunLabel = $"{Run}",
        DatasetUri = $"gs://b/{number}",
        DatasetGeneration = 1,
        BaseModel = "base",
        ListChecks = 0,
        Age = TimeSpan.Zero,
        QuietUntil = Minute(120),
    };
}
