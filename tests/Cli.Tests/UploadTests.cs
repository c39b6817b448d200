using System.Security.Cryptography;
using System.Text;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Local.CloudStorage;

namespace FeedbackLoop.Cli;

/// <summary><c>upload-training-data</c> against Cloud Storage's protocol over HTTP. It needs no database.</summary>
public sealed class UploadTests : IAsyncLifetime
{
    private const string Train = """{"contents":[]}""" + "\n";
    private const string Validation = """{"contents":[1]}""" + "\n";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cli-upload-");
    private CloudStorageServer _storage = null!;  // xunit initializes it before each test
    private GcsDatasetStore _bucket = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Folder => Path.Combine(_directory.FullName, "dataset");

    public async ValueTask InitializeAsync()
    {
        _storage = await CloudStorageServer.StartAsync(
            new() { DataDirectory = Path.Combine(_directory.FullName, "storage") }, Cancellation);
        var service = GcsDatasetStore.CreateService(_storage.Address, credential: null);
        await service.Buckets.Insert(new() { Name = "datasets" }, "demo").ExecuteAsync(Cancellation);
        _bucket = new GcsDatasetStore(service, "datasets");
        Directory.CreateDirectory(Folder);
        Write("train.jsonl", Train);
        Write("validation.jsonl", Validation);
        Write("metadata.json", Metadata(("train.jsonl", Train), ("validation.jsonl", Validation)));
    }

