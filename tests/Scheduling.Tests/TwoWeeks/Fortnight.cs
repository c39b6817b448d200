using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Statistics;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace FeedbackLoop.Scheduling.Tests.TwoWeeks;

/// <summary>What happened to the ticks.</summary>
internal sealed record TickCounts
{
    public int Ticks { get; set; }
    public int Killed { get; set; }
    public int HoursWithout { get; set; }
    public int Renewals { get; set; }
}

/// <summary>
/// Two weeks of 200 schedules: people change them, examples come, trainings end well or badly, and ticks come twice, late,
/// several at once, not at all, or die at work.
/// </summary>
/// <remarks>
/// Whatever is not a tick happens on a whole minute or five seconds after; the ticks of a moment follow within the same
/// minute, so that it is plain what each of them could know. The seed decides what happens to whom and when; which of several
/// ticks is faster, it does not.
/// </remarks>
internal sealed class Fortnight : IAsyncDisposable
{
    public const int RetrainingLimit = 3;
    private const int Organizations = 10;
    private const int ProjectsOfEach = 19;
    private const int BatchSize = 60;

    /// <summary>Each has a second of its own before the ticks of its moment.</summary>
    private const int MostRenewals = 20;

    private readonly World _world;
    private readonly int _seed;
    private Random _random;
    private readonly List<SimulatedSchedule> _schedules = [];
    private readonly List<(DateTimeOffset At, Guid Project)> _examples = [];
    private readonly List<DateTimeOffset> _calm = [];
    private readonly RunEnds _ends;
    private readonly Dictionary<string, NpgsqlDataSource> _dying;
    private int _examplesStored;

    public Fortnight(World world, int seed)
    {
        (_world, _seed, _random) = (world, seed, new Random(seed));
        _ends = new RunEnds(world, seed, scope => _schedules.First(schedule => schedule.Scope == scope).Index);
        _dying = FaultPoint.All.ToDictionary(point => point, point => FaultPoint.Open(world.Rows, point));
    }

    /// <summary>The clocks of Berlin go back in the first week, those of New York at the end of the second.</summary>
    public static DateTimeOffset Start { get; } = CronTimesTests.At("2026-10-19T00:00Z");

    public static DateTimeOffset End { get; } = Start.AddDays(14);

    public IReadOnlyList<SimulatedSchedule> Schedules => _schedules;

    /// <summary>Examples of all projects, oldest first.</summary>
    public IReadOnlyList<(DateTimeOffset At, Guid Project)> Examples => _examples;

    /// <summary>Moments at which at least one tick went through to its end, and none died after it.</summary>
    public IReadOnlyList<DateTimeOffset> Calm => _calm;

    public TickCounts Counts { get; } = new();

    private static CancellationToken Stop => World.Stop;

    public async Task RunAsync()
    {
        _world.Settings = new() { BatchSize = BatchSize, RetrainingLimit = RetrainingLimit };
        _world.Time.AdjustTime(Start);
        await FaultPoint.InstallAsync(_world.Rows, Stop);
        await FillAsync();
        var tidied = Start.Date;
        foreach (var (at, happens) in Plan().OrderBy(moment => moment.At).DistinctBy(moment => moment.At).ToArray())
        {
            if (at.Date > tidied)
            {
                // As autovacuum does in two weeks, for which this takes too little time.
                await _world.Rows.ExecuteAsync("vacuum analyze", Stop);
                tidied = at.Date;
            }

            // Each moment draws for itself: which tick is faster, and so which run came when, changes nothing that happens later.
            _random = new Random((_seed * 100_003) + (int)(at - Start).TotalMinutes);
            await AdvanceAsync(at);
            await happens(at);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in _dying.Values)
        {
            await database.DisposeAsync();
        }
    }

