using System.Globalization;
using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>
/// One run of each of two organizations through the real steps, in an order and with faults that a seed decides; then without
/// faults until both are over. What must hold is looked at all the time and at the end.
/// </summary>
/// <remarks>The second organization's tuning job may never be read; that must not keep the first one's run from ending.</remarks>
internal sealed class Play : IDisposable
{
    /// <summary>Pieces of work, deaths and leaps of the clock before everything is calm.</summary>
    private const int Acts = 80;

    /// <summary>Rounds of the calm part. A run that cannot be read goes through every deadline there is.</summary>
    private const int Rounds = 40;

    private static readonly (TimeSpan By, int Weight)[] Leaps =
    [
        (TimeSpan.FromSeconds(20), 5), (TimeSpan.FromMinutes(3), 5), (TimeSpan.FromMinutes(11), 3),
        (TimeSpan.FromMinutes(65), 1), (TimeSpan.FromHours(3), 1),
    ];

    private readonly Lane _lane;
    private readonly Random _random;
    private readonly FakeTimeProvider _time;
    private readonly MemoryDatasetStore _store = new();
    private readonly SimulatedVertex _vertex;
    private readonly Bus _bus;
    private readonly Steps _steps;
    private readonly Stage _stage = new();
    private readonly List<(Worker Worker, Lane.Slot Slot, CancellationTokenSource Stop)> _cast = [];
    private readonly List<string> _trace = [];
    private readonly string? _missingTopic;
    private IReadOnlyList<RunId> _runs = [];

    public Play(Lane lane, int seed)
    {
        _lane = lane;
        _lane.Clear();
        _random = new Random(seed);
        _time = new FakeTimeProvider(lane.Now());
        _vertex = new SimulatedVertex(_random, _time, _store);
        _missingTopic = _random.Next(4) == 0 ? Topics.TrainingFinished : null;
        _bus = new Bus(_random, _missingTopic);
        _steps = new Steps(new TurnStore(_store), _vertex, _bus, _time, seed);
    }

    /// <summary>What was done, for whoever looks into a failure.</summary>
    public IReadOnlyList<string> Trace => _trace;

    /// <exception cref="PlayFailedException">Something that must hold does not.</exception>
    public void Run()
    {
        _runs = [.. _lane.Scopes.Select(Request)];
        _vertex.PoisonedRun = TuningRequest.RunLabel(_runs[1]);
        SkipAhead();
        for (var act = 0; act < Acts; act++)
        {
            ActOnce();
            CheckJobs();
        }

        CalmDown();
        for (var round = 0; round < Rounds && !(IsOver() && IsSent()); round++)
        {
            PlayRound();
            CheckJobs();
            Advance(round == 0 ? TimeSpan.FromMinutes(11) : TimeSpan.FromHours(5));
        }

        CheckEnd();
    }

    public void Dispose() => _stage.Dispose();

    private RunId Request(Scope scope)
    {
        RunId? id = null;
        Begin("person: train", async slot =>
        {
            await using var db = await slot.Database.OpenConnectionAsync();
            var outcome = await db.RequestRunAsync(
                new RunRequest(scope, RunPurpose.Training, RunTrigger.Manual, "person", RunParameters.Default, Key: null),
                _time.GetUtcNow(), CancellationToken.None);
            id = ((RunRequestOutcome.Accepted)outcome).RunId;
        });
        PlayOut();
        return id ?? throw new InvalidOperationException("the run was not taken");
    }

    // Some plays begin where one run's export, or its call for a tuning job too, has gone well: else all there is goes wrong early.
    private void SkipAhead()
    {
        var skipped = _random.Next(3);
        if (skipped == 0)
        {
            return;
        }

        (_bus.IsCalm, _vertex.IsCalm) = (true, true);
        var run = NameOf(_runs[_random.Next(_runs.Count)]);
        Sweep();
        PlayOut();
        for (var step = 0; step < skipped; step++)
        {
            Deliver(_bus.Waiting.FindIndex(message => NameOf(message.Payload) == run));
            PlayOut();
        }

        (_bus.IsCalm, _vertex.IsCalm) = (false, false);
    }

    private void ActOnce()
    {
        var choices = new List<(int Weight, Action Act)>();
        foreach (var (worker, slot, stop) in _cast)
        {
            if (worker.IsReady)
            {
                choices.Add((300, () => Resume(worker)));
                choices.Add((2, () => Kill(worker, slot)));
                choices.Add((2, () => TimeOut(worker, stop)));
            }
        }

        if (_lane.HasFreeSlot)
        {
            choices.Add((25 * Math.Min(_bus.Waiting.Count, 3), Deliver));
            choices.Add((_cast.Any(each => each.Worker.Name == "sweep") ? 1 : 8, Sweep));
            choices.Add((1, Cancel));
        }

        choices.AddRange(Leaps.Select(leap => (leap.Weight, (Action)(() => Advance(leap.By)))));
        if (_vertex.HasLateCalls)
        {
            choices.Add((10, LandLateCall));
        }

        var chosen = _random.Next(choices.Sum(choice => choice.Weight));
        choices.First(choice => (chosen -= choice.Weight) < 0).Act();
        Settle();
    }

    private void Begin(string name, Func<Lane.Slot, Task> act, CancellationTokenSource? stop = null)
    {
        var slot = _lane.TakeSlot();
        _trace.Add($"{name} begins");
        _cast.Add((_stage.Begin(name, slot.Relay, slot.IsBlocked, () => act(slot)), slot, stop ?? new CancellationTokenSource()));
        Settle();
    }

