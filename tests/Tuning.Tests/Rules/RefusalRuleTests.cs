using CsCheck;
using Grpc.Core;

namespace FeedbackLoop.Tuning.Tests.Rules;

public sealed class RefusalRuleTests
{
    private static readonly TuningAnswer Quota = new TuningAnswer.Refused(StatusCode.ResourceExhausted, "full");

    [Theory]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.FailedPrecondition)]
    [InlineData(StatusCode.OutOfRange)]
    [InlineData(StatusCode.NotFound)]
    public void A_refusal_of_the_request_itself_fails_at_once(StatusCode code) =>
        Assert.Equal(
            new RefusalDecision.Fail($"Vertex AI refused the job: {code}: no"),
            Decide(new TuningAnswer.Refused(code, "no")));

    [Theory]
    [InlineData(StatusCode.Unauthenticated)]
    [InlineData(StatusCode.PermissionDenied)]
    [InlineData(StatusCode.AlreadyExists)]
    [InlineData(StatusCode.Aborted)]
    public void The_eighth_refusal_that_might_have_healed_fails(StatusCode code)
    {
        var answer = new TuningAnswer.Refused(code, "no");

        Assert.IsType<RefusalDecision.WaitFor>(Decide(answer, [.. Enumerable.Repeat(code.ToString(), 6)]));
        Assert.IsType<RefusalDecision.Fail>(Decide(answer, [.. Enumerable.Repeat(code.ToString(), 7)]));
    }

    [Fact]
    public void Waits_for_quota_and_calls_that_never_left_do_not_count_as_refusals()
    {
        string[] earlier = [.. Enumerable.Repeat("ResourceExhausted", 30), .. Enumerable.Repeat("not_sent", 30)];

        Assert.IsType<RefusalDecision.WaitFor>(
            Decide(new TuningAnswer.Refused(StatusCode.PermissionDenied, "no"), earlier));
        Assert.IsType<RefusalDecision.WaitFor>(Decide(Quota, earlier));
    }

    [Fact]
    public void Quota_and_silence_fail_when_the_deadline_has_passed()
    {
        var quota = Assert.IsType<RefusalDecision.Fail>(Decide(Quota, isOverdue: true));
        Assert.StartsWith("quota", quota.Reason, StringComparison.Ordinal);
        Assert.IsType<RefusalDecision.Fail>(Decide(new TuningAnswer.NotSent("x"), isOverdue: true));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(5, 32)]
    [InlineData(6, 60)]
    [InlineData(70, 60)]
    public void The_longest_wait_doubles_up_to_an_hour(int earlier, int minutes)
    {
        string[] refusals = [.. Enumerable.Repeat("ResourceExhausted", earlier)];

        Assert.Equal(TimeSpan.FromMinutes(minutes), Assert.IsType<RefusalDecision.WaitFor>(
            RefusalRule.Decide(Quota, refusals, 8, isOverdue: false, jitter: 1)).Delay);
    }

    [Fact]
    public void A_wait_is_never_negative_and_never_longer_than_an_hour() =>
        Gen.Select(Gen.Int[0, 100], Gen.Double[0, 1]).Sample((earlier, jitter) =>
        {
            string[] refusals = [.. Enumerable.Repeat("ResourceExhausted", earlier)];
            var delay = ((RefusalDecision.WaitFor)RefusalRule.Decide(Quota, refusals, 8, false, jitter)).Delay;
            return delay >= TimeSpan.Zero && delay <= TimeSpan.FromHours(1);
        });

    [Fact]
    public void A_day_of_full_quota_stays_within_the_hundred_attempts_of_a_run()
    {
        for (var seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            var (waited, attempts) = (TimeSpan.Zero, new List<string>());
            while (waited < TimeSpan.FromHours(24))
            {
                attempts.Add("ResourceExhausted");
                waited += ((RefusalDecision.WaitFor)RefusalRule.Decide(
                    Quota, attempts, 8, isOverdue: false, random.NextDouble())).Delay;
            }

            Assert.InRange(attempts.Count, 25, 99);
        }
    }

    [Fact]
    public void Only_refusals_are_judged() =>
        Assert.Throws<InvalidOperationException>(() => Decide(new TuningAnswer.Unknown("x", "y")));

    private static RefusalDecision Decide(TuningAnswer answer, string[]? earlier = null, bool isOverdue = false) =>
        RefusalRule.Decide(answer, earlier ?? [], maxRefusals: 8, isOverdue, jitter: 0.5);
}
