using System.Net;
using System.Net.Http.Headers;
using StorageObject = Google.Apis.Storage.v1.Data.Object;

namespace FeedbackLoop.Local.CloudStorage;

public sealed class ObjectTests : CloudStorageTestBase
{
    [Fact]
    public async Task A_bucket_is_made_once()
    {
        var bucket = await Client.Buckets.Get(Bucket).ExecuteAsync(Cancel);

        Assert.Equal(Bucket, bucket.Name);
        Assert.Equal(
            HttpStatusCode.Conflict,
            await StatusOfAsync(() => Client.Buckets.Insert(new() { Name = Bucket }, "demo").ExecuteAsync(Cancel)));
        Assert.Equal(
            HttpStatusCode.BadRequest,
            await StatusOfAsync(() => Client.Buckets.Insert(new() { Name = "../x" }, "demo").ExecuteAsync(Cancel)));
        Assert.Equal(
            HttpStatusCode.NotFound, await StatusOfAsync(() => Client.Buckets.Get("nowhere").ExecuteAsync(Cancel)));
    }

    [Theory]
    [InlineData(0L, 9L, 206, 0, 10)]
    [InlineData(90L, null, 206, 90, 10)]
    [InlineData(90L, 500L, 206, 90, 10)]
    [InlineData(null, 10L, 206, 90, 10)]
    [InlineData(0L, null, 200, 0, 100)]
    public async Task A_range_of_an_object_can_be_read(long? from, long? to, int status, int offset, int length)
    {
        await PutAsync("x", Bytes(100));

        using var response = await GetRangeAsync(new RangeHeaderValue(from, to));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(
            Bytes(100).AsSpan(offset, length).ToArray(), await response.Content.ReadAsByteArrayAsync(Cancel));
        Assert.Equal(status == 206 ? $"bytes {offset}-{offset + length - 1}/100" : null,
            response.Content.Headers.ContentRange?.ToString());
    }

