using System.Net;
using System.Text;
using Google;
using Google.Apis.Upload;
using StorageObject = Google.Apis.Storage.v1.Data.Object;

namespace FeedbackLoop.Local.CloudStorage;

public sealed class UploadTests : CloudStorageTestBase
{
    [Theory]
    [InlineData(0), InlineData(1), InlineData(Chunk - 1), InlineData(Chunk), InlineData(Chunk + 1)]
    [InlineData(4 * Chunk), InlineData(5 * Chunk + 7)]
    public async Task A_resumable_upload_stores_every_byte(int length)
    {
        var content = Bytes(length);
        var stored = await PutAsync("dir/train.jsonl", content);

        Assert.Equal(content, await DownloadAsync("dir/train.jsonl"));
        Assert.Equal((ulong)length, stored.Size);
    }

    [Fact]
    public async Task The_answer_describes_the_object()
    {
        var body = new StorageObject
        {
            Name = "a b/ü%2F.jsonl",
            Metadata = new Dictionary<string, string> { ["run"] = "1" },
        };
        var (_, stored) = await UploadAsync(body.Name, Encoding.ASCII.GetBytes("123456789"), body: body);

        Assert.NotNull(stored);
        Assert.Equal(
            (Bucket, body.Name, "application/jsonl", 9ul, "4waSgw=="),
            (stored.Bucket, stored.Name, stored.ContentType, stored.Size, stored.Crc32c));
        Assert.Equal("JfnnlDI7RTiF9RgfG2JNCw==", stored.Md5Hash);
        Assert.Equal("1", stored.Metadata["run"]);
        Assert.True(stored.Generation > 0);
        Assert.Equal(1, stored.Metageneration);
        Assert.NotNull(stored.TimeCreatedDateTimeOffset);
        Assert.NotEmpty(stored.ETag);

        var read = await Client.Objects.Get(Bucket, body.Name).ExecuteAsync(Cancel);
        Assert.Equal(stored.Generation, read.Generation);
    }

    [Fact]
    public async Task Each_write_gets_a_higher_generation()
    {
        var first = await PutAsync("x", Bytes(1));
        var second = await PutAsync("x", Bytes(2));
        var third = await PutAsync("y", Bytes(1));

        Assert.True(first.Generation < second.Generation && second.Generation < third.Generation);
    }

    [Fact]
    public async Task An_upload_is_invisible_until_it_is_complete()
    {
        var session = await StartUploadAsync("x");
        using var response = await PutRangeAsync(session, Bytes(Chunk), $"bytes 0-{Chunk - 1}/*");

        Assert.Equal(HttpStatusCode.PermanentRedirect, response.StatusCode);
        Assert.Equal($"bytes=0-{Chunk - 1}", response.Headers.GetValues("Range").Single());
        Assert.Equal(
            HttpStatusCode.NotFound, await StatusOfAsync(() => Client.Objects.Get(Bucket, "x").ExecuteAsync(Cancel)));
    }

    [Fact]
    public async Task A_status_query_tells_how_much_is_there()
    {
        var session = await StartUploadAsync("x");
        using var before = await PutRangeAsync(session, [], "bytes */*");
        using var chunk = await PutRangeAsync(session, Bytes(Chunk), $"bytes 0-{Chunk - 1}/*");
        using var after = await PutRangeAsync(session, [], "bytes */*");

        Assert.False(before.Headers.Contains("Range"));
        Assert.Equal($"bytes=0-{Chunk - 1}", after.Headers.GetValues("Range").Single());
        Assert.Equal(2, Server.Requests[StorageOperation.QueryUpload]);
    }

    [Fact]
    public async Task A_chunk_that_overlaps_is_taken_from_where_the_upload_stands()
    {
        var content = Bytes(2 * Chunk);
        var session = await StartUploadAsync("x");
        using var first = await PutRangeAsync(session, content[..Chunk], $"bytes 0-{Chunk - 1}/*");
        using var again = await PutRangeAsync(session, content, $"bytes 0-{2 * Chunk - 1}/{2 * Chunk}");

        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal(content, await DownloadAsync("x"));
    }

    [Theory]
    [InlineData("bytes 0-99/*", HttpStatusCode.BadRequest)]
    [InlineData("bytes 5-1/10", HttpStatusCode.BadRequest)]
    [InlineData("bytes 0-99/50", HttpStatusCode.BadRequest)]
    [InlineData("pages 0-99/100", HttpStatusCode.BadRequest)]
    [InlineData("bytes 262144-262243/262244", HttpStatusCode.ServiceUnavailable)]
    public async Task A_range_that_cannot_be_is_refused(string range, HttpStatusCode status)
    {
        var session = await StartUploadAsync("x");
        using var response = await PutRangeAsync(session, Bytes(100), range);

        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task A_put_without_a_range_is_the_whole_object()
    {
        var session = await StartUploadAsync("x");
        using var body = new ByteArrayContent(Bytes(100));
        using var response = await Http.PutAsync(session, body, Cancel);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Bytes(100), await DownloadAsync("x"));
    }

