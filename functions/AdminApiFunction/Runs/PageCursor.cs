using System.Buffers.Binary;
using System.Buffers.Text;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Runs;

/// <summary>A place in a list that is ordered by time and id, as 32 letters for the wire.</summary>
internal static class PageCursor
{
    public const int DefaultLimit = 50;
    public const int MaxLimit = 200;
    private const int Length = 24;

    public static string Write(PageKey key)
    {
        Span<byte> bytes = stackalloc byte[Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, key.CreatedAt.UtcTicks);
        key.Id.TryWriteBytes(bytes[8..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>A page out of rows that were asked for with one more than fits: the one more says that there is a next page.</summary>
    public static Page<TItem> Page<TRow, TItem>(
        IReadOnlyList<TRow> rows, int size, Func<TRow, TItem> present, Func<TRow, PageKey> keyOf) =>
        new([.. rows.Take(size).Select(present)], rows.Count > size ? Write(keyOf(rows[size - 1])) : null);

    /// <summary>Checks a list's parameters together, so that the answer names all that is wrong.</summary>
    /// <param name="after">As <see cref="Write"/> made it; null for the first page.</param>
    public static IReadOnlyList<FieldError> Read(int? limit, string? after, out PageKey? key)
    {
        var errors = new List<FieldError>();
        if (limit is < 1 or > MaxLimit)
        {
            errors.Add(new FieldError("limit", $"limit must be from 1 to {MaxLimit}, and is {limit}"));
        }

        key = null;
        if (after is null)
        {
            return errors;
        }

        var bytes = new byte[Length];
        if (Base64Url.IsValid(after, out var length) && length == Length
            && Base64Url.TryDecodeFromChars(after, bytes, out _)
            && BinaryPrimitives.ReadInt64BigEndian(bytes) is var ticks
            && ticks >= 0 && ticks <= DateTimeOffset.MaxValue.UtcTicks)
        {
            key = new PageKey(new DateTimeOffset(ticks, TimeSpan.Zero), new Guid(bytes.AsSpan(8)));
        }
        else
        {
            errors.Add(new FieldError("after", "after must be the 'next' of an earlier page"));
        }

        return errors;
    }
}
