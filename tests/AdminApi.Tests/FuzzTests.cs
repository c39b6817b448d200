using System.Globalization;
using System.Net;
using System.Text;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>Requests that are nearly right, to all routes, by everybody: whatever comes, nothing breaks.</summary>
[Collection("One causes errors, one finds none in the log that all share")]
public sealed class FuzzTests(ApiWorld world)
{
    private const int Requests = 20_000;
    private const int Seed = 20_261_125;

    // Words that an answer may not hold: the inside of the program and of the database.
    private static readonly string[] Inside =
        ["   at ", "Npgsql", "System.", "Exception", "FeedbackLoop.", "select ", "ml.", "kb.", "syntax error", ".cs:line"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Twenty_thousand_mutated_requests_break_nothing()
    {
        var before = world.Logs.Lines.Count;
        var routes = RouteTable.Of(world.Api.Services);
        var statuses = new System.Collections.Concurrent.ConcurrentDictionary<HttpStatusCode, int>();
        var broken = new System.Collections.Concurrent.ConcurrentQueue<string>();

        await Parallel.ForEachAsync(
            Enumerable.Range(0, Requests),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancellation },
            async (index, cancellationToken) =>
            {
                var request = Mutation.Make(new Random(Seed + index), routes, world);
                HttpResponseMessage response;
                try
                {
                    response = await world.SendAsync(
                        request.Method, request.Path, request.Person, request.Body, request.Headers);
                }
                catch (HttpRequestException e) when (e.InnerException is IOException)
                {
                    // The server hung up on a request that it had refused while the body was still coming.
                    return;
                }

                using (response)
                {
                    var text = await response.Content.ReadAsStringAsync(cancellationToken);
                    statuses.AddOrUpdate(response.StatusCode, 1, (_, count) => count + 1);
                    if ((int)response.StatusCode >= 500)
                    {
                        broken.Enqueue($"{request}: {(int)response.StatusCode} {text}");
                    }

                    if (response.StatusCode != HttpStatusCode.OK && request.Path != "/openapi.json"
                        && Inside.FirstOrDefault(word => text.Contains(word, StringComparison.Ordinal)
                            && !request.ToString().Contains(word, StringComparison.Ordinal)) is { } word)
                    {
                        broken.Enqueue($"{request} tells of '{word}': {text}");
                    }
                }
            });

        Assert.True(broken.IsEmpty, string.Join('\n', broken.Take(20)));
        Assert.DoesNotContain(
            world.Logs.Lines.Skip(before), line => line.StartsWith("Error", StringComparison.Ordinal));

        // It has to get past the first gates, or it shows nothing. What starts meets a live run, here or of another test.
        Assert.True(statuses.Keys.Intersect(
            [HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.Unauthorized,
             HttpStatusCode.Forbidden, HttpStatusCode.NotFound, HttpStatusCode.Conflict]).Count() == 6,
            string.Join(", ", statuses.Select(each => $"{(int)each.Key}: {each.Value.ToString(CultureInfo.InvariantCulture)}")));
    }