    public async ValueTask DisposeAsync()
    {
        await _storage.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task The_files_arrive_byte_for_byte_with_metadata_last()
    {
        var result = await UploadAsync("gs://datasets/review/one", "--json");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            [
                "gs://datasets/review/one/train.jsonl", "gs://datasets/review/one/validation.jsonl",
                "gs://datasets/review/one/metadata.json",
            ],
            result.Json.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("uri").GetString()));
        Assert.Equal(Train, await ReadAsync("review/one/train.jsonl"));
        Assert.Equal(Validation, await ReadAsync("review/one/validation.jsonl"));
        Assert.Equal(File.ReadAllText(Path.Combine(Folder, "metadata.json")), await ReadAsync("review/one/metadata.json"));
    }

    [Fact]
    public async Task The_same_content_counts_as_uploaded_and_other_content_is_never_overwritten()
    {
        var first = await UploadAsync("gs://datasets/a/");
        var second = await UploadAsync("gs://datasets/a");
        Write("train.jsonl", Validation);
        Write("metadata.json", Metadata(("train.jsonl", Validation), ("validation.jsonl", Validation)));
        var other = await UploadAsync("gs://datasets/a/");

        Assert.Equal((0, 0, 3), (first.ExitCode, second.ExitCode, other.ExitCode));
        Assert.Matches(
            @"^error: gs://datasets/a/train\.jsonl exists with other content \(generation \d+\)\nNothing was overwritten\. ",
            other.Error);
        Assert.Equal(Train, await ReadAsync("a/train.jsonl"));
    }

    [Fact]
    public async Task A_data_set_without_a_validation_side_has_two_files()
    {
        File.Delete(Path.Combine(Folder, "validation.jsonl"));
        Write("metadata.json", Metadata(("train.jsonl", Train)));

        var result = await UploadAsync("gs://datasets", "--json");

        Assert.Equal(2, result.Json.GetProperty("files").GetArrayLength());
        Assert.Equal(Train, await ReadAsync("train.jsonl"));
    }

    [Fact]
    public async Task A_large_file_streams_in_chunks()
    {
        var large = string.Concat(Enumerable.Repeat(Train, 700_000));
        Write("train.jsonl", large);
        Write("metadata.json", Metadata(("train.jsonl", large), ("validation.jsonl", Validation)));

        var result = await UploadAsync("gs://datasets/large/", "--json");

        Assert.Equal(large.Length, result.Json.GetProperty("files")[0].GetProperty("bytes").GetInt64());
        Assert.True(_storage.Requests[StorageOperation.WriteChunk] >= 3);
    }

    [Theory]
    [InlineData("train.jsonl", "{}\n", "train.jsonl has SHA-256 ")]
    [InlineData("train.jsonl", null, "metadata.json names train.jsonl, which is not there")]
    [InlineData("validation.jsonl", null, "metadata.json names validation.jsonl, which is not there")]
    [InlineData("metadata.json", null, "{0} has no metadata.json")]
    [InlineData("metadata.json", "{", "{0}/metadata.json is not the statistics of a dataset: ")]
    [InlineData("metadata.json", "{}", "{0}/metadata.json names other files than train.jsonl, validation.jsonl, test.jsonl")]
    [InlineData(
        "metadata.json", """{"files":{"train.jsonl":{"sha256":"x"},"../../etc/passwd":{"sha256":"x"}}}""",
        "{0}/metadata.json names other files than train.jsonl, validation.jsonl, test.jsonl")]
    [InlineData(
        "metadata.json", """{"files":{"train.jsonl":{"sha256":"x"}}}""",
        "{0} has a validation.jsonl that metadata.json does not name")]
    public async Task What_does_not_fit_together_is_refused_before_a_byte_goes_out(
        string file, string? content, string problem)
    {
        if (content is null)
        {
            File.Delete(Path.Combine(Folder, file));
        }
        else
        {
            Write(file, content);
        }

        var result = await UploadAsync("gs://datasets/refused/");

        Assert.Equal((3, ""), (result.ExitCode, result.Output));
        Assert.StartsWith(
            $"error: {problem.Replace("{0}", Folder, StringComparison.Ordinal)}", result.Error, StringComparison.Ordinal);
        Assert.EndsWith(
            "Export the data again: feedbackloop export-training-data … --output FOLDER\n", result.Error,
            StringComparison.Ordinal);
        Assert.DoesNotContain(StorageOperation.StartUpload, _storage.Requests.Keys);
    }

    [Fact]
    public async Task A_bucket_that_refuses_exits_with_4()
    {
        _storage.Faults.Deny("datasets");

        var denied = await UploadAsync("gs://datasets/a/");
        var missing = await UploadAsync("gs://elsewhere/a/");

        Assert.Equal((4, 4), (denied.ExitCode, missing.ExitCode));
        Assert.StartsWith(
            "error: Cloud Storage did not write gs://datasets/a/train.jsonl: 403 ", denied.Error, StringComparison.Ordinal);
        Assert.StartsWith(
            "error: Cloud Storage did not write gs://elsewhere/a/train.jsonl: 404 ", missing.Error,
            StringComparison.Ordinal);
        Assert.EndsWith(
            "Check the name of the bucket, and that these credentials may write to it.\n", denied.Error,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("review", "review names no bucket")]
    [InlineData("gs://", "gs:// names no bucket")]
    [InlineData("gs://Großes/a", "gs://Großes/a names no bucket")]
    [InlineData("s3://bucket/a", "s3://bucket/a names no bucket")]
    public async Task A_target_that_is_no_bucket_exits_with_2(string target, string problem)
    {
        var result = await UploadAsync(target);

        Assert.Equal(
            (2, "", $"error: {problem}\nWrite gs://bucket or gs://bucket/folder.\n"),
            (result.ExitCode, result.Output, result.Error));
    }

    [Fact]
    public async Task A_folder_name_that_no_object_can_have_exits_with_2()
    {
        var result = await UploadAsync($"gs://datasets/{new string('a', 1_000)}");

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("error: the folder in gs://datasets/… has 1001 characters", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_without_credentials_is_told_how_to_get_them()
    {
        var environment = new Dictionary<string, string?> { ["HOME"] = _directory.FullName, ["NO_GCE_CHECK"] = "true" };

        var result = await FeedbackloopProcess.RunAsync(
            environment, "", "upload-training-data", Folder, "--to", "gs://datasets/a/");

        Assert.Equal(4, result.ExitCode);
        Assert.StartsWith(
            "error: there are no Google credentials on this machine\nRun: gcloud auth application-default login",
            result.Error, StringComparison.Ordinal);
    }

    private static string Metadata(params (string Name, string Content)[] files) =>
        $$$"""{"seed":1,"files":{{{{string.Join(",", files.Select(file => $$"""
            "{{file.Name}}":{"examples":1,"bytes":{{file.Content.Length}},"sha256":"{{Sha256(file.Content)}}"}
            """.Trim()))}}}}}""";

    private static string Sha256(string content) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(Folder, name), content);

    private async Task<string> ReadAsync(string name)
    {
        await using var content = await _bucket.OpenReadAsync(name, generation: null, Cancellation);
        return await new StreamReader(content).ReadToEndAsync(Cancellation);
    }

    private Task<CommandResult> UploadAsync(string target, params string[] args) => FeedbackloopProcess.RunAsync(
        new Dictionary<string, string?> { ["STORAGE_EMULATOR_HOST"] = $"{_storage.Address.Host}:{_storage.Address.Port}" },
        "", ["upload-training-data", Folder, "--to", target, .. args]);
}