    private async Task FillAsync()
    {
        for (var i = 0; i < Organizations; i++)
        {
            var general = await _world.AddScopeAsync(isProject: false);
            await AddScheduleAsync(general);
            for (var project = 0; project < ProjectsOfEach; project++)
            {
                await AddScheduleAsync(
                    general with { ProjectId = await _world.Rows.AddProjectAsync(general.OrganizationId, Stop) });
            }
        }

        await _world.Rows.ExecuteAsync(
            $"""
            insert into ml.counted_projects (project_id, organization_id, rules, counted_at, complete_to)
            select id, organization_id, '{CountingRules.Default.Name}', '{Start:O}', '{Start:O}'
            from   kb.projects
            """,
            Stop);
        foreach (var project in _schedules.Select(schedule => schedule.Scope.ProjectId).OfType<Guid>())
        {
            for (var at = Start; at < End; at = at.AddMinutes(_random.Next(30, 600)))
            {
                _examples.AddRange(Enumerable.Repeat((at, project), _random.Next(1, 6)));
            }
        }

        _examples.Sort();
    }

    private Task AddScheduleAsync(Scope scope)
    {
        var schedule = new SimulatedSchedule(_schedules.Count, scope);
        _schedules.Add(schedule);
        var (settings, times) = scope.IsGeneral ? OrganizationSettings() : ProjectSettings();
        return SaveAsync(schedule, settings with { Enabled = _random.Next(20) > 0 }, times);
    }

    private (ScheduleSettings Settings, DailyTimes? Times) OrganizationSettings() => _random.Next(3) switch
    {
        0 => WithTimes(new() { RetrainProjects = true, NotifyProjectAdmins = true }),
        1 => (new() { ThresholdEnabled = true, ThresholdCount = _random.Next(200, 900), RetrainProjects = true }, null),
        _ => WithTimes(new() { ThresholdEnabled = true, ThresholdCount = _random.Next(200, 900) }),
    };

    private (ScheduleSettings Settings, DailyTimes? Times) ProjectSettings() => _random.Next(10) switch
    {
        < 4 => WithTimes(new()),
        < 6 => (new() { ThresholdEnabled = true, ThresholdCount = _random.Next(5, 60) }, null),
        < 7 => (new() { RetrainOnGeneralUpdate = true }, null),
        < 8 => WithTimes(new() { RetrainOnGeneralUpdate = true }),
        _ => WithTimes(new() { ThresholdEnabled = true, ThresholdCount = _random.Next(5, 60) }),
    };

    private (ScheduleSettings Settings, DailyTimes? Times) WithTimes(ScheduleSettings settings)
    {
        string[] zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"];
        var zone = zones[_random.Next(zones.Length)];
        var first = _random.Next(6);
        int[] hours = _random.Next(5) switch
        {
            0 when zone == "UTC" => [first, first + 6, first + 12, first + 18], // six hours by the clock are less elsewhere
            0 or 1 => [first, first + 10],
            _ => [_random.Next(24)],
        };
        int[] weekdays = _random.Next(4) == 0 ? [1, 4] : [];
        var times = new DailyTimes(_random.Next(60), hours, weekdays, zone);
        return (settings with { CronEnabled = true, CronExpression = times.Expression, TimeZone = zone }, times);
    }

    private async Task SaveAsync(SimulatedSchedule schedule, ScheduleSettings settings, DailyTimes? times)
    {
        schedule.Id = (await _world.SaveAsync(schedule.Scope, settings)).Id;
        schedule.Add(new SettingsChange(_world.Time.GetUtcNow(), settings, times));
    }

    private IEnumerable<(DateTimeOffset At, Func<DateTimeOffset, Task> Happens)> Plan()
    {
        var outage = Start.AddHours(_random.Next(100, 200));
        for (var hour = Start.AddHours(1); hour < End; hour = hour.AddHours(1))
        {
            var isOut = hour >= outage && hour < outage.AddHours(30);
            if (isOut || _random.Next(12) == 0)
            {
                Counts.HoursWithout++;
            }
            else
            {
                yield return (hour.AddMinutes(_random.Next(5) == 0 ? _random.Next(15, 55) : _random.Next(4)), TicksAsync);
            }

            for (var i = _random.Next(3); i > 0; i--)
            {
                yield return (hour.AddMinutes(-_random.Next(5, 40)), _random.Next(2) == 0 ? ChangeAsync : RunByHandAsync);
            }
        }

        yield return (End.AddMinutes(-2), TicksAsync);
    }

