using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>
/// What waits for one topic or one organization keeps nothing else waiting, and no message is lost or sent twice.
/// </summary>
public sealed class OutboxTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Sick = Topics.DatasetExported;
    private const string Well = Topics.ExportRequested;

    private readonly TopicPublisher _publisher = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Guid _organization = Guid.NewGuid();
    private World _world = null!;  // xunit initializes it before each test

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(postgres);
        _world.Outbox = NewRelay();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Two_thousand_messages_for_a_missing_topic_do_not_delay_a_new_one()
    {
        _publisher.Miss(Sick);
        await AddAsync(Sick, 2_000);
        await AddAsync(Well, 1);

        var told = await Assert.ThrowsAsync<AggregateException>(() => _world.Outbox.SendPendingAsync(10, Stop));

        Assert.Equal((1, 1), (_publisher.SentTo(Well), _publisher.TriesOf(Sick)));
        Assert.StartsWith($"messages wait in the outbox for {Sick} ", told.Message, StringComparison.Ordinal);
        Assert.Equal(
            $"1, {Sick}: there is no topic {Sick}",
            await _world.Rows.ScalarAsync<string>(
                "select max(attempts) || ', ' || max(topic) || ': ' || max(last_error) from ml.outbox where status = 'pending'", Stop));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hundred_thousand_rows_are_not_read_for_one_message(bool isAnalyzed)
    {
        _publisher.Miss(Sick);
        await AddAsync(Sick, 50_000, organizations: 100);
        await AddAsync(Sick, 50_000, organizations: 100);
        await _world.Rows.ExecuteAsync(
            "update ml.outbox set status = 'sent', sent_at = clock_timestamp() where id % 2 = 0", Stop);
        await AddAsync(Well, 1);
        if (isAnalyzed)
        {
            await _world.Rows.ExecuteAsync("analyze ml.outbox", Stop);
        }

        var start = TimeProvider.System.GetTimestamp();
        await Assert.ThrowsAsync<AggregateException>(() => _world.Outbox.SendPendingAsync(10, Stop));
        TestContext.Current.SendDiagnosticMessage(
            "100,000 rows: {0:0} ms", TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);

        Assert.Equal((1, 1), (_publisher.SentTo(Well), _publisher.TriesOf(Sick)));
        await AddAsync(Well, 1);
        var plan = await ExplainAsync(OutboxQueries.ClaimPending);
        Assert.DoesNotContain("Seq Scan on outbox", plan, StringComparison.Ordinal);
        Assert.True(ReadRows(plan) < 5_000, plan);
    }

    [Fact]
    public async Task A_topic_that_hangs_costs_one_deadline_and_the_others_nothing()
    {
        var hangs = _publisher.Hang(Sick);
        await AddAsync(Sick, 20);
        await AddAsync(Well, 5);

        var call = _world.Outbox.SendPendingAsync(50, Stop);
        await hangs.WithPatience();
        await Patience.UntilAsync(() => _publisher.SentTo(Well) == 5, () => $"{_publisher.SentTo(Well)} of 5 are sent");
        _time.Advance(OutboxRelay.PublishDeadline);

        var told = await Assert.ThrowsAsync<AggregateException>(() => call.WithPatience());
        Assert.IsType<TimeoutException>(Assert.Single(told.InnerExceptions));
        Assert.Equal(1, _publisher.TriesOf(Sick));
        Assert.Equal(5, await CountAsync("status = 'sent'"));
        Assert.Equal(19, await CountAsync("status = 'pending' and attempts = 0 and next_attempt_at <= clock_timestamp()"));
    }

    [Fact]
    public async Task A_topic_that_hangs_leaves_the_sweep_its_time()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        _ = _publisher.Hang(Sick);
        await AddAsync(Sick, 500);
        await _world.CancelAsync(run);

        var sweep = _world.SweepAsync();
        await Patience.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return sweep.IsCompleted;
            },
            () => "the sweep does not end");

        await Assert.ThrowsAsync<AggregateException>(() => sweep);
        Assert.InRange(_publisher.TriesOf(Sick), 1, 3);
        Assert.Equal(RunState.Cancelled, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task A_slow_topic_is_left_when_the_time_of_the_call_is_over()
    {
        _publisher.On(Sick, () =>
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            return Task.CompletedTask;
        });
        await AddAsync(Sick, 200);

        var sent = await _world.Outbox.SendPendingAsync(200, Stop);

        Assert.Equal(OutboxRelay.UsualBudget / TimeSpan.FromSeconds(2), sent);
        Assert.Equal(sent, await CountAsync("status = 'sent'"));
        Assert.Equal(
            200 - sent, await CountAsync("status = 'pending' and attempts = 0 and next_attempt_at <= clock_timestamp()"));
    }

    [Fact]
    public async Task An_organization_with_many_messages_does_not_keep_another_one_waiting()
    {
        await AddAsync(Well, 1_000);
        await AddAsync(Well, 2, organization: Guid.NewGuid(), prefix: "other");

        Assert.Equal(4, await _world.Outbox.SendPendingAsync(4, Stop));

        Assert.Equal(2, _publisher.Sent.Count(message => message.Payload.StartsWith("other", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Each_topic_gets_its_share_also_when_all_of_them_answer()
    {
        await AddAsync(Sick, 1_000);
        await AddAsync(Well, 1_000);
        await AddAsync(Topics.TuningStarted, 1);

        Assert.Equal(9, await _world.Outbox.SendPendingAsync(9, Stop));

        Assert.Equal(
            (4, 4, 1), (_publisher.SentTo(Sick), _publisher.SentTo(Well), _publisher.SentTo(Topics.TuningStarted)));
    }

    [Fact]
    public async Task Two_relays_side_by_side_lose_nothing_and_send_nothing_twice()
    {
        await AddAsync(Sick, 300, organizations: 7);
        await AddAsync(Well, 300, organizations: 7);
        foreach (var topic in (string[])[Sick, Well])
        {
            _publisher.On(topic, async () => await Task.Yield());
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(SendAllAsync, Stop)));

        // Whoever came while another one was taking found nothing to take.
        await SendAllAsync();
        Assert.Equal(600, _publisher.Sent.Count);
        Assert.Equal(600, _publisher.Sent.Distinct().Count());
        Assert.Equal(0, await CountAsync("status = 'pending'"));

        async Task SendAllAsync()
        {
            var relay = NewRelay();
            while (await relay.SendPendingAsync(17, Stop) > 0)
            {
            }
        }
    }

    [Fact]
    public async Task What_another_transaction_holds_is_passed_over()
    {
        await AddAsync(Well, 3);
        await using var other = await _world.Rows.Admin.OpenConnectionAsync(Stop);
        await using var tx = await other.BeginTransactionAsync(Stop);
        await using (var command = other.CreateCommand())
        {
            command.CommandText = "select id from ml.outbox order by id limit 1 for update";
            await command.ExecuteScalarAsync(Stop);
        }

        Assert.Equal(2, await _world.Outbox.SendPendingAsync(10, Stop).WithPatience());
    }

    [Fact]
    public async Task A_message_that_a_dead_relay_had_taken_comes_back_and_is_the_only_one_sent_twice()
    {
        await AddAsync(Well, 1, prefix: "first");
        await _world.DieAtAsync(Failpoint.MessagePublished, () => _world.Outbox.SendPendingAsync(1, Stop));
        await AddAsync(Well, 1, prefix: "second");

        Assert.Equal(1, await NewRelay().SendPendingAsync(10, Stop));
        await _world.Clock.AdvanceAsync(OutboxRelay.Lease, Stop);
        Assert.Equal(1, await NewRelay().SendPendingAsync(10, Stop));

        Assert.Equal(["first-1", "second-1", "first-1"], _publisher.Sent.Select(message => message.Payload));
        Assert.Equal(0, await CountAsync("status = 'pending'"));
    }

    [Fact]
    public async Task A_relay_that_comes_too_late_does_not_put_back_what_another_one_has_taken()
    {
        await AddAsync(Well, 1);
        var hangs = _publisher.Hang(Well);
        var late = _world.Outbox.SendPendingAsync(10, Stop);
        await hangs.WithPatience();
        await _world.Clock.AdvanceAsync(OutboxRelay.Lease, Stop);
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        var taken = Assert.Single(await db.ClaimPendingAsync(10, [], OutboxRelay.Lease, Stop));

        _time.Advance(OutboxRelay.PublishDeadline);
        await Assert.ThrowsAsync<AggregateException>(() => late.WithPatience());

        Assert.Equal(2, taken.Attempts);
        Assert.Equal(1, await CountAsync("last_error is null and next_attempt_at > clock_timestamp() + interval '90 seconds'"));
    }

    [Fact]
    public async Task A_message_that_fails_waits_longer_each_time_and_not_for_ever()
    {
        _publisher.Miss(Well);
        await AddAsync(Well, 1);

        foreach (var attempt in Enumerable.Range(1, 7))
        {
            await Assert.ThrowsAsync<AggregateException>(() => _world.Outbox.SendPendingAsync(10, Stop));
            Assert.Equal(0, await _world.Outbox.SendPendingAsync(10, Stop));
            Assert.Equal(attempt, _publisher.TriesOf(Well));
            await _world.Clock.AdvanceAsync(OutboxRelay.DelayAfter(attempt), Stop);
        }
    }

    [Theory]
    [InlineData(1, 30)]
    [InlineData(2, 60)]
    [InlineData(5, 480)]
    [InlineData(6, 600)]
    [InlineData(1_000_000, 600)]
    public void The_wait_doubles_up_to_ten_minutes(int attempts, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), OutboxRelay.DelayAfter(attempts));

    [Fact]
    public async Task A_call_that_is_cancelled_writes_down_what_went_out_and_gives_the_rest_back()
    {
        using var request = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var passed = 0;
        _publisher.On(Well, () => ++passed == 2 ? request.CancelAsync() : Task.CompletedTask);
        await AddAsync(Well, 5);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _world.Outbox.SendPendingAsync(10, request.Token));

        Assert.Equal(1, await CountAsync("status = 'sent'"));
        Assert.Equal(3, await CountAsync("status = 'pending' and attempts = 0 and next_attempt_at <= clock_timestamp()"));
    }

    [Fact]
    public async Task A_run_whose_message_waits_gets_no_second_one_however_often_it_is_looked_for()
    {
        _publisher.Miss(Well);
        await using (var db = await _world.Rows.Database.OpenConnectionAsync(Stop))
        {
            await db.RequestRunAsync(
                new RunRequest(
                    await _world.AddScopeAsync(), RunPurpose.Training, RunTrigger.Manual, "tester", RunParameters.Default, Key: null),
                TimeProvider.System.GetUtcNow(), Stop);
        }

        for (var sweep = 0; sweep < 5; sweep++)
        {
            await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(5), Stop);
            await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());
        }

        Assert.Equal(1, await CountAsync("true"));
        var stuck = Assert.Single(
            _world.SweepLog.At(LogLevel.Error), line => line.Contains("the oldest for 25 minutes", StringComparison.Ordinal));
        Assert.StartsWith($"1 messages wait for the topic {Well}, ", stuck, StringComparison.Ordinal);
        Assert.EndsWith($": there is no topic {Well}", stuck, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_are_forgotten_a_month_after_they_were_sent()
    {
        await AddAsync(Well, 3);
        await AddAsync(Sick, 1);
        await _world.Rows.ExecuteAsync(
            $"""
            update ml.outbox set status = 'sent', sent_at = clock_timestamp() - interval '31 days' where topic = '{Well}' and id % 2 = 0;
            update ml.outbox set status = 'sent', sent_at = clock_timestamp() - interval '29 days' where topic = '{Well}' and id % 2 = 1;
            """,
            Stop);
        var before = await CountAsync("sent_at > clock_timestamp() - interval '30 days'");

        await _world.SweepAsync();

        Assert.Equal((before, before + 1), (await CountAsync($"topic = '{Well}'"), await CountAsync("true")));
    }

    private OutboxRelay NewRelay() => new(_world.Rows.Database, _publisher, _world.Failpoints, _time);

    /// <summary>Messages for runs that need not be there.</summary>
    private Task AddAsync(
        string topic, int count, Guid? organization = null, int organizations = 1, string? prefix = null) =>
        _world.Rows.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            insert into ml.outbox (organization_id, run_id, topic, payload, dedup_key, created_at)
            select o.id, gen_random_uuid(), '{topic}', '{prefix ?? topic}-' || n, gen_random_uuid(), clock_timestamp()
            from   generate_series(1, {count}) n
            cross  join lateral (
                select case when {organizations} = 1 then '{organization ?? _organization}'
                            else md5((n % {organizations})::text)::uuid end as id) o;
            reset session_replication_role;
            """,
            Stop);

    private async Task<int> CountAsync(string condition) => (int)await _world.Rows.ScalarAsync<long>(
        $"select count(*) from ml.outbox where {condition}", Stop);

    private async Task<string> ExplainAsync(string sql)
    {
        await using var command = _world.Rows.Database.CreateCommand("explain (analyze) " + sql);
        command.Parameters.AddWithValue("limit", 10);
        command.Parameters.AddWithValue("without", Array.Empty<string>());
        command.Parameters.AddWithValue("lease", OutboxRelay.Lease);
        var lines = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(Stop);
        while (await reader.ReadAsync(Stop))
        {
            lines.Add(reader.GetString(0));
        }

        return string.Join('\n', lines);
    }

    // Of all scans of the table or its indexes together.
    private static long ReadRows(string plan) => plan.Split('\n')
        .Where(line => line.Contains("Scan", StringComparison.Ordinal) && line.Contains("outbox", StringComparison.Ordinal))
        .Select(line => System.Text.RegularExpressions.Regex.Match(line, @"actual time=\S+ rows=(\d+) loops=(\d+)"))
        .Where(match => match.Success)
        .Sum(match => long.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)
            * long.Parse(match.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture));
}
