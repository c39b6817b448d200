using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace FeedbackLoop.Knowledge.Import;

/// <param name="Number">Counted from 1.</param>
/// <param name="Content">Without its line break; valid until the next line is asked for. Empty when too long.</param>
/// <param name="Bytes">Length of the input up to the end of this line.</param>
/// <param name="IsTerminated">False for a last line without a line break.</param>
internal readonly record struct InputLine(
    long Number, ReadOnlySequence<byte> Content, long Bytes, bool IsTerminated, bool IsTooLong);

/// <summary>The lines of a stream as bytes: decoding them would turn broken UTF-8 into question marks unseen.</summary>
internal static class InputLines
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    public static async IAsyncEnumerable<InputLine> ReadAsync(
        Stream input, int maxLineBytes, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(input, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        long number = 0, bytes = 0, searched = 0;
        var isSkipping = false;
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var buffer = result.Buffer;

            // Only what is new is searched; a long line arrives in many reads.
            while (buffer.Slice(searched).PositionOf((byte)'\n') is { } newline)
            {
                var line = buffer.Slice(0, newline);
                bytes += line.Length + 1;
                yield return Line(++number, line, bytes, isTerminated: true, isSkipping || line.Length > maxLineBytes);
                buffer = buffer.Slice(buffer.GetPosition(1, newline));
                (searched, isSkipping) = (0, false);
            }

            if (result.IsCompleted)
            {
                if (buffer.Length > 0 || isSkipping)
                {
                    bytes += buffer.Length;
                    var isTooLong = isSkipping || buffer.Length > maxLineBytes;
                    yield return Line(++number, buffer, bytes, isTerminated: false, isTooLong);
                }

                await reader.CompleteAsync();
                yield break;
            }

            if (isSkipping || buffer.Length > maxLineBytes)
            {
                bytes += buffer.Length;
                reader.AdvanceTo(buffer.End);
                (searched, isSkipping) = (0, true);
            }
            else
            {
                searched = buffer.Length;
                reader.AdvanceTo(buffer.Start, buffer.End);
            }
        }
    }

    private static InputLine Line(
        long number, ReadOnlySequence<byte> content, long bytes, bool isTerminated, bool isTooLong)
    {
        if (isTooLong)
        {
            return new(number, default, bytes, isTerminated, IsTooLong: true);
        }

        if (number == 1)
        {
            var reader = new SequenceReader<byte>(content);
            reader.IsNext(ByteOrderMark, advancePast: true);
            content = reader.UnreadSequence;
        }

        return new(number, content, bytes, isTerminated, IsTooLong: false);
    }
}
