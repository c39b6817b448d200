namespace FeedbackLoop.AdminApi.Exports;

/// <summary>Passes reads on and counts their bytes.</summary>
internal sealed class CountedStream(Stream content) : Stream
{
    /// <summary>Of all reads so far, wherever they began.</summary>
    public long BytesRead { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => content.CanSeek;

    public override bool CanWrite => false;

    public override long Length => content.Length;

    public override long Position
    {
        get => content.Position;
        set => content.Position = value;
    }

    public override long Seek(long offset, SeekOrigin origin) => content.Seek(offset, origin);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await content.ReadAsync(buffer, cancellationToken);
        BytesRead += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("only asynchronous reads");

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException("only reads");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("only reads");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            content.Dispose();
        }

        base.Dispose(disposing);
    }
}
