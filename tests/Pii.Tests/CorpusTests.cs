namespace FeedbackLoop.Pii.Tests;

/// <summary>The texts under corpus/.</summary>
public sealed class CorpusTests(ITestOutputHelper output)
{
    private static readonly PiiScanner Scanner = new();

    [Theory]
    [InlineData("cards.txt", PiiKind.PaymentCard, 0.99)]
    [InlineData("ibans.txt", PiiKind.Iban, 0.99)]
    [InlineData("emails.txt", PiiKind.Email, 0.99)]
    [InlineData("social-security.txt", PiiKind.UsSocialSecurityNumber, 0.99)]
    [InlineData("social-security-bare.txt", PiiKind.UsSocialSecurityNumber, 0.95)]
    [InlineData("ip-addresses.txt", PiiKind.IpAddress, 0.99)]
    [InlineData("phones.txt", PiiKind.Phone, 0.95)]
    [InlineData("phones-with-word.txt", PiiKind.Phone, 0.95)]
    public void What_is_marked_is_found(string file, PiiKind kind, double recall)
    {
        var tally = new Tally(Scanner);

        tally.Add(CorpusFile.Read(file, kind));

        output.WriteLine(tally.Report());
        output.WriteLine(string.Join('\n', tally.Errors));
        Assert.True(tally.Positives(kind) >= 150);
        Assert.True(tally.Recall(kind) >= recall, string.Join('\n', tally.Errors));
        Assert.True(tally.Precision(kind) >= 0.98, string.Join('\n', tally.Errors));
    }

    [Fact]
    public void What_looks_like_personal_data_and_is_not_is_left_alone()
    {
        var samples = CorpusFile.Read("hard-negatives.txt", kind: null);

        var flagged = samples.Where(sample => Scanner.ContainsAny(sample.Text)).Select(sample => sample.Text).ToArray();

        Assert.True(samples.Count >= 350, $"{samples.Count} lines");
        output.WriteLine(string.Join('\n', flagged));
        Assert.Equal(1, (double)(samples.Count - flagged.Length) / samples.Count, 0.01);
    }
}