    private async Task AdvanceAsync(DateTimeOffset at)
    {
        _world.Time.AdjustTime(at.AddSeconds(5));
        var from = _examplesStored;
        _examplesStored = _examples.FindIndex(example => example.At > at) is >= 0 and var end ? end : _examples.Count;
        if (_examplesStored > from)
        {
            await _world.Rows.AddCountedExamplesAsync(_examples[from.._examplesStored], Stop);
        }

        await _ends.EndAsync(at);
    }

    private async Task ChangeAsync(DateTimeOffset at)
    {
        var schedule = _schedules[_random.Next(_schedules.Count)];
        var (settings, times) = (schedule.Current.Settings, schedule.Current.Times);
        if (!settings.Enabled)
        {
            settings = settings with { Enabled = true };
        }
        else if (_random.Next(3) == 0)
        {
            settings = settings with { Enabled = false };
        }
        else if (settings.CronEnabled && _random.Next(2) == 0)
        {
            (settings, times) = WithTimes(settings);
        }
        else
        {
            settings = settings with { ThresholdCount = Math.Max(1, settings.ThresholdCount * _random.Next(50, 150) / 100) };
        }

        await SaveAsync(schedule, settings, times);
    }

    private async Task RunByHandAsync(DateTimeOffset at)
    {
        var scope = _schedules[_random.Next(_schedules.Count)].Scope;
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        await db.RequestRunAsync(
            new(scope, RunPurpose.Training, RunTrigger.Manual, "user:tester", RunParameters.Default, Key: null),
            _world.Time.GetUtcNow(), Stop);
        await _ends.PlanAsync();
    }

    private async Task TicksAsync(DateTimeOffset at)
    {
        // Most messages of models that became ready are lost; the ticks come to know of them all the same.
        var told = new Random(_random.Next());
        foreach (var run in _ends.TakeSucceeded().Where(_ => told.Next(8) == 0).Take(MostRenewals))
        {
            _world.Time.Advance(TimeSpan.FromSeconds(1));
            await _world.FinishedAsync(run);
            Counts.Renewals++;
        }

        var isCalm = false;
        for (var (wave, waves) = (0, _random.Next(4) == 0 ? 2 : 1); wave < waves; wave++)
        {
            var ticks = _random.Next(3) == 0 ? _random.Next(2, 5) : 1;
            var killed = _random.Next(3) == 0 ? _random.Next(ticks) : -1;
            var point = FaultPoint.All[_random.Next(FaultPoint.All.Count)];
            DateTimeOffset[] clocks = [.. Enumerable.Range(0, ticks).Select(_ => at.AddSeconds(_random.Next(30, 55)))];
            var survived = await Task.WhenAll(clocks.Select(
                (clock, i) => Task.Run(() => TickAsync(clock, i == killed ? point : null), Stop)));
            Counts.Ticks += ticks;
            Counts.Killed += survived.Count(done => !done);
            isCalm = survived.All(done => done);
            if (!isCalm)
            {
                await FaultPoint.WaitForDeathsAsync(_world.Rows, Stop);
            }
        }

        if (isCalm)
        {
            _calm.Add(at.AddSeconds(55));
        }

        await _ends.PlanAsync();
    }

    /// <returns>False when it died.</returns>
    private async Task<bool> TickAsync(DateTimeOffset clock, string? fault)
    {
        var database = fault is null ? _world.Rows.Database : _dying[fault];
        var failpoints = new Failpoints
        {
            Handler = fault == FaultPoint.Published ? _ => throw new TimeoutException("the worker dies") : null,
        };
        var ticker = new ScheduleTicker(
            database, new OutboxRelay(database, _world.Published, failpoints, TimeProvider.System), new FakeTimeProvider(clock),
            Options.Create(_world.Settings), CountingRules.Default,
            new SpendingTerms(new SpendingOptions(), new BaseModelCatalogue()), NullLogger<ScheduleTicker>.Instance);
        try
        {
            await ticker.RunAsync(Stop);
            return true;
        }
        catch (Exception e) when (fault is not null && e is NpgsqlException or TimeoutException)
        {
            return false;
        }
    }
}
