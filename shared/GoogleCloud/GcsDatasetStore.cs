using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using FeedbackLoop.Datasets;
using Google;
using Google.Apis.Http;
using Google.Apis.Services;
using Google.Apis.Storage.v1;
using Google.Apis.Upload;
using Google.Apis.Util;
using StorageObject = Google.Apis.Storage.v1.Data.Object;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Datasets in a bucket, by Cloud Storage's resumable uploads.</summary>
/// <remarks>
/// Bytes go out while they are written: no temporary file and no second pass. An object is never overwritten
/// (<c>ifGenerationMatch=0</c>), and what the service says it stored is compared by CRC32C.
/// </remarks>
public sealed class GcsDatasetStore(StorageService storage, string bucket) : IDatasetStore
{
    /// <summary>Bytes per request, held in memory once per open file; a multiple of 256 KiB, as the protocol wants.</summary>
    private const int ChunkSize = 4 * 1024 * 1024;

    /// <param name="address">Address of a stand-in or emulator; null for Google's own, with the machine's credentials.</param>
    public static StorageService CreateService(Uri? address, IConfigurableHttpClientInitializer? credential)
    {
        var service = new StorageService(new BaseClientService.Initializer
        {
            BaseUri = address is null ? null : new Uri(address, "storage/v1/").ToString(),
            HttpClientInitializer = credential,
            ApplicationName = "feedback-loop",
            GZipEnabled = false,
            DefaultExponentialBackOffPolicy = ExponentialBackOffPolicy.None,
        });

        // The library's own policy gives up at once on 429 and on three 5xx in a row.
        var backOff = new BackOffHandler(new BackOffHandler.Initializer(
            new ExponentialBackOff(TimeSpan.FromMilliseconds(100), 8))
        {
            MaxTimeSpan = TimeSpan.FromSeconds(32),
            HandleUnsuccessfulResponseFunc = r =>
                r.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
                || (int)r.StatusCode >= 500,
            HandleExceptionFunc = e => e is HttpRequestException or IOException,
        });
        service.HttpClient.MessageHandler.NumTries = 8;
        service.HttpClient.MessageHandler.AddUnsuccessfulResponseHandler(backOff);
        service.HttpClient.MessageHandler.AddExceptionHandler(backOff);
        return service;
    }

    public string UriOf(string name) => $"gs://{bucket}/{name}";

    public Task<DatasetFile> CreateAsync(string name, string contentType, CancellationToken cancellationToken) =>
        Task.FromResult<DatasetFile>(new Upload(this, storage, bucket, name, contentType, cancellationToken));

    public async Task<Stream> OpenReadAsync(string name, long? generation, CancellationToken cancellationToken)
    {
        try
        {
            var get = storage.Objects.Get(bucket, name);
            get.Generation = generation;
            var found = await get.ExecuteAsync(cancellationToken);
            return new GcsReadStream(
                storage, bucket, name, found.Generation ?? 0, (long)(found.Size ?? 0),
                (status, reason) => Refused("read", name, status, reason, inner: null));
        }
        catch (GoogleApiException e)
        {
            throw Refused("read", name, e.HttpStatusCode, e.Error?.Message ?? e.Message, e);
        }
    }

    public async Task<StoredFile> CopyAsync(
        string source, long generation, string target, CancellationToken cancellationToken)
    {
        try
        {
            var rewrite = storage.Objects.Rewrite(new StorageObject(), bucket, source, bucket, target);
            rewrite.SourceGeneration = generation;
            rewrite.IfGenerationMatch = 0;
            var answer = await rewrite.ExecuteAsync(cancellationToken);
            while (answer.Done != true)
            {
                rewrite.RewriteToken = answer.RewriteToken;
                answer = await rewrite.ExecuteAsync(cancellationToken);
            }

            return new(UriOf(target), answer.Resource.Generation!.Value, (long)answer.Resource.Size!.Value, "");
        }
        catch (GoogleApiException e) when (e.HttpStatusCode == HttpStatusCode.PreconditionFailed)
        {
            var (from, to) = (await FindAsync(source, cancellationToken), await FindAsync(target, cancellationToken));
            return from is not null && to is not null && from.Crc32c == to.Crc32c && from.Size == to.Size
                ? new(UriOf(target), to.Generation!.Value, (long)to.Size!.Value, "")
                : throw new DatasetConflictException(target, to?.Generation ?? 0);
        }
        catch (GoogleApiException e)
        {
            throw Refused("copy", source, e.HttpStatusCode, e.Error?.Message ?? e.Message, e);
        }
    }

