using System.Globalization;
using CsCheck;

namespace FeedbackLoop.Local.CloudStorage;

public sealed class ByteRangeTests
{
    [Fact]
    public void A_resolved_range_lies_inside_the_object() =>
        Gen.Select(Gen.Long[0, 50], Gen.Long[0, 60].Nullable(), Gen.Long[0, 60].Nullable())
            .Sample((size, from, to) =>
            {
                var header = string.Create(CultureInfo.InvariantCulture, $"bytes={from}-{to}");
                return ByteRange.Resolve(header, size) is not var (offset, length)
                    || (offset >= 0 && length >= 0 && offset + length <= size);
            });

    [Theory]
    [InlineData(null), InlineData(""), InlineData("bytes=1-2,4-5"), InlineData("lines=1-2"), InlineData("bytes=x")]
    public void An_unreadable_range_is_the_whole_object(string? header) =>
        Assert.Equal((0, 10), ByteRange.Resolve(header, 10));
}
