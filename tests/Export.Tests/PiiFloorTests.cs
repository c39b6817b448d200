using FeedbackLoop.Runs;

namespace FeedbackLoop.Export.Tests;

/// <summary>What an organization lets its runs do about personal data.</summary>
public sealed class PiiFloorTests
{
    [Theory]
    [InlineData(PiiPolicy.Exclude, PiiPolicy.Exclude, true)]
    [InlineData(PiiPolicy.Exclude, PiiPolicy.Redact, false)]
    [InlineData(PiiPolicy.Exclude, PiiPolicy.Allow, false)]
    [InlineData(PiiPolicy.Redact, PiiPolicy.Exclude, true)]
    [InlineData(PiiPolicy.Redact, PiiPolicy.Redact, true)]
    [InlineData(PiiPolicy.Redact, PiiPolicy.Allow, false)]
    [InlineData(PiiPolicy.Allow, PiiPolicy.Exclude, true)]
    [InlineData(PiiPolicy.Allow, PiiPolicy.Redact, true)]
    [InlineData(PiiPolicy.Allow, PiiPolicy.Allow, true)]
    [InlineData(null, PiiPolicy.Exclude, true)]
    [InlineData(null, PiiPolicy.Redact, true)]
    [InlineData(null, PiiPolicy.Allow, false)]
    public void A_run_does_at_least_as_much_as_the_floor(PiiPolicy? floor, PiiPolicy wanted, bool isAllowed) =>
        Assert.Equal(isAllowed, PiiFloor.Check(floor, wanted) is null);

    [Theory]
    [InlineData(
        PiiPolicy.Exclude, PiiPolicy.Redact,
        "export.pii must be exclude, because the organization's floor for personal data is exclude, and is redact")]
    [InlineData(
        null, PiiPolicy.Allow,
        "export.pii must be exclude or redact, because the organization's floor for personal data is redact, and is allow")]
    public void A_refusal_names_the_field_the_floor_and_the_value(PiiPolicy? floor, PiiPolicy wanted, string words) =>
        Assert.Equal(new FieldError("export.pii", words), PiiFloor.Check(floor, wanted));

    [Fact]
    public void Every_policy_has_a_word_and_is_read_from_it() =>
        Assert.All(Enum.GetValues<PiiPolicy>(), policy => Assert.Equal(policy, PiiFloor.Parse(PiiFloor.WordOf(policy))));

    [Fact]
    public void What_a_run_does_without_being_asked_is_above_every_floor() =>
        Assert.Null(PiiFloor.Check(PiiPolicy.Exclude, new ExportCriteria().Pii));
}