    public async Task DeleteAsync(string name, long? generation, CancellationToken cancellationToken)
    {
        try
        {
            var delete = storage.Objects.Delete(bucket, name);
            delete.IfGenerationMatch = generation;
            await delete.ExecuteAsync(cancellationToken);
        }
        catch (GoogleApiException e) when (
            e.HttpStatusCode is HttpStatusCode.NotFound or HttpStatusCode.PreconditionFailed)
        {
            // Gone, or replaced by another version, which is not ours to delete.
        }
        catch (GoogleApiException e)
        {
            throw Refused("delete", name, e.HttpStatusCode, e.Error?.Message ?? e.Message, e);
        }
    }

    public async Task EraseAsync(string name, long? newest, CancellationToken cancellationToken)
    {
        await foreach (var version in VersionsAsync(name, cancellationToken))
        {
            if (version.Name == name && (newest is null || version.Generation <= newest))
            {
                await EraseVersionAsync(version, cancellationToken);
            }
        }
    }

    // In a bucket that keeps versions a name comes as often as it has some, one after the other.
    public async IAsyncEnumerable<string> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? last = null;
        await foreach (var version in VersionsAsync(prefix, cancellationToken))
        {
            if (version.Name != last)
            {
                yield return last = version.Name;
            }
        }
    }

    private async IAsyncEnumerable<StorageObject> VersionsAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var list = storage.Objects.List(bucket);
        list.Prefix = prefix;
        list.Versions = true;
        do
        {
            Google.Apis.Storage.v1.Data.Objects page;
            try
            {
                page = await list.ExecuteAsync(cancellationToken);
            }
            catch (GoogleApiException e)
            {
                throw Refused("list", prefix, e.HttpStatusCode, e.Error?.Message ?? e.Message, e);
            }

            foreach (var version in page.Items ?? [])
            {
                yield return version;
            }

            list.PageToken = page.NextPageToken;
        }
        while (list.PageToken is not null);
    }

    // By its number: a deletion without one would only make the live version an older one.
    private async Task EraseVersionAsync(StorageObject version, CancellationToken cancellationToken)
    {
        try
        {
            var delete = storage.Objects.Delete(bucket, version.Name);
            delete.Generation = version.Generation;
            await delete.ExecuteAsync(cancellationToken);
        }
        catch (GoogleApiException e) when (e.HttpStatusCode == HttpStatusCode.NotFound)
        {
            // Somebody else was quicker.
        }
        catch (GoogleApiException e)
        {
            throw Refused("delete", version.Name, e.HttpStatusCode, e.Error?.Message ?? e.Message, e);
        }
    }

    private async Task<StorageObject?> FindAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await storage.Objects.Get(bucket, name).ExecuteAsync(cancellationToken);
        }
        catch (GoogleApiException e) when (e.HttpStatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private DatasetStoreException Refused(
        string action, string name, HttpStatusCode status, string message, Exception? inner)
    {
        var isPermanent = status is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized
            or HttpStatusCode.Forbidden or HttpStatusCode.NotFound;
        return new($"Cloud Storage did not {action} {UriOf(name)}: {(int)status} {message}", isPermanent, inner);
    }

    /// <summary>One resumable upload, fed through a pipe while the writer is still writing.</summary>
    private sealed class Upload : DatasetFile
    {
        private readonly GcsDatasetStore _store;
        private readonly string _name;
        private readonly Pipe _pipe = new(
            new PipeOptions(pauseWriterThreshold: ChunkSize, resumeWriterThreshold: ChunkSize / 2));
        private readonly HashingStream _content;
        private readonly CancellationTokenSource _abandoned;
        private readonly Task<UploadEnd> _upload;
        private bool _isCommitted;

        public Upload(
            GcsDatasetStore store, StorageService storage, string bucket, string name, string contentType,
            CancellationToken cancellationToken)
        {
            (_store, _name) = (store, name);
            _content = new HashingStream(_pipe.Writer.AsStream());
            _abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _upload = SendAsync(storage, bucket, name, contentType);
        }

        public override Stream Content => _content;

        public override async Task<StoredFile> CommitAsync(CancellationToken cancellationToken)
        {
            _isCommitted = true;
            await _pipe.Writer.CompleteAsync();
            var end = await _upload.WaitAsync(cancellationToken);
            var (crc, sha256) = (_content.Crc32C(), _content.Sha256());

            if (end.Failure is GoogleApiException { HttpStatusCode: HttpStatusCode.PreconditionFailed })
            {
                var existing = await _store.FindAsync(_name, cancellationToken);
                return existing is not null && existing.Crc32c == crc && (long)existing.Size!.Value == _content.Length
                    ? new(_store.UriOf(_name), existing.Generation!.Value, _content.Length, sha256)
                    : throw new DatasetConflictException(_store.UriOf(_name), existing?.Generation ?? 0);
            }

            if (end.Failure is not null)
            {
                throw Failed(end.Failure);
            }

            if (end.Stored!.Crc32c != crc)
            {
                // The bytes changed on their way. Nobody has seen the object yet: remove it, so that a repeat can write.
                await _store.DeleteAsync(_name, end.Stored.Generation, cancellationToken);
                throw new DatasetStoreException(
                    $"{_store.UriOf(_name)} arrived with CRC32C {end.Stored.Crc32c}, sent was {crc}",
                    isPermanent: false, inner: null);
            }

            return new(_store.UriOf(_name), end.Stored.Generation!.Value, _content.Length, sha256);
        }

        public override async ValueTask DisposeAsync()
        {
            if (!_isCommitted)
            {
                // A session that is never finalised leaves no object; the service forgets it after a week.
                await _abandoned.CancelAsync();
                await _pipe.Writer.CompleteAsync(new OperationCanceledException("the file was abandoned"));
            }

            _ = await _upload;
            _abandoned.Dispose();
            await _content.DisposeAsync();
        }

        private async Task<UploadEnd> SendAsync(StorageService storage, string bucket, string name, string contentType)
        {
            try
            {
                await using var bytes = _pipe.Reader.AsStream(leaveOpen: true);
                var media = new ObjectsResource.InsertMediaUpload(
                    storage, new StorageObject { Name = name }, bucket, bytes, contentType)
                {
                    ChunkSize = ChunkSize,
                    IfGenerationMatch = 0,
                };
                var end = await media.UploadAsync(_abandoned.Token);

                // UploadAsync does not throw for an answer of the service. A chunk that was refused can be sent again.
                for (var attempt = 0; IsWorthResuming(end) && attempt < 3; attempt++)
                {
                    end = await media.ResumeAsync(_abandoned.Token);
                }

                if (end.Status == UploadStatus.Completed)
                {
                    return new(media.ResponseBody, null);
                }

                // The name is taken: the writer goes on, so that its checksum can be compared.
                if (end.Exception is GoogleApiException { HttpStatusCode: HttpStatusCode.PreconditionFailed })
                {
                    await bytes.CopyToAsync(Stream.Null, _abandoned.Token);
                    return new(null, end.Exception);
                }

                var failure = end.Exception ?? new IOException($"the upload ended as {end.Status}");
                await _pipe.Reader.CompleteAsync(Failed(failure));
                return new(null, failure);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                await _pipe.Reader.CompleteAsync(e);
                return new(null, e);
            }
        }

        private static bool IsWorthResuming(IUploadProgress end) =>
            end.Status == UploadStatus.Failed
            && (end.Exception is HttpRequestException or IOException
                || (end.Exception is GoogleApiException e
                    && (e.HttpStatusCode == HttpStatusCode.TooManyRequests || (int)e.HttpStatusCode >= 500)));

        private Exception Failed(Exception failure) => failure switch
        {
            GoogleApiException e => _store.Refused("write", _name, e.HttpStatusCode, e.Error?.Message ?? e.Message, e),
            OperationCanceledException => failure,
            _ => new DatasetStoreException(
                $"Writing {_store.UriOf(_name)} broke off: {failure.Message}", isPermanent: false, failure),
        };

        private sealed record UploadEnd(StorageObject? Stored, Exception? Failure);
    }
}