    private void Deliver() => Deliver(_random.Next(_bus.Waiting.Count));

    private void Deliver(int place)
    {
        if (_bus.Take(place) is not var (topic, payload))
        {
            _trace.Add("a message is lost");
            return;
        }

        var stop = new CancellationTokenSource();
        Begin(
            $"{topic} of {NameOf(payload)}", slot => _steps.DeliverAsync(slot.Database, topic, payload, stop.Token), stop);
    }

    private void Sweep()
    {
        var stop = new CancellationTokenSource();
        Begin("sweep", slot => _steps.SweepAsync(slot.Database, stop.Token), stop);
    }

    private void Cancel()
    {
        var run = _runs[_random.Next(_runs.Count)];
        Begin($"person: cancel {NameOf(run)}", async slot =>
        {
            await using var db = await slot.Database.OpenConnectionAsync();
            await db.RequestCancelAsync(run, "person", "not needed", _time.GetUtcNow(), CancellationToken.None);
        });
    }

    private void Resume(Worker worker)
    {
        _trace.Add($"{worker.Name} goes on");
        worker.PlayPiece();
    }

    private void Kill(Worker worker, Lane.Slot slot)
    {
        _trace.Add($"{worker.Name} dies");
        _stage.Kill(worker);
        slot.Burn();
        _cast.RemoveAll(each => each.Worker == worker);
    }

    private void TimeOut(Worker worker, CancellationTokenSource stop)
    {
        _trace.Add($"{worker.Name} has no time left");

        // Not here: a statement that is under way is cancelled on a connection of its own, through the relay.
        var cancelling = Task.Run(stop.Cancel);
        while (!cancelling.Wait(TimeSpan.FromMilliseconds(1)))
        {
            worker.Relay.PassQuestions();
        }
    }

    private void Advance(TimeSpan by)
    {
        _trace.Add(string.Create(CultureInfo.InvariantCulture, $"{by} pass"));
        _lane.Advance(by);
        _time.Advance(by);
    }

    private void LandLateCall()
    {
        _trace.Add("a late call lands");
        _vertex.LandLateCall();
    }

    private void Settle()
    {
        _stage.Settle();
        foreach (var (worker, slot, _) in _cast.Where(each => !each.Worker.IsLiving).ToList())
        {
            _trace.Add(worker.Failure is { } failure
                ? $"{worker.Name} failed: {WithoutIds(failure.Message)}"
                : $"{worker.Name} is over");
            slot.Free();
            _cast.RemoveAll(each => each.Worker == worker);
        }
    }

    // Half of the plays lose all machines at once, the others let everybody finish.
    private void CalmDown()
    {
        _trace.Add("calm");
        (_bus.IsCalm, _vertex.IsCalm) = (true, true);
        if (_random.Next(2) == 0)
        {
            foreach (var (worker, slot, _) in _cast.Where(each => each.Worker.IsReady).ToList())
            {
                Kill(worker, slot);
            }
        }

        PlayOut();
        while (_vertex.HasLateCalls)
        {
            LandLateCall();
        }
    }

    private void PlayRound()
    {
        Sweep();
        PlayOut();
        while (_bus.Waiting.Count > 0)
        {
            Deliver();
            PlayOut();
        }
    }

    private void PlayOut()
    {
        Settle();
        while (_cast.Count > 0)
        {
            var (worker, _, _) = _cast.FirstOrDefault(each => each.Worker.IsReady);
            Demand(worker is not null, "everybody waits for a lock");
            worker!.PlayPiece();
            Settle();
        }
    }

    private bool IsOver() => (bool)_lane.Ask(
        "select bool_and(ml.run_is_final(state) or state = 'needs_operator') from ml.training_runs");

    private bool IsSent() => StuckTopics().All(topic => topic == _missingTopic);

    private IReadOnlyList<string> StuckTopics() =>
        _lane.List("select distinct topic from ml.outbox where status = 'pending'");

    private void CheckJobs()
    {
        foreach (var (run, count) in _vertex.Billable)
        {
            Demand(count <= 1, $"run {run} has {count} tuning jobs that cost money");
        }
    }

    private void CheckEnd()
    {
        Demand(
            IsOver(),
            "runs have not ended: "
            + string.Join("; ", _lane.List("select concat_ws(' ', id, state, reason) from ml.training_runs order by id")));
        Demand(IsSent(), $"messages wait for {string.Join(", ", StuckTopics())}");
        foreach (var file in _lane.List(
            "select train_uri || ' ' || train_sha256 from ml.datasets order by id"))
        {
            var (uri, hash) = (file.Split(' ')[0], file.Split(' ')[1]);
            var content = _store.Find(DatasetUri.NameOf(uri));
            Demand(content is not null, $"{uri} is recorded and does not exist");
            Demand(
                Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content!)) == hash,
                $"{uri} is not what was recorded");
        }
    }

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new PlayFailedException(otherwise);
        }
    }

    // Ids are made by chance, and a seed's trace is to be the same each time.
    private string WithoutIds(string text) => _runs.Aggregate(
        text, (words, run) => words.Replace(run.ToString(), NameOf(run), StringComparison.Ordinal));

    private string NameOf(string payload) =>
        JsonDocument.Parse(payload).RootElement.TryGetProperty("runId", out var run)
            ? NameOf(new RunId(run.GetGuid()))
            : "all";

    private string NameOf(RunId run) => run == _runs[0] ? "the first run" : "the second run";
}

/// <summary>Something that must hold does not.</summary>
internal sealed class PlayFailedException(string message) : Exception(message);
