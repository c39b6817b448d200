using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>A file of lines, byte for byte: what stays must stay as it was.</summary>
internal static class JsonLines
{
    /// <summary>Each line with its line break; it is there until the next one is asked for.</summary>
    public static async IAsyncEnumerable<ReadOnlySequence<byte>> ReadAsync(
        Stream content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(content, new StreamPipeReaderOptions(leaveOpen: true));
        for (var isOver = false; !isOver;)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                var next = rest.GetPosition(1, end);
                yield return rest.Slice(0, next);
                rest = rest.Slice(next);
            }

            isOver = read.IsCompleted;
            if (isOver && !rest.IsEmpty)
            {
                yield return rest;
            }

            reader.AdvanceTo(isOver ? rest.End : rest.Start, rest.End);
        }

        await reader.CompleteAsync();
    }
}
