using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>Training data that goes to a person: who got which file, and how much of it.</summary>
public sealed class DownloadAuditTests(ApiWorld world)
{
    private const string File = "train.jsonl";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_download_is_audited_before_its_first_byte_and_after_its_last()
    {
        var content = RandomNumberGenerator.GetBytes(300_000);
        var id = await world.AddExportAsync(await AddScopeAsync(), content);

        using var response = await world.SendAsync("GET", PathOf(id), People.OrganizationAdmin);

        Assert.Equal(content, await response.Content.ReadAsByteArrayAsync(Cancellation));
        var entries = await EntriesAsync(id, count: 2);
        Assert.Equal(
            [
                $"download-training-data {id} {File} 300000 {Convert.ToHexStringLower(SHA256.HashData(content))}",
                $"end-download {id} {File} 300000 true",
            ],
            entries.Select(entry => entry.Words));
        Assert.Single(entries.Select(entry => (entry.DownloadId, entry.Actor)).Distinct());
        Assert.Equal(
            entries[0].Actor,
            await world.Database.ScalarAsync<string>(
                $"select 'user:' || id from core.user_profiles where zitadel_user_id = '{People.OrganizationAdmin}'", Cancellation));
    }

    [Fact]
    public async Task Of_a_part_the_bytes_of_the_part_are_counted()
    {
        var id = await world.AddExportAsync(await AddScopeAsync(), RandomNumberGenerator.GetBytes(300_000));

        using var part = await world.SendAsync("GET", PathOf(id), People.OrganizationAdmin, null, ("Range", "bytes=1000-1999"));
        using var beyond = await world.SendAsync("GET", PathOf(id), People.OrganizationAdmin, null, ("Range", "bytes=300000-"));

        Assert.Equal((HttpStatusCode.PartialContent, 1_000), (part.StatusCode, part.Content.Headers.ContentLength));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
        Assert.Equal(
            ["end-download 0 true", "end-download 1000 true"],
            (await EntriesAsync(id, count: 4)).Where(entry => entry.Words.StartsWith("end-", StringComparison.Ordinal))
                .Select(entry => entry.Words.Replace($"{id} {File} ", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["bytes=1000-1999", "bytes=300000-"],
            (await EntriesAsync(id, count: 4)).Select(entry => entry.Range).OfType<string>().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_download_that_breaks_off_is_audited_with_what_was_sent()
    {
        // More than the buffers between the two ends take.
        var content = RandomNumberGenerator.GetBytes(48_000_000);
        var id = await world.AddExportAsync(await AddScopeAsync(), content);
        using (var http = new HttpClient())
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(world.Api.Address, $"/api{PathOf(id)}"));
            request.Headers.Authorization =
                new AuthenticationHeaderValue("Bearer", world.Issuer.IssueAccessToken(People.OrganizationAdmin));
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            await using var stream = await response.Content.ReadAsStreamAsync(Cancellation);
            await stream.ReadExactlyAsync(new byte[10_000], Cancellation);
        }

        var end = (await EntriesAsync(id, count: 2))[1];

        Assert.EndsWith(" false", end.Words, StringComparison.Ordinal);
        var sent = long.Parse(end.Words.Split(' ')[^2], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(sent, 10_000, content.Length - 1);
    }

    [Fact]
    public async Task Without_its_entry_nothing_goes_out()
    {
        var id = await world.AddExportAsync(await AddScopeAsync(), RandomNumberGenerator.GetBytes(1_000));
        await world.Database.ExecuteAsync(
            $"""
            create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$;
            create trigger refuse before insert on ml.audit_log for each row
                when (new.parameters->>'runId' = '{id}') execute function public.refuse()
            """,
            Cancellation);
        try
        {
            using var response = await world.SendAsync("GET", PathOf(id), People.OrganizationAdmin);

            Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
            Assert.NotEqual(1_000, response.Content.Headers.ContentLength);
        }
        finally
        {
            await world.Database.ExecuteAsync("drop trigger refuse on ml.audit_log; drop function public.refuse()", Cancellation);
        }
    }

    private static string PathOf(Guid id) => $"/training-export/exports/{id}/download/{File}";

    private async Task<Scope> AddScopeAsync() => new(world.Organization, await world.Rows.AddProjectAsync(world.Organization));

    /// <summary>Waits for so many entries: the last one is written when the client has everything, or is gone.</summary>
    private async Task<IReadOnlyList<AuditEntry>> EntriesAsync(Guid run, int count)
    {
        const string sql =
            """
            select actor,
                   concat_ws(' ', action, parameters->>'runId', parameters->>'file', parameters->>'bytes', parameters->>'sha256',
                       parameters->>'bytesSent', parameters->>'isComplete') as words,
                   parameters->>'downloadId' as download_id, parameters->>'range' as range
            from   ml.audit_log
            where  subject = @subject
            order  by id
            """;

        await using var db = await world.Database.Admin.OpenConnectionAsync(Cancellation);
        return await Patience.UntilAsync(
            async () =>
            {
                var entries = (await db.QueryAsync<AuditEntry>(
                    Sql.Command(sql, new { subject = $"dataset {run}" }, Cancellation))).AsList();
                return entries.Count >= count ? entries : null;
            },
            () => $"{count} entries of the downloads of {run}");
    }

    private sealed record AuditEntry(string Actor, string Words, string DownloadId, string? Range);
}
