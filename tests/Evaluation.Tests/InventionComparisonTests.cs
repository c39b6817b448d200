namespace FeedbackLoop.Evaluation.Tests;

public sealed class InventionComparisonTests
{
    [Fact]
    public void A_document_counts_by_the_sum_of_its_texts_and_a_tie_counts_for_nobody()
    {
        var (tied, more) = (Guid.NewGuid(), Guid.NewGuid());

        // The sums of the first are 4 and 4, though its largest are 3 and 2.
        var comparison = InventionComparison.Of(
        [
            (Invented(tied, 3), Invented(tied, 2)), (Invented(tied, 1), Invented(tied, 2)),
            (Invented(more, 1), Invented(more, 0)), (Invented(more, 1), Invented(more, 1)),
        ]);

        Assert.Equal(new InventionComparison(4, 6, 5, MoreIn: 1, FewerIn: 0), comparison);
    }

    private static ChunkScore Invented(Guid document, int entities) => new(
        document, IsValid: true, new Dictionary<string, Counts> { ["system"] = new(0, entities, 0) },
        default, default, Names: 0, GroundedNames: 0);
}