    [Fact]
    public async Task A_range_behind_the_end_cannot_be_satisfied()
    {
        await PutAsync("x", Bytes(100));

        using var response = await GetRangeAsync(new RangeHeaderValue(100, null));

        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, response.StatusCode);
        Assert.Equal("bytes */100", response.Content.Headers.ContentRange?.ToString());
    }

    [Fact]
    public async Task The_list_comes_in_pages_in_the_order_of_names()
    {
        foreach (var name in new[] { "b/2", "a/1", "b/1", "b/3", "c" })
        {
            await PutAsync(name, Bytes(1));
        }

        var list = Client.Objects.List(Bucket);
        (list.Prefix, list.MaxResults) = ("b/", 2);
        var first = await list.ExecuteAsync(Cancel);
        list.PageToken = first.NextPageToken;
        var second = await list.ExecuteAsync(Cancel);

        Assert.Equal(["b/1", "b/2"], first.Items.Select(each => each.Name));
        Assert.Equal(["b/3"], second.Items.Select(each => each.Name));
        Assert.Null(second.NextPageToken);
    }

    [Fact]
    public async Task A_delimiter_folds_names_into_prefixes()
    {
        foreach (var name in new[] { "a", "b/1", "b/2", "c/1" })
        {
            await PutAsync(name, Bytes(1));
        }

        var list = Client.Objects.List(Bucket);
        list.Delimiter = "/";
        var answer = await list.ExecuteAsync(Cancel);

        Assert.Equal(["a"], answer.Items.Select(each => each.Name));
        Assert.Equal(["b/", "c/"], answer.Prefixes);
    }

    [Fact]
    public async Task An_object_is_deleted_only_in_the_generation_that_is_meant()
    {
        var stored = await PutAsync("x", Bytes(1));
        var delete = Client.Objects.Delete(Bucket, "x");

        delete.IfGenerationMatch = stored.Generation + 1;
        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusOfAsync(() => delete.ExecuteAsync(Cancel)));
        delete.IfGenerationMatch = stored.Generation;
        await delete.ExecuteAsync(Cancel);
        Assert.Equal(HttpStatusCode.NotFound, await StatusOfAsync(() => delete.ExecuteAsync(Cancel)));
    }

    [Fact]
    public async Task A_generation_that_is_not_live_is_not_found()
    {
        var old = await PutAsync("x", Bytes(1));
        await PutAsync("x", Bytes(2));
        var get = Client.Objects.Get(Bucket, "x");
        get.Generation = old.Generation;

        Assert.Equal(HttpStatusCode.NotFound, await StatusOfAsync(() => get.ExecuteAsync(Cancel)));
    }

    [Fact]
    public async Task A_copy_has_the_content_and_the_metadata_of_its_source()
    {
        var body = new StorageObject { Name = "x", Metadata = new Dictionary<string, string> { ["k"] = "v" } };
        await UploadAsync("x", Bytes(1000), body: body);

        var copy = await Client.Objects.Copy(new StorageObject(), Bucket, "x", Bucket, "dir/y").ExecuteAsync(Cancel);

        Assert.Equal(("dir/y", "v"), (copy.Name, copy.Metadata["k"]));
        Assert.Equal(Bytes(1000), await DownloadAsync("dir/y"));
    }

    [Fact]
    public async Task A_rewrite_is_done_in_one_go()
    {
        await PutAsync("x", Bytes(1000));

        var answer = await Client.Objects.Rewrite(new StorageObject(), Bucket, "x", Bucket, "y").ExecuteAsync(Cancel);

        Assert.True(answer.Done);
        Assert.Equal(1000, answer.TotalBytesRewritten);
        Assert.Equal("y", answer.Resource.Name);
    }

    [Fact]
    public async Task A_copy_needs_its_destination_to_be_as_expected()
    {
        await PutAsync("x", Bytes(1));
        await PutAsync("y", Bytes(2));
        var copy = Client.Objects.Copy(new StorageObject(), Bucket, "x", Bucket, "y");
        copy.IfGenerationMatch = 0;

        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusOfAsync(() => copy.ExecuteAsync(Cancel)));
        Assert.Equal(Bytes(2), await DownloadAsync("y"));
    }

    [Fact]
    public async Task A_copy_needs_its_source_to_be_as_expected()
    {
        var stored = await PutAsync("x", Bytes(1));
        var match = Client.Objects.Copy(new StorageObject(), Bucket, "x", Bucket, "y");
        match.IfSourceGenerationMatch = stored.Generation + 1;
        var version = Client.Objects.Copy(new StorageObject(), Bucket, "x", Bucket, "y");
        version.SourceGeneration = stored.Generation + 1;

        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusOfAsync(() => match.ExecuteAsync(Cancel)));
        Assert.Equal(HttpStatusCode.NotFound, await StatusOfAsync(() => version.ExecuteAsync(Cancel)));
    }

    [Fact]
    public async Task A_condition_that_the_stand_in_does_not_know_is_refused_and_not_ignored()
    {
        await PutAsync("x", Bytes(1));
        var delete = Client.Objects.Delete(Bucket, "x");
        delete.IfMetagenerationMatch = 7;

        Assert.Equal(HttpStatusCode.NotImplemented, await StatusOfAsync(() => delete.ExecuteAsync(Cancel)));
    }

    [Fact]
    public async Task Everything_is_still_there_after_a_restart()
    {
        await PutAsync("x", Bytes(1));
        var stored = await PutAsync("x", Bytes(1000));
        await RestartAsync();

        var read = await Client.Objects.Get(Bucket, "x").ExecuteAsync(Cancel);
        var next = await PutAsync("y", Bytes(1));

        Assert.Equal((stored.Generation, stored.Crc32c), (read.Generation, read.Crc32c));
        Assert.Equal(Bytes(1000), await DownloadAsync("x"));
        Assert.True(next.Generation > stored.Generation);
    }

    [Fact]
    public async Task Of_two_generations_that_a_crash_left_the_newer_one_lives()
    {
        var old = await PutAsync("x", Bytes(10));
        var folder = Path.Combine(Directory, "buckets", Bucket);
        var saved = System.IO.Directory.GetFiles(folder, $"{old.Generation}.*")
            .ToDictionary(file => file, File.ReadAllBytes);
        await PutAsync("x", Bytes(20));
        foreach (var (file, content) in saved)
        {
            await File.WriteAllBytesAsync(file, content, Cancel);
        }

        await RestartAsync();

        Assert.Equal(Bytes(20), await DownloadAsync("x"));
        Assert.Empty(System.IO.Directory.GetFiles(folder, $"{old.Generation}.*"));
    }

    private async Task<HttpResponseMessage> GetRangeAsync(RangeHeaderValue range)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri(Server.Address, $"storage/v1/b/{Bucket}/o/x?alt=media"));
        request.Headers.Range = range;
        return await Http.SendAsync(request, Cancel);
    }
}
