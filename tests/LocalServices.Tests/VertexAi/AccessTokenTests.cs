using System.Net;
using System.Text;
using System.Text.Json;

namespace FeedbackLoop.Local.VertexAi;

public sealed class AccessTokenTests : VertexAiTestBase
{
    private const string Path = "v1/projects/-/serviceAccounts/tuner@demo.iam.gserviceaccount.com:generateAccessToken";

    [Fact]
    public async Task A_token_comes_with_the_time_of_its_expiry()
    {
        var before = TimeProvider.System.GetUtcNow();

        var (token, expires) = await MintAsync(Http, Server.IamAddress, "300s", Cancel);

        Assert.StartsWith("ya29.", token, StringComparison.Ordinal);
        // The answer counts in whole seconds.
        Assert.InRange(
            expires - TimeSpan.FromSeconds(300), before - TimeSpan.FromSeconds(1), TimeProvider.System.GetUtcNow());
        Assert.Equal(1, Server.TokensMinted);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"scope":[]}""")]
    [InlineData("""{"scope":["s"],"lifetime":"3601s"}""")]
    [InlineData("""{"scope":["s"],"lifetime":"300"}""")]
    [InlineData("not json")]
    public async Task A_wrong_request_is_refused(string json)
    {
        using var response = await PostAsync(Http, new Uri(Server.IamAddress, Path), json, Cancel);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("INVALID_ARGUMENT", body.RootElement.GetProperty("error").GetProperty("status").GetString());
    }

    [Fact]
    public async Task Another_path_is_not_found()
    {
        using var response = await PostAsync(
            Http, new Uri(Server.IamAddress, "v1/projects/-/serviceAccounts/x:signBlob"), "{}", Cancel);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_scripted_status_mints_nothing()
    {
        Server.Faults.AnswerIam(403);
        using var response = await PostAsync(
            Http, new Uri(Server.IamAddress, Path), """{"scope":["s"]}""", Cancel);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal(0, Server.TokensMinted);
    }

    internal static async Task<(string Token, DateTimeOffset Expires)> MintAsync(
        HttpClient http, Uri iam, string lifetime, CancellationToken cancellationToken)
    {
        var json = $$"""{"scope":["https://www.googleapis.com/auth/cloud-platform"],"lifetime":"{{lifetime}}"}""";
        using var response = await PostAsync(http, new Uri(iam, Path), json, cancellationToken);
        response.EnsureSuccessStatusCode();
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        return (body.RootElement.GetProperty("accessToken").GetString()!,
            body.RootElement.GetProperty("expireTime").GetDateTimeOffset());
    }

    private static async Task<HttpResponseMessage> PostAsync(
        HttpClient http, Uri uri, string json, CancellationToken cancellationToken)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        return await http.PostAsync(uri, content, cancellationToken);
    }
}
