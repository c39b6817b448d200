using System.Net;
using Google;
using Google.Apis.Upload;

namespace FeedbackLoop.Local.CloudStorage;

public sealed class CloudStorageFaultTests : CloudStorageTestBase
{
    [Fact]
    public async Task A_scripted_answer_hits_its_operation_so_many_times()
    {
        await PutAsync("x", Bytes(1));
        Server.Faults.Answer(StorageOperation.GetObject, status: 429, times: 2);

        var get = Client.Objects.Get(Bucket, "x");
        Assert.Equal((HttpStatusCode)429, await StatusOfAsync(() => get.ExecuteAsync(Cancel)));
        Assert.Equal((HttpStatusCode)429, await StatusOfAsync(() => get.ExecuteAsync(Cancel)));
        Assert.Equal("x", (await get.ExecuteAsync(Cancel)).Name);
    }

    [Theory]
    [InlineData(StorageOperation.StartUpload), InlineData(StorageOperation.WriteChunk)]
    public async Task An_upload_fails_at_the_operation_that_is_answered_with_429(StorageOperation operation)
    {
        Server.Faults.Answer(operation, status: 429, times: 1);
        var (progress, _) = await UploadAsync("x", Bytes(3 * Chunk));

        Assert.Equal(UploadStatus.Failed, progress.Status);
        Assert.Equal(429, (int)Assert.IsType<GoogleApiException>(progress.Exception).HttpStatusCode);
    }

    [Fact]
    public async Task An_upload_recovers_from_a_server_error_in_the_middle()
    {
        Server.Faults.Answer(StorageOperation.WriteChunk, status: 500, times: 1);
        await PutAsync("x", Bytes(3 * Chunk));

        Assert.Equal(Bytes(3 * Chunk), await DownloadAsync("x"));
        Assert.Equal(1, Server.Requests[StorageOperation.QueryUpload]);
    }

    [Fact]
    public async Task An_upload_recovers_from_a_connection_that_breaks_in_the_middle_of_a_chunk()
    {
        Server.Faults.AbortNextChunk(afterBytes: Chunk + 100_000);
        await PutAsync("x", Bytes(5 * Chunk), chunks: 2);

        Assert.Equal(Bytes(5 * Chunk), await DownloadAsync("x"));
        Assert.Equal(1, Server.Requests[StorageOperation.QueryUpload]);
    }

    [Theory]
    [InlineData(0), InlineData(Chunk), InlineData(2 * Chunk), InlineData(Chunk + 1)]
    public async Task An_upload_sends_again_what_was_not_kept_of_a_chunk(int kept)
    {
        Server.Faults.CommitPartOfNextChunk(kept);
        await PutAsync("x", Bytes(7 * Chunk + 5), chunks: 3);

        Assert.Equal(Bytes(7 * Chunk + 5), await DownloadAsync("x"));
    }

    [Fact]
    public async Task A_lost_final_response_is_found_by_asking_again()
    {
        Server.Faults.LoseFinalResponse(times: 1);
        var stored = await PutAsync("x", Bytes(Chunk + 1));

        Assert.Equal((ulong)Chunk + 1, stored.Size);
        Assert.Equal(1, Server.Requests[StorageOperation.QueryUpload]);
    }

    [Fact]
    public async Task A_lost_response_leaves_the_object_of_a_media_upload()
    {
        Server.Faults.LoseFinalResponse(times: 1);
        using var body = new ByteArrayContent(Bytes(10));
        var uri = new Uri(Server.Address, $"upload/storage/v1/b/{Bucket}/o?uploadType=media&name=x");

        await Assert.ThrowsAsync<HttpRequestException>(() => Http.PostAsync(uri, body, Cancel));
        Assert.Equal(Bytes(10), await DownloadAsync("x"));
    }

    [Theory]
    [InlineData(404), InlineData(410)]
    public async Task An_upload_that_the_server_forgot_fails(int status)
    {
        var session = await StartUploadAsync("x");
        Server.ForgetUploads(status);
        using var response = await PutRangeAsync(session, Bytes(100), "bytes 0-99/100");

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_denied_bucket_names_the_missing_permission_until_it_is_allowed()
    {
        await PutAsync("x", Bytes(1));
        Server.Faults.Deny(Bucket);

        var error = await Assert.ThrowsAsync<GoogleApiException>(
            () => Client.Objects.Get(Bucket, "x").ExecuteAsync(Cancel));
        Assert.Equal(HttpStatusCode.Forbidden, error.HttpStatusCode);
        Assert.Contains("Permission 'storage.objects.get' denied", error.Error.Message, StringComparison.Ordinal);

        Server.Faults.Allow(Bucket);
        Assert.Equal("x", (await Client.Objects.Get(Bucket, "x").ExecuteAsync(Cancel)).Name);
    }

    [Fact]
    public async Task Corrupted_content_no_longer_fits_its_checksum()
    {
        var stored = await PutAsync("x", Bytes(10));
        Server.Corrupt(Bucket, "x");

        using var response = await Http.GetAsync(
            new Uri(Server.Address, $"storage/v1/b/{Bucket}/o/x?alt=media"), Cancel);
        Assert.NotEqual(Bytes(10), await response.Content.ReadAsByteArrayAsync(Cancel));
        Assert.Equal(
            $"crc32c={stored.Crc32c},md5={stored.Md5Hash}",
            string.Join(',', response.Headers.GetValues("x-goog-hash")));
    }
}
