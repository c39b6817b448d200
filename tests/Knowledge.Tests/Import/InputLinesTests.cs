using System.Buffers;
using System.Text;
using CsCheck;

namespace FeedbackLoop.Knowledge.Import;

public sealed class InputLinesTests
{
    [Fact]
    public async Task Lines_end_with_a_line_feed_and_the_last_one_may_lack_it()
    {
        var lines = await ReadAsync("a\n\nbc"u8.ToArray());

        Assert.Equal(
            [(1, "a", true), (2, "", true), (3, "bc", false)], lines.Select(l => (l.Number, l.Text, l.IsTerminated)));
        Assert.Equal([2, 3, 5], lines.Select(l => l.Bytes));
    }

    [Fact]
    public async Task An_empty_input_has_no_lines() => Assert.Empty(await ReadAsync([]));

    [Fact]
    public async Task A_byte_order_mark_is_no_content() =>
        Assert.Equal(["{}", "\uFEFF{}"], (await ReadAsync("\uFEFF{}\n\uFEFF{}\n"u8.ToArray())).Select(l => l.Text));

    [Fact]
    public async Task A_line_that_is_too_long_is_skipped_and_the_next_one_read()
    {
        var text = $"ok\n{new string('x', 300_000)}\nfine\n";

        var lines = await ReadAsync(Encoding.UTF8.GetBytes(text), maxLineBytes: 100);

        Assert.Equal(
            [(1, "ok", false), (2, "", true), (3, "fine", false)], lines.Select(l => (l.Number, l.Text, l.IsTooLong)));
        Assert.Equal(300_009, lines[^1].Bytes);
    }

    [Fact]
    public async Task A_last_line_that_is_too_long_is_told()
    {
        var lines = await ReadAsync(Encoding.UTF8.GetBytes("ok\n" + new string('x', 300_000)), maxLineBytes: 100);

        Assert.Equal([false, true], lines.Select(l => l.IsTooLong));
    }

    [Fact]
    public Task Lines_do_not_depend_on_how_the_bytes_arrive() =>
        Gen.Select(Gen.String[Gen.Char["ab\nЖ\r"], 0, 200], Gen.Int[1, 7], Gen.Int[0, 20])
            .SampleAsync(async (text, portion, limit) =>
            {
                var lines = await ReadAsync(Encoding.UTF8.GetBytes(text), portion, limit);
                var expected = text.Split('\n').ToList();
                if (expected[^1] is "")
                {
                    expected.RemoveAt(expected.Count - 1);
                }

                return lines.Select(l => l.IsTooLong ? "too long" : l.Text)
                    .SequenceEqual(expected.Select(l => Encoding.UTF8.GetByteCount(l) > limit ? "too long" : l));
            });

    private static async Task<List<ReadLine>> ReadAsync(byte[] bytes, int portion = 70_000, int maxLineBytes = 1_000)
    {
        var lines = new List<ReadLine>();
        await using var input = new PortionedStream(bytes, portion);
        await foreach (var line in InputLines.ReadAsync(input, maxLineBytes, CancellationToken.None))
        {
            var text = Encoding.UTF8.GetString(line.Content.ToArray());
            lines.Add(new(line.Number, text, line.Bytes, line.IsTerminated, line.IsTooLong));
        }

        return lines;
    }

    private sealed record ReadLine(long Number, string Text, long Bytes, bool IsTerminated, bool IsTooLong);

    /// <summary>Gives a few bytes at a time, as a pipe does.</summary>
    private sealed class PortionedStream(byte[] bytes, int portion) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(portion, buffer.Length)], cancellationToken);
    }
}