    [Fact]
    public async Task A_cancelled_upload_is_gone()
    {
        var session = await StartUploadAsync("x");
        using var cancelled = await Http.DeleteAsync(session, Cancel);
        using var query = await PutRangeAsync(session, [], "bytes */*");

        Assert.Equal(499, (int)cancelled.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, query.StatusCode);
    }

    [Fact]
    public async Task An_existing_object_stops_an_upload_that_wants_none_before_any_byte_is_sent()
    {
        await PutAsync("x", Bytes(1));
        var (progress, _) = await UploadAsync("x", Bytes(3 * Chunk), ifGenerationMatch: 0);

        Assert.Equal(UploadStatus.Failed, progress.Status);
        var error = Assert.IsType<GoogleApiException>(progress.Exception);
        Assert.Equal(HttpStatusCode.PreconditionFailed, error.HttpStatusCode);
        Assert.Equal("conditionNotMet", error.Error.Errors[0].Reason);
        Assert.Equal(1, Server.Requests[StorageOperation.WriteChunk]);
        Assert.Equal(Bytes(1), await DownloadAsync("x"));
    }

    [Fact]
    public async Task An_object_that_appears_during_an_upload_stops_it_at_the_end()
    {
        var session = await StartUploadAsync("x", "&ifGenerationMatch=0");
        await PutAsync("x", Bytes(1));
        using var response = await PutRangeAsync(session, Bytes(100), "bytes 0-99/100");

        Assert.Equal(HttpStatusCode.PreconditionFailed, response.StatusCode);
        Assert.Equal(Bytes(1), await DownloadAsync("x"));
    }

    [Fact]
    public async Task A_declared_checksum_that_does_not_fit_refuses_the_object()
    {
        var body = new StorageObject { Name = "x", Crc32c = "AAAAAA==" };
        var (progress, _) = await UploadAsync("x", Bytes(10), body: body);

        Assert.Equal(
            HttpStatusCode.BadRequest, Assert.IsType<GoogleApiException>(progress.Exception).HttpStatusCode);
        Assert.Equal(
            HttpStatusCode.NotFound, await StatusOfAsync(() => Client.Objects.Get(Bucket, "x").ExecuteAsync(Cancel)));
    }

    [Fact]
    public async Task A_declared_checksum_that_fits_is_accepted()
    {
        var body = new StorageObject { Name = "x", Crc32c = "4waSgw==" };
        var (progress, _) = await UploadAsync("x", Encoding.ASCII.GetBytes("123456789"), body: body);

        Assert.Equal(UploadStatus.Completed, progress.Status);
    }

    [Fact]
    public async Task A_media_upload_stores_the_body()
    {
        using var body = new ByteArrayContent(Bytes(1000));
        using var response = await Http.PostAsync(
            new Uri(Server.Address, $"upload/storage/v1/b/{Bucket}/o?uploadType=media&name=m%2Fx"), body, Cancel);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Bytes(1000), await DownloadAsync("m/x"));
    }

    [Fact]
    public async Task A_multipart_upload_takes_the_name_from_its_first_part()
    {
        using var body = new MultipartContent("related");
        using var json = new StringContent(
            """{"name":"m/y","metadata":{"k":"v"}}""", Encoding.UTF8, "application/json");
        using var media = new ByteArrayContent(Bytes(1000));
        media.Headers.ContentType = new("application/jsonl");
        body.Add(json);
        body.Add(media);
        using var response = await Http.PostAsync(
            new Uri(Server.Address, $"upload/storage/v1/b/{Bucket}/o?uploadType=multipart&ifGenerationMatch=0"),
            body, Cancel);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var stored = await Client.Objects.Get(Bucket, "m/y").ExecuteAsync(Cancel);
        Assert.Equal(("v", "application/jsonl"), (stored.Metadata["k"], stored.ContentType));
        Assert.Equal(Bytes(1000), await DownloadAsync("m/y"));
    }

    [Fact]
    public async Task An_upload_to_a_bucket_that_does_not_exist_is_not_found()
    {
        using var source = new MemoryStream(Bytes(1));
        var upload = Client.Objects.Insert(new StorageObject { Name = "x" }, "nowhere", source, "text/plain");
        var progress = await upload.UploadAsync(Cancel);

        Assert.Equal(HttpStatusCode.NotFound, Assert.IsType<GoogleApiException>(progress.Exception).HttpStatusCode);
    }
}
