using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FeedbackLoop.AdminApi.Runs;

/// <summary>The header <c>Idempotency-Key</c>.</summary>
internal static class RequestKey
{
    public const string Header = "Idempotency-Key";
    private const int Longest = 200;

    /// <param name="body">
    /// As it was understood: white space, the order of members and defaults that were written out make no difference.
    /// </param>
    /// <param name="key">Null when the header was not sent.</param>
    public static bool TryRead<TBody>(
        HttpRequest request, TBody body, JsonTypeInfo<TBody> type, out IdempotencyKey? key,
        [NotNullWhen(false)] out ProblemHttpResult? refusal)
    {
        (key, refusal) = (null, null);
        var sent = request.Headers[Header];
        if (sent.Count == 0)
        {
            return true;
        }

        var value = sent.ToString();
        if (sent.Count > 1 || value.Length is 0 or > Longest || value.Any(c => c is < '!' or > '~'))
        {
            refusal = Problem.Invalid([new FieldError(
                Header,
                $"{Header} must be one value of 1 to {Longest} printable ASCII characters without spaces, and has {value.Length}")]);
            return false;
        }

        var content = $"{request.Method} {request.Path}\n{JsonSerializer.Serialize(body, type)}";
        key = new IdempotencyKey(value, SHA256.HashData(Encoding.UTF8.GetBytes(content)));
        return true;
    }
}
