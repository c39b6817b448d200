using System.Text.Json.Nodes;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>The committed description of the API is the one that it gives of itself.</summary>
public sealed class OpenApiTests(ApiWorld world)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_committed_document_is_what_the_api_serves()
    {
        using var response = await world.SendAsync("GET", "/openapi.json", People.Anonymous);
        var served = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!.AsObject();
        var committed = JsonNode.Parse(await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, "docs", "openapi.json"), Cancellation))!.AsObject();

        Assert.True(
            JsonNode.DeepEquals(committed, served),
            "docs/openapi.json is not what the API serves: build without CI=true, look at the difference, commit it.");
    }

    [Fact]
    public void The_document_has_every_route()
    {
        var paths = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "docs", "openapi.json")))!["paths"]!;

        Assert.All(
            RouteTable.Of(world.Api.Services).Where(each => each.Route != "/openapi.json"),
            each => Assert.NotNull(paths[WithoutConstraints(each.Route)]?[each.Method.ToLowerInvariant()]));
    }

    private static string WithoutConstraints(string route) =>
        route.Replace(":guid", "", StringComparison.Ordinal);
}
