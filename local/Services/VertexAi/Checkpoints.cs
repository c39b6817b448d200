using System.Globalization;
using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>Which states of a model are kept while it is tuned.</summary>
internal static class Checkpoints
{
    /// <summary>One after each epoch below ten, else ten at even distances; the last is the finished model.</summary>
    /// <param name="endpoint">Makes the name of a new endpoint: each checkpoint has its own.</param>
    public static IReadOnlyList<TunedModelCheckpoint> Of(long epochs, long steps, Func<string> endpoint)
    {
        var count = Math.Min(epochs, 10);
        return
        [
            .. Enumerable.Range(1, (int)count).Select(number => new TunedModelCheckpoint
            {
                CheckpointId = number.ToString(CultureInfo.InvariantCulture),
                Epoch = epochs * number / count,
                Step = steps * number / count,
                Endpoint = endpoint(),
            }),
        ];
    }
}
