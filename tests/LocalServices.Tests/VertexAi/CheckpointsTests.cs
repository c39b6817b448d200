namespace FeedbackLoop.Local.VertexAi;

public sealed class CheckpointsTests
{
    [Theory]
    [InlineData(1, 1), InlineData(9, 9), InlineData(10, 10), InlineData(25, 10)]
    public void There_is_one_checkpoint_an_epoch_and_never_more_than_ten(int epochs, int expected)
    {
        var number = 0;
        var checkpoints = Checkpoints.Of(epochs, steps: epochs * 100, () => $"e{++number}");

        Assert.Equal(expected, checkpoints.Count);
        Assert.Equal((epochs, epochs * 100), (checkpoints[^1].Epoch, checkpoints[^1].Step));
        Assert.Equal(expected, checkpoints.Select(each => each.Endpoint).Distinct().Count());
    }
}