    /// <summary>A request of one seed.</summary>
    private sealed record Mutation(
        string Method, string Path, string Person, string? Body, params (string Name, string Value)[] Headers)
    {
        private static readonly string[] Methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

        private static readonly string[] Strange =
        [
            "", "0", "-1", "null", "true", "NaN", "1e999", "99999999999999999999", "'", "\"", "' or 1=1 --", "\u0000", "%00",
            "%2e%2e%2f", "../../etc/passwd", "\ud800", "\u202e", "ÿ", "{}", "[]", "a,b", "2026-13-45", "00000000-0000-0000-0000-000000000000",
            "{7b1e2a44-f63d-4396-9635-07e38c0ef27c}", new string('x', 300), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "________________________________",
        ];

        private static readonly string[] Fields =
        [
            "projectId", "organizationId", "export", "tuning", "reason", "minConfidence", "humanReviewedOnly", "epochs", "seed",
            "pii", "minExamples", "baseModel", "learningRateMultiplier", "adapterSize", "enabled", "thresholdEnabled",
            "thresholdCount", "cronEnabled", "cronExpression", "timeZone", "monthlyLimitUsd", "parameters", "__proto__", "ProjectId", "",
        ];

        private static readonly string[] Queries =
            ["organizationId", "projectId", "general", "state", "status", "limit", "after", "minConfidence", "humanReviewedOnly", "from", "to", "x"];

        public static Mutation Make(Random random, IReadOnlyList<(string Method, string Route)> routes, ApiWorld world)
        {
            var (method, route) = routes[random.Next(routes.Count)];
            var ids = (Guid[])[world.Organization, world.Project, world.Sibling, world.OtherProject, Guid.NewGuid()];
            string Id() => random.Next(8) == 0 ? Escape(Pick(random, Strange)) : Pick(random, ids).ToString();

            var path = string.Join('/', route.Split('/').Select(part => part.StartsWith('{') ? Id() : part));
            if (random.Next(2) == 0)
            {
                path += "?" + string.Join('&', Enumerable.Range(0, random.Next(1, 4)).Select(
                    _ => $"{Pick(random, Queries)}={(random.Next(2) == 0 ? Id() : Escape(Pick(random, Strange)))}"));
            }

            if (random.Next(20) == 0)
            {
                method = Pick(random, Methods);
            }

            var headers = new List<(string, string)>();
            if (random.Next(4) == 0)
            {
                headers.Add(("Idempotency-Key", random.Next(2) == 0 ? $"key-{random.Next(50)}" : new string('k', random.Next(0, 300))));
            }

            if (random.Next(8) == 0)
            {
                headers.Add(("Range", Pick(random, ["bytes=0-", "bytes=-1", "bytes=9-1", "bytes=0-0,5-6", "chunks=1", "bytes=99999999999999999999-"])));
            }

            if (method == "PUT" && random.Next(8) != 0)
            {
                headers.Add(("If-Match", random.Next(4) == 0 ? Pick(random, ["*", "W/\"1\"", "\"-1\"", "\"99999999999\"", "1, 2"]) : $"\"{random.Next(4)}\""));
            }

            if (random.Next(10) == 0)
            {
                headers.Add(("Accept", Pick(random, ["text/html", "*/*", "application/xml;q=0.1", "nonsense"])));
            }

            return new Mutation(
                method, path, random.Next(2) == 0 ? People.OrganizationAdmin : Pick(random, People.All),
                method is "GET" or "HEAD" ? null
                    : random.Next(3) == 0 ? Nearly(random, route, ids)
                    : MakeBody(random, depth: 0, ids),
                [.. headers]);
        }

        // What the route asks for, with at most one thing wrong: it gets past the first gate.
        private static string Nearly(Random random, string route, Guid[] ids)
        {
            var known = route switch
            {
                _ when route.EndsWith("/schedule", StringComparison.Ordinal) =>
                    "\"enabled\":true,\"cronEnabled\":true,\"cronExpression\":\"0 3 * * *\",\"timeZone\":\"Europe/Berlin\"",
                _ when route.Contains("{id", StringComparison.Ordinal) => "\"reason\":\"a reason\"",
                "/fine-tuning/train-general" => $"\"organizationId\":\"{Pick(random, ids)}\"",
                _ => $"\"projectId\":\"{Pick(random, ids)}\"",
            };
            var field = Pick(random, Fields);
            return random.Next(2) == 0 ? $"{{{known}}}" : $"{{{known},\"{field}\":{Value(random, 0, field, ids)}}}";
        }

        public override string ToString() =>
            $"{Method} {Path} by {Person} {string.Join(' ', Headers)} {Body}";

        private static string MakeBody(Random random, int depth, Guid[] ids)
        {
            var text = new StringBuilder("{");
            var count = random.Next(0, 5);
            for (var i = 0; i < count; i++)
            {
                var field = Pick(random, Fields);
                text.Append(i == 0 ? "" : ",").Append('"').Append(field).Append("\":").Append(Value(random, depth, field, ids));
            }

            text.Append('}');
            return random.Next(12) switch
            {
                0 => text.ToString(0, random.Next(text.Length)),
                1 => text.Insert(random.Next(text.Length), Pick(random, ["\"", "\\", "}", "\u0001", "é"])).ToString(),
                2 => "[" + text + "]",
                _ => text.ToString(),
            };
        }

        private static string Value(Random random, int depth, string field, Guid[] ids) => (field, random.Next(6)) switch
        {
            ("projectId" or "organizationId", < 5) => $"\"{Pick(random, ids)}\"",
            ("export" or "tuning" or "parameters", < 5) when depth < 30 => MakeBody(random, depth + 1, ids),
            ("epochs" or "seed" or "minExamples" or "adapterSize" or "thresholdCount", < 4) => random.Next(-5, 200).ToString(CultureInfo.InvariantCulture),
            // Never so low that it holds the trainings of other tests.
            ("monthlyLimitUsd", < 4) => random.Next(900_000, 1_100_000).ToString(CultureInfo.InvariantCulture),
            ("minConfidence" or "learningRateMultiplier", < 4) => (random.NextDouble() * 3 - 1).ToString(CultureInfo.InvariantCulture),
            ("cronExpression", < 3) => Quote(string.Join(' ', Enumerable.Range(0, 5).Select(_ => Pick(random, ["*", "0", "59", "*/7", "1-5", "L", "H", "?", "MON", "60"])))),
            ("timeZone", < 3) => Quote(Pick(random, ["Europe/Berlin", "Asia/Kathmandu", "right/UTC", "../etc/passwd", "Z", "W. Europe Standard Time"])),
            ("reason" or "baseModel" or "pii" or "cronExpression" or "timeZone", < 5) => Quote(Pick(random, Strange)),
            (_, 0) => "null",
            (_, 1) => "[1,[2,[3]]]",
            (_, 2) => Quote(Pick(random, Strange)),
            (_, 3) => "1e400",
            _ => "true",
        };

        // JSON escapes what JSON must; lone surrogates and NUL stay escapes, as a hostile client would send them.
        private static string Quote(string value) => "\"" + string.Concat(value.Select(
            c => c is '"' or '\\' or < ' ' || char.IsSurrogate(c) ? $"\\u{(int)c:x4}" : c.ToString())) + "\"";

        private static string Escape(string value) => string.Concat(value.Select(
            c => char.IsAsciiLetterOrDigit(c) || c is '-' or '%' or '_' ? c.ToString()
                : char.IsSurrogate(c) ? "%ED%A0%80" : Uri.EscapeDataString(c.ToString())));

        private static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];
    }
}
