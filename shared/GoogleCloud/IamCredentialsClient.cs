using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Takes short tokens for the one account that may create tuning jobs.</summary>
public sealed partial class IamCredentialsClient(IOptions<GoogleCloudOptions> options, GoogleAccess access) : IDisposable
{
    private static readonly Uri Google = new("https://iamcredentials.googleapis.com");

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        Timeout = TimeSpan.FromSeconds(10),
    };

    /// <summary>A token of 300 seconds, which nothing renews.</summary>
    /// <exception cref="HttpRequestException">Refused, with the service's own words, or not reached.</exception>
    public async Task<CreationToken> MintAsync(CancellationToken cancellationToken)
    {
        var account = Uri.EscapeDataString(options.Value.TuningServiceAccount);
        var address = options.Value.IamCredentialsAddress ?? Google;
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(address, $"v1/projects/-/serviceAccounts/{account}:generateAccessToken"))
        {
            Content = JsonContent.Create(new Wish([GoogleAccess.Scope], "300s"), Json.Default.Wish),
        };
        if (options.Value.IamCredentialsAddress is null)
        {
            var own = await access.GetTokenAsync(cancellationToken);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", own);
        }

        using var response = await _http.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            throw new HttpRequestException(
                $"no token for {options.Value.TuningServiceAccount}: {(int)response.StatusCode} {body}", inner: null,
                response.StatusCode);
        }

        var token = await response.Content.ReadFromJsonAsync(Json.Default.Token, cancellationToken)
            ?? throw new HttpRequestException("the answer of IAM Credentials is null");
        return new CreationToken(token.AccessToken, token.ExpireTime.ToUniversalTime());
    }

    public void Dispose() => _http.Dispose();

    internal sealed record Wish(
        [property: JsonPropertyName("scope")] string[] Scope, [property: JsonPropertyName("lifetime")] string Lifetime);

    internal sealed record Token(
        [property: JsonPropertyName("accessToken")] string AccessToken,
        [property: JsonPropertyName("expireTime")] DateTimeOffset ExpireTime);

    [JsonSourceGenerationOptions(RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
    [JsonSerializable(typeof(Wish))]
    [JsonSerializable(typeof(Token))]
    private sealed partial class Json : JsonSerializerContext;
}
