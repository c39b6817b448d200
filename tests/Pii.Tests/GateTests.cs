namespace FeedbackLoop.Pii.Tests;

/// <summary>The figures that the export relies on, on generated texts.</summary>
public sealed class GateTests(ITestOutputHelper output)
{
    private const int Positives = 700;
    private const int Negatives = 26_400;

    private static readonly PiiScanner Scanner = new();

    [Theory]
    [InlineData(1)]
    [InlineData(20_251)]
    public void Every_kind_is_found_and_little_else(int seed)
    {
        var tally = new Tally(Scanner);

        tally.Add(CardSamples.Positives(Positives, seed));
        tally.Add(IbanSamples.Positives(Positives, seed));
        tally.Add(SocialSecuritySamples.Separated(Positives, seed));
        tally.Add(EmailSamples.Positives(Positives, seed));
        tally.Add(IpSamples.Positives(Positives, seed));
        tally.Add(PhoneSamples.Positives(Positives, seed));
        tally.Add(SecretSamples.Positives(Positives, seed));
        tally.Add(HardNegatives.All(Negatives, seed));

        output.WriteLine(tally.Report());
        output.WriteLine(string.Join('\n', tally.Errors.Take(200)));
        AssertGate(tally, PiiKind.PaymentCard, recall: 0.99, precision: 0.98);
        AssertGate(tally, PiiKind.Iban, recall: 0.99, precision: 0.98);
        AssertGate(tally, PiiKind.UsSocialSecurityNumber, recall: 0.99, precision: 0.98);
        AssertGate(tally, PiiKind.Email, recall: 0.99, precision: 0.98);
        AssertGate(tally, PiiKind.Secret, recall: 0.99, precision: 0.98);
        AssertGate(tally, PiiKind.IpAddress, recall: 0.99, precision: 0.95);
        AssertGate(tally, PiiKind.Phone, recall: 0.95, precision: 0.80);
    }

    [Fact]
    public void A_social_security_number_without_separators_is_found_beside_its_word()
    {
        var tally = new Tally(Scanner);

        tally.Add(SocialSecuritySamples.Bare(Positives, seed: 3));

        output.WriteLine(string.Join('\n', tally.Errors.Take(50)));
        AssertGate(tally, PiiKind.UsSocialSecurityNumber, recall: 0.95, precision: 0.98);
    }

    [Fact]
    public void One_call_and_the_list_agree_on_every_text()
    {
        var samples = PhoneSamples.Positives(500, seed: 4).Concat(HardNegatives.All(5_000, seed: 4));

        Assert.All(samples, sample => Assert.Equal(Scanner.Find(sample.Text).Count > 0,
        Scanner.ContainsAny(sample.Text)));
    }

    private static void AssertGate(Tally tally, PiiKind kind, double recall, double precision)
    {
        Assert.True(tally.Positives(kind) >= 600, $"{kind}: {tally.Positives(kind)} positives");
        Assert.True(tally.Recall(kind) >= recall, $"{kind}: recall {tally.Recall(kind)} below {recall}");
        Assert.True(tally.Precision(kind) >= precision, $"{kind}: precision {tally.Precision(kind)} below {precision}");
    }
}
