using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Datasets;

namespace FeedbackLoop.Cli.Commands;

/// <summary>Where the files are now.</summary>
internal sealed record UploadResult(IReadOnlyList<StoredFile> Files, double Seconds);

/// <summary>A local export to Cloud Storage, byte for byte.</summary>
internal sealed class UploadCommand : OperatorCommand
{
    private const string Metadata = "metadata.json";
    private static readonly string[] DataFiles = ["train.jsonl", "validation.jsonl", "test.jsonl"];

    // A file of statistics is a few kilobytes; this bounds what is read into memory when the folder holds something else.
    private const int LargestMetadata = 16 * 1024 * 1024;

    private readonly TimeProvider _time;

    private readonly Argument<string> _folder = new("FOLDER")
    {
        Description = "What export-training-data wrote: train.jsonl, metadata.json, and validation.jsonl and test.jsonl if there are any.",
    };

    private readonly Option<string> _to = new("--to")
    {
        Description = "A folder in Cloud Storage. Nothing in it is overwritten; the same content counts as uploaded.",
        HelpName = "gs://…",
        Required = true,
    };

    public UploadCommand(TimeProvider time)
        : base(
            "upload-training-data",
            "Uploads a local export to Cloud Storage. Files that are not what metadata.json says are refused, and "
            + "metadata.json goes last: where it is, the others are complete.")
    {
        _time = time;
        Arguments.Add(_folder);
        Options.Add(_to);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop upload-training-data ./dataset --to gs://my-datasets/review/2026-10/",
        "STORAGE_EMULATOR_HOST=localhost:9199 feedbackloop upload-training-data ./dataset --to gs://trial/one --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var target = BucketFolder.Parse(arguments.GetRequiredValue(_to));
        var folder = arguments.GetRequiredValue(_folder);
        var (metadata, files) = await ReadMetadataAsync(folder, cancellationToken);
        var start = _time.GetTimestamp();
        var bytes = files.Sum(file => file.Info.Bytes);

        // Before the first byte goes out: a folder that does not fit together leaves nothing behind.
        foreach (var (name, info) in files)
        {
            await CheckAsync(Path.Combine(folder, name), name, info, cancellationToken);
        }

        var store = target.Open(OperatorSettings.Read(arguments));
        var stored = await output.WithProgressAsync($"Uploading {folder}", async show =>
        {
            var (done, before) = (new List<StoredFile>(), 0L);
            foreach (var (name, info) in files)
            {
                await using var content = Open(Path.Combine(folder, name));
                done.Add(await StoreAsync(
                    store, target.Folder + name, "application/jsonl", content, info.Sha256,
                    sent => show(bytes == 0 ? null : (double)(before + sent) / bytes), cancellationToken));
                before += info.Bytes;
            }

            await using var last = new MemoryStream(metadata);
            done.Add(await StoreAsync(
                store, target.Folder + Metadata, "application/json", last,
                Convert.ToHexStringLower(SHA256.HashData(metadata)), _ => { }, cancellationToken));
            return done;
        });

        var seconds = Math.Round(_time.GetElapsedTime(start).TotalSeconds, 2);
        output.Result(
            new UploadResult(stored, seconds), CliJson.Default.UploadResult,
            [
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{stored.Count} files, {stored.Sum(file => file.Bytes):N0} bytes in {seconds:N1} s."),
                .. stored.Select(file => file.Uri),
            ]);
        return ExitCode.Done;
    }

    private static async Task<(byte[] Metadata, List<(string Name, DatasetFileInfo Info)> Files)> ReadMetadataAsync(
        string folder, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder))
        {
            throw CommandException.Usage(
                File.Exists(folder) ? $"{folder} is a file" : $"there is no folder {folder}",
                "Name the folder that export-training-data wrote.");
        }

        var path = Path.Combine(folder, Metadata);
        if (!File.Exists(path))
        {
            throw Refused($"{folder} has no {Metadata}");
        }

        if (new FileInfo(path).Length > LargestMetadata)
        {
            throw Refused($"{path} is too large to be the statistics of a dataset");
        }

        var bytes = await File.ReadAllBytesAsync(path, cancellationToken);
        DatasetMetadata metadata;
        try
        {
            metadata = DatasetMetadata.FromJson(Encoding.UTF8.GetString(bytes));
        }
        catch (JsonException e)
        {
            // Not the reader's words, which name the member: types of a project are members there.
            throw Refused(string.Create(
                CultureInfo.InvariantCulture,
                $"{path} is not the statistics of a dataset: see line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}"));
        }

        // Only names that are known: the file comes from somewhere, and a name may lead out of the folder.
        if (metadata.Files is null
            || metadata.Files.Keys.FirstOrDefault(name => !DataFiles.Contains(name)) is not null
            || !metadata.Files.ContainsKey(DataFiles[0]))
        {
            throw Refused($"{path} names other files than {string.Join(", ", DataFiles)}");
        }

        // The other way round as well: a file that the statistics do not know is not part of this dataset.
        return DataFiles.FirstOrDefault(
            name => !metadata.Files.ContainsKey(name) && File.Exists(Path.Combine(folder, name))) is { } stranger
            ? throw Refused($"{folder} has a {stranger} that {Metadata} does not name")
            : (bytes, [.. DataFiles.Where(metadata.Files.ContainsKey).Select(name => (name, metadata.Files[name]))]);
    }

    private static async Task CheckAsync(
        string path, string name, DatasetFileInfo info, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            throw Refused($"{Metadata} names {name}, which is not there");
        }

        await using var content = Open(path);
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken));
        if (sha256 != info.Sha256)
        {
            throw Refused($"{name} has SHA-256 {sha256}, {Metadata} says {info.Sha256}");
        }
    }

    private static async Task<StoredFile> StoreAsync(
        IDatasetStore store, string name, string contentType, Stream content, string sha256, Action<long> progress,
        CancellationToken cancellationToken)
    {
        await using var file = await store.CreateAsync(name, contentType, cancellationToken);
        var buffer = new byte[128 * 1024];
        for (var sent = 0L; await content.ReadAsync(buffer, cancellationToken) is > 0 and var count;)
        {
            await file.Content.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            progress(sent += count);
        }

        var stored = await file.CommitAsync(cancellationToken);
        if (stored.Sha256 == sha256)
        {
            return stored;
        }

        await store.DeleteAsync(name, stored.Generation, cancellationToken);
        throw Refused($"{name} changed while it was uploaded, and is removed again");
    }

    private static FileStream Open(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);

    private static CommandException Refused(string problem) =>
        CommandException.Refused(problem, "Export the data again: feedbackloop export-training-data … --output FOLDER");
}
