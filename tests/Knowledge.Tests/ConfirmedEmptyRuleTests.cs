namespace FeedbackLoop.Knowledge;

public sealed class ConfirmedEmptyRuleTests
{
    [Theory]
    [InlineData("completed")]
    [InlineData("requires_review")]
    public void A_completed_extraction_without_open_objects_can_be_confirmed(string status) =>
        Assert.Null(ConfirmedEmptyRule.Check(new(status, HasChunk: true, OpenObjects: 0)));

    [Theory]
    [InlineData("queued")]
    [InlineData("processing")]
    [InlineData("failed")]
    [InlineData("cancelled")]
    public void One_that_is_not_completed_cannot(string status) =>
        Assert.StartsWith(
            $"The extraction is {status}:", ConfirmedEmptyRule.Check(new(status, HasChunk: true, OpenObjects: 0)),
            StringComparison.Ordinal);

    [Theory]
    [InlineData(1, "The extraction has 1 object that is not rejected.")]
    [InlineData(1200, "The extraction has 1,200 objects that are not rejected.")]
    public void Nor_one_with_objects_that_nobody_rejected(long objects, string words) =>
        Assert.StartsWith(
            words, ConfirmedEmptyRule.Check(new("completed", HasChunk: true, objects)), StringComparison.Ordinal);

    [Fact]
    public void Nor_one_whose_text_is_not_known() =>
        Assert.StartsWith(
            "The extraction names no chunk", ConfirmedEmptyRule.Check(new("completed", HasChunk: false, OpenObjects: 0)),
            StringComparison.Ordinal);
}
