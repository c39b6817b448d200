using System.Net;
using System.Net.Http.Headers;
using Google.Apis.Storage.v1;

namespace FeedbackLoop.GoogleCloud;

/// <summary>
/// One generation of an object, read from wherever it is positioned: the request goes out with the first read, so that a
/// part from the middle costs that part.
/// </summary>
internal sealed class GcsReadStream(
    StorageService storage, string bucket, string name, long generation, long length,
    Func<HttpStatusCode, string, Exception> refused) : Stream
{
    private HttpResponseMessage? _response;
    private Stream? _content;
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => Seek(value, SeekOrigin.Begin);
    }

    public override long Seek(long offset, SeekOrigin origin)
    {
        var target = offset + origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => _position,
            _ => length,
        };
        ArgumentOutOfRangeException.ThrowIfNegative(target, nameof(offset));
        if (target != _position)
        {
            Close(_response, _content);
            (_response, _content, _position) = (null, null, target);
        }

        return _position;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position >= length || buffer.IsEmpty)
        {
            return 0;
        }

        _content ??= await OpenAsync(cancellationToken);
        var count = await _content.ReadAsync(buffer, cancellationToken);
        _position += count;
        return count > 0
            ? count
            : throw new EndOfStreamException($"{name} ended after {_position} of {length} bytes");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("only asynchronous reads");

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Close(_response, _content);
        }

        base.Dispose(disposing);
    }

    private static void Close(HttpResponseMessage? response, Stream? content)
    {
        content?.Dispose();
        response?.Dispose();
    }

    private async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            $"{storage.BaseUri}b/{Uri.EscapeDataString(bucket)}/o/{Uri.EscapeDataString(name)}?alt=media&generation={generation}");
        if (_position > 0)
        {
            request.Headers.Range = new RangeHeaderValue(_position, null);
        }

        _response = await storage.HttpClient.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!_response.IsSuccessStatusCode)
        {
            throw refused(_response.StatusCode, _response.ReasonPhrase ?? "");
        }

        // A server that ignores the range would hand out the wrong bytes.
        return _position > 0 && _response.StatusCode != HttpStatusCode.PartialContent
            ? throw refused(_response.StatusCode, "the range was ignored")
            : await _response.Content.ReadAsStreamAsync(cancellationToken);
    }
}
