using System.Net;
using System.Text.Json.Nodes;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>Every route × every kind of caller × own, sibling, other, deleted and missing, out of <c>tenancy.csv</c>.</summary>
public sealed class TenancyTests(ApiWorld world)
{
    private static readonly (string, string)[] Unset = [("If-Match", "\"0\"")];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_route_has_its_expectations_for_every_kind_of_caller()
    {
        var cells = TenancyCell.ReadAll();

        Assert.Equal(
            RouteTable.Of(world.Api.Services).Select(route => $"{route.Method} {route.Route}").Order().Distinct(),
            cells.Select(cell => $"{cell.Method} {cell.Pattern}").Distinct().Order());
        Assert.All(
            cells.GroupBy(cell => (cell.Method, cell.Route, cell.Target)),
            row => Assert.Equal(People.All.Order(), row.Select(cell => cell.Person).Order()));
        Assert.All(
            cells.Where(cell => cell.Target != "all").GroupBy(cell => (cell.Method, cell.Route)),
            route => Assert.Superset(
                new HashSet<string> { "own", "other", "missing" }, route.Select(cell => cell.Target).ToHashSet()));
    }

    [Fact]
    public async Task Everybody_gets_what_is_theirs_and_nothing_else() => await CheckAllAsync(world);

    [Fact]
    public async Task The_conditions_of_the_queries_hold_without_row_security()
    {
        await using var open = new ApiWorld();
        await open.InitializeAsync();
        await open.Database.ExecuteAsync(
            """
            do $$
            declare
                policy record;
            begin
                for policy in select tablename from pg_policies where schemaname = 'ml' and policyname = 'tenant' loop
                    execute format('alter policy tenant on ml.%I using (true) with check (true)', policy.tablename);
                end loop;
            end
            $$
            """,
            Cancellation);

        await CheckAllAsync(open);
    }

