using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>
/// Reads <c>gs://</c> objects through Cloud Storage's JSON API, as the tuning service's own account would.
/// </summary>
internal sealed class DatasetFile(Uri storage) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });

    /// <returns>False when there is no such object, or it may not be read.</returns>
    public async Task<bool> ExistsAsync(string bucket, string name, CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(Address(bucket, name, ""), cancellationToken);
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden)
        {
            return false;
        }

        response.EnsureSuccessStatusCode();
        return true;
    }

    /// <summary>The lines of the object, as they arrive.</summary>
    /// <exception cref="HttpRequestException">The object is gone or may not be read.</exception>
    public async IAsyncEnumerable<string> ReadLinesAsync(
        string bucket, string name, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(
            Address(bucket, name, "?alt=media"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        await using var content = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var reader = new StreamReader(content, new UTF8Encoding(false, throwOnInvalidBytes: false));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            yield return line;
        }
    }

    public void Dispose() => _http.Dispose();

    private Uri Address(string bucket, string name, string query) =>
        new(storage, $"storage/v1/b/{bucket}/o/{Uri.EscapeDataString(name)}{query}");
}