    private static async Task CheckAllAsync(ApiWorld world)
    {
        var targets = await TargetsAsync(world);
        var wrong = new List<string>();
        foreach (var row in TenancyCell.ReadAll().GroupBy(cell => (cell.Method, cell.Route, cell.Person)))
        {
            var refusals = new List<string>();
            foreach (var cell in row)
            {
                var (path, body) = RequestOf(cell, targets);
                using var response = await world.SendAsync(
                    cell.Method, path, cell.Person, body, [.. cell.Method == "PUT" ? Unset : []]);
                var text = await response.Content.ReadAsStringAsync(Cancellation);
                if (!Is(response.StatusCode, cell.Expected))
                {
                    wrong.Add($"{cell}: {(int)response.StatusCode} {text}");
                }

                if (cell.Expected == "404")
                {
                    refusals.Add(WithoutTrace(text));
                }

                wrong.AddRange(Hidden(world, cell.Person)
                    .Where(id => !path.Contains(id, StringComparison.Ordinal) && text.Contains(id, StringComparison.Ordinal))
                    .Select(id => $"{cell} tells of {id}"));
            }

            // What is not there and what one may not know of are told in the same words.
            if (refusals.Distinct().Count() > 1)
            {
                wrong.Add($"{row.Key} tells refusals apart: {string.Join(" / ", refusals.Distinct())}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static bool Is(HttpStatusCode status, string expected) => expected == "ok"
        ? status is >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices
            or HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed or HttpStatusCode.UnprocessableEntity
        : $"{(int)status}" == expected;

    private static string WithoutTrace(string problem)
    {
        var parsed = JsonNode.Parse(problem)!.AsObject();
        parsed.Remove("traceId");
        return parsed.ToJsonString();
    }

    // Ids that must not occur in an answer to this person.
    private static IEnumerable<string> Hidden(ApiWorld world, string person) => (person switch
    {
        People.OrganizationAdmin => (Guid[])[world.OtherOrganization, world.OtherProject],
        People.OrganizationMember => [world.Project, world.Sibling, world.OtherOrganization, world.OtherProject],
        People.ProjectAdmin or People.ProjectMember => [world.Sibling, world.OtherOrganization, world.OtherProject],
        _ => [world.Organization, world.Project, world.Sibling, world.DeletedProject],
    }).Select(id => id.ToString());

    private static (string Path, string? Body) RequestOf(TenancyCell cell, Dictionary<(string Kind, string Target), Guid> targets)
    {
        Guid Target(string kind) => targets.GetValueOrDefault((kind, cell.Target), Guid.Empty);
        var path = cell.Pattern
            .Replace("{projectId:guid}", Target("project").ToString(), StringComparison.Ordinal)
            .Replace("{organizationId:guid}", Target("organization").ToString(), StringComparison.Ordinal)
            .Replace("{id:guid}", Target(KindOf(cell.Pattern)).ToString(), StringComparison.Ordinal)
            .Replace("{jobId:guid}", Target("job").ToString(), StringComparison.Ordinal)
            .Replace("{file}", "train.jsonl", StringComparison.Ordinal);
        path += cell.Query switch
        {
            "projectId" => $"?projectId={Target("project")}",
            "organizationId" => $"?organizationId={Target("organization")}",
            _ => "",
        };
        string? body = (cell.Method, cell.Route) switch
        {
            ("GET", _) => null,
            ("PUT", _) => """{"thresholdCount":100}""",
            (_, "/training-export/export" or "/training-export/preflight" or "/fine-tuning/train-project"
                or "/fine-tuning/preflight") => $$"""{"projectId":"{{Target("project")}}"}""",
            (_, "/training-export/export?organization" or "/training-export/preflight?organization"
                or "/fine-tuning/train-general" or "/fine-tuning/preflight?organization") =>
                $$"""{"organizationId":"{{Target("organization")}}"}""",
            _ => """{"reason":"a reason"}""",
        };
        return (path, body);
    }

    private static string KindOf(string pattern) => pattern switch
    {
        _ when pattern.StartsWith("/lineage/documents/", StringComparison.Ordinal) => "document",
        _ when pattern.StartsWith("/lineage/chunks/", StringComparison.Ordinal) => "chunk",
        _ when pattern.StartsWith("/lineage/objects/", StringComparison.Ordinal) => "object",
        _ when pattern.Contains("/models/", StringComparison.Ordinal) => "model",
        _ when pattern.EndsWith("/exports/{id:guid}/cancel", StringComparison.Ordinal) => "live export",
        _ when pattern.EndsWith("/runs/{id:guid}/cancel", StringComparison.Ordinal)
            || pattern.EndsWith("/runs/{id:guid}/approve", StringComparison.Ordinal) => "live training",
        _ when pattern.Contains("/exports/", StringComparison.Ordinal) => "export",
        _ => "model",
    };

    private static async Task<Dictionary<(string Kind, string Target), Guid>> TargetsAsync(ApiWorld world)
    {
        var scopes = new Dictionary<string, Scope>
        {
            ["own"] = new(world.Organization, world.Project),
            ["sibling"] = new(world.Organization, world.Sibling),
            ["deleted"] = new(world.Organization, world.DeletedProject),
            ["general"] = new(world.Organization, null),
            ["other"] = new(world.OtherOrganization, world.OtherProject),
        };
        var targets = new Dictionary<(string Kind, string Target), Guid>
        {
            [("organization", "own")] = world.Organization,
            [("organization", "other")] = world.OtherOrganization,
            [("organization", "missing")] = Guid.NewGuid(),
            [("project", "missing")] = Guid.NewGuid(),
        };
        foreach (var (name, scope) in scopes)
        {
            targets[("project", name)] = scope.ProjectId ?? Guid.Empty;
            targets[("export", name)] = await world.AddExportAsync(scope, "{}\n"u8.ToArray());
            targets[("model", name)] = await world.AddModelAsync(scope, ModelStatus.Deprecated);
            targets[("live export", name)] = await LiveAsync(world, scope, RunPurpose.Export);
            targets[("live training", name)] = await LiveAsync(world, scope, RunPurpose.Training);
            if (scope.ProjectId is { } project)
            {
                var document = targets[("document", name)] = await world.Rows.AddDocumentAsync(project);
                var chunk = targets[("chunk", name)] = await world.Rows.AddChunkAsync(document, "Nothing of note.");
                targets[("job", name)] = await world.Rows.AddJobAsync(project, chunk);

                // Of another extraction: one with an object cannot be confirmed as empty.
                targets[("object", name)] = await world.Rows.AddObjectAsync(
                    project, new() { JobId = await world.Rows.AddJobAsync(project, chunk) });
            }
        }

        foreach (var kind in (string[])["export", "model", "live export", "live training", "job", "document", "chunk", "object"])
        {
            targets[(kind, "missing")] = Guid.NewGuid();
        }

        return targets;
    }

    // Other tests of the same world may have left one.
    private static async Task<Guid> LiveAsync(ApiWorld world, Scope scope, string purpose)
    {
        await using var db = await world.Database.Admin.OpenConnectionAsync(Cancellation);
        return (await db.FindLiveRunAsync(scope, purpose, Cancellation))?.Id.Value
            ?? await world.AddRunAsync(scope, purpose, RunState.Requested);
    }
}
