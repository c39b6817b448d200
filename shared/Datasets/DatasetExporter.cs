using System.Buffers.Binary;
using System.Security.Cryptography;
using FeedbackLoop.Examples;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Datasets;

/// <summary>What an export came to.</summary>
public abstract record ExportResult
{
    private ExportResult()
    {
    }

    /// <param name="Validation">Null when no document fell on the validation side.</param>
    /// <param name="Test">Null when no document is held out.</param>
    public sealed record Exported(
        StoredFile Train, StoredFile? Validation, StoredFile? Test, StoredFile Metadata, DatasetMetadata Content)
        : ExportResult;

    /// <param name="Reason">With the numbers, for the person who asked.</param>
    /// <param name="SnapshotAt">UTC time of the one consistent reading.</param>
    public sealed record Refused(string Reason, DatasetStatistics Statistics, DateTimeOffset SnapshotAt) : ExportResult;
}

/// <summary>
/// Verified extractions to <c>train.jsonl</c>, <c>validation.jsonl</c>, <c>test.jsonl</c> and <c>metadata.json</c>.
/// </summary>
/// <remarks>
/// One counting query decides which texts with nothing to find are taken, and which of a person who has decided about too many.
/// After it comes one pass: the exporter reads, decides, writes and sends on row by row. Memory grows by two short hashes per
/// example, which find duplicates, by one number per extraction whose text holds nothing, or whose saying so is contradicted,
/// and, where no person may have more than a share, by one per extraction. The same data and seed give the same bytes.
/// </remarks>
/// <param name="open">A connection that sees the scope: any one of the pool, or one that is bound to a tenant.</param>
public sealed class DatasetExporter(
    Func<CancellationToken, ValueTask<NpgsqlConnection>> open, PiiScanner scanner, TokenCounter tokens, Failpoints failpoints,
    IOptions<VerificationOptions> verification)
{
    private const string JsonLines = "application/jsonl";

    public DatasetExporter(
        NpgsqlDataSource database, PiiScanner scanner, TokenCounter tokens, Failpoints failpoints,
        IOptions<VerificationOptions> verification)
        : this(database.OpenConnectionAsync, scanner, tokens, failpoints, verification)
    {
    }

    /// <param name="folder">Where the files go below the store's root, with a slash at the end; empty for the root.</param>
    /// <param name="testShare">Share of the documents that are held out, see <see cref="ExportOptions.TestShare"/>.</param>
    /// <param name="maxContributorShare">See <see cref="ExportOptions.MaxContributorShare"/>; 1: no limit.</param>
    /// <param name="minExamples">Fewer examples are refused, and no file is left behind.</param>
    /// <param name="progress">Called now and then with what has been done.</param>
    /// <param name="origin">Called for each written example, in the order of the writing.</param>
    /// <exception cref="DatasetConflictException">A file of that name with other content is there.</exception>
    /// <exception cref="DatasetStoreException">The store refused.</exception>
    public async Task<ExportResult> ExportAsync(
        Scope scope, ExportCriteria criteria, double testShare, double maxContributorShare, int minExamples,
        IDatasetStore store, string folder, Func<ExportProgress, CancellationToken, Task> progress,
        Func<ExampleOrigin, CancellationToken, Task> origin,
        CancellationToken cancellationToken)
    {
        var selection = new KnowledgeSelection(
            scope.OrganizationId, scope.ProjectId, VerificationRule.Of(criteria, verification.Value), IncludeDeleted: true,
            criteria.Seed, IsAttributed: maxContributorShare < ContributorShare.Off);
        await using var snapshot = await KnowledgeSnapshot.OpenAsync(open, selection, cancellationToken);
        var statistics = new DatasetStatistics(tokens, criteria.TokenFactor) { IsAttributed = selection.IsAttributed };
        if (snapshot.Projects.Count == 0)
        {
            return new ExportResult.Refused(
                scope.IsGeneral
                    ? $"organization {scope.OrganizationId} has no projects"
                    : $"organization {scope.OrganizationId} has no project {scope.ProjectId}",
                statistics,
                snapshot.TakenAt);
        }

        var types = await snapshot.ListTypesAsync(verification.Value, cancellationToken);
        foreach (var each in types.Values)
        {
            statistics.AddTypes(each);
        }

        var prompts = types.ToDictionary(t => t.Key, t => ExtractionPrompt.For(t.Value));
        var chosen = await TextSelection.ChooseAsync(snapshot, criteria, testShare, maxContributorShare, cancellationToken);
        statistics.MaxContributorShare = chosen.Contributors.IsLimited ? maxContributorShare : null;
        var seen = new HashSet<ulong>();
        var heldOut = new Dictionary<ulong, bool>();
        var writer = new ExampleWriter();
        var lines = new LinePii(scanner);
        var quotas = new ExampleQuotas(
            new(criteria.MaxEmptyShare), new(statistics.MaxContributorShare ?? ContributorShare.Off),
            new(criteria.MaxValidationExamples));
        await using var train = new LazyFile(store, folder + DatasetFiles.Train);
        await using var validation = new LazyFile(store, folder + DatasetFiles.Validation);
        await using var test = new LazyFile(store, folder + DatasetFiles.Test);

        await foreach (var candidate in snapshot.ReadCandidatesAsync(chosen.Contradicted, cancellationToken))
        {
            statistics.AddCandidate(candidate);
            var decision = ExampleRules.Decide(
                candidate, criteria, scanner, candidate.Chunk is { } of ? types[of.ProjectId] : ExtractionTypes.None);
            if (decision is ExampleRules.Decision.Excluded { Reason: var reason })
            {
                statistics.Exclude(reason);
                continue;
            }

            var (example, leftOut) = (ExampleRules.Decision.Accepted)decision;
            var chunk = candidate.Chunk!.Value;
            writer.Write(prompts[chunk.ProjectId], example);
            if (!writer.IsAnswerValid())
            {
                statistics.Exclude(ExclusionReason.InvalidAnswer);
                continue;
            }

            if (criteria.Pii != PiiPolicy.Allow && lines.IsIn(writer.Line))
            {
                statistics.Exclude(ExclusionReason.Pii);
                continue;
            }

            if (!TokenCounter.CertainlyFits(writer.ContentBytes, criteria.TokenFactor, criteria.MaxTokens)
                && tokens.Count(writer.Line.Span, criteria.TokenFactor) > criteria.MaxTokens)
            {
                statistics.Exclude(ExclusionReason.TooManyTokens);
                continue;
            }

            // Which project it is from does not count: the same text with the same answer teaches nothing twice.
            var hash = ExampleOrigin.HashOf(example.Text, writer.Answer.Span);
            if (!seen.Add(BinaryPrimitives.ReadUInt64BigEndian(hash)))
            {
                statistics.Exclude(ExclusionReason.Duplicate);
                continue;
            }

            // A text that stands in two documents must not be learnt from in one and asked about in the other.
            var side = DocumentSplit.SideOf(criteria.Seed, chunk.DocumentId, testShare, criteria.ValidationShare);
            var text = BinaryPrimitives.ReadUInt64BigEndian(ExampleOrigin.HashOf(example.Text, []));
            if (!heldOut.TryAdd(text, side == DocumentSplit.Test) && heldOut[text] != (side == DocumentSplit.Test))
            {
                statistics.Exclude(ExclusionReason.HeldOutText);
                continue;
            }

            if (example.IsEmpty && side != DocumentSplit.Test && !chosen.EmptyTexts.Takes(criteria.Seed, chunk.JobId))
            {
                statistics.Exclude(ExclusionReason.EmptyShare);
                continue;
            }

            // What is held out teaches nothing, whoever has decided about it; leaving some out would only have models asked less.
            if (side != DocumentSplit.Test && !chosen.Contributors.Takes(chunk.JobId, chunk.Contributor))
            {
                statistics.Exclude(ExclusionReason.ContributorShare);
                continue;
            }

            var line = new ExampleLine(
                example, leftOut, new ExampleOrigin(chunk.JobId, chunk.ChunkId, chunk.DocumentId, side, hash), writer.Line,
                writer.ContentBytes, chunk.Contributor);
            foreach (var each in quotas.Pass(line))
            {
                await WriteAsync(each);
            }
        }

        quotas.CountSurplus(statistics);
        if (Refusal(scope, minExamples, statistics) is { } refusal)
        {
            return new ExportResult.Refused(refusal, statistics, snapshot.TakenAt);
        }

        return await CommitAsync(
            scope, criteria, testShare, snapshot.TakenAt, prompts, types, statistics, store, folder,
            (train, validation, test), cancellationToken);

        async Task WriteAsync(ExampleLine line)
        {
            var file = line.Origin.Split switch
            {
                DocumentSplit.Train => train,
                DocumentSplit.Validation => validation,
                _ => test,
            };
            await (await file.ContentAsync(cancellationToken)).WriteAsync(line.Line, cancellationToken);
            statistics.AddExample(line);
            await origin(line.Origin, cancellationToken);
            await progress(
                new ExportProgress(statistics.Candidates, statistics.Examples, train.Bytes + validation.Bytes + test.Bytes),
                cancellationToken);
        }
    }

    private async Task<ExportResult> CommitAsync(
        Scope scope, ExportCriteria criteria, double testShare, DateTimeOffset snapshotAt,
        Dictionary<Guid, ExtractionPrompt> prompts, IReadOnlyDictionary<Guid, ExtractionTypes> types,
        DatasetStatistics statistics, IDatasetStore store, string folder, (LazyFile Train, LazyFile Validation, LazyFile Test) written,
        CancellationToken cancellationToken)
    {
        var trainFile = await written.Train.CommitAsync(cancellationToken)
            ?? throw new InvalidOperationException("there are train examples, so there is a train file");
        await failpoints.ReachAsync(Failpoint.TrainFileStored);
        var validationFile = await written.Validation.CommitAsync(cancellationToken);
        var testFile = await written.Test.CommitAsync(cancellationToken);

        var files = new Dictionary<string, DatasetFileInfo>
        {
            [DatasetFiles.Train] = new(statistics.TrainExamples, trainFile.Bytes, trainFile.Sha256),
        };
        if (validationFile is not null)
        {
            files[DatasetFiles.Validation] = new(
                statistics.ValidationExamples, validationFile.Bytes, validationFile.Sha256);
        }

        if (testFile is not null)
        {
            files[DatasetFiles.Test] = new(statistics.TestExamples, testFile.Bytes, testFile.Sha256);
        }

        var metadata = new DatasetMetadata(
            scope.OrganizationId,
            scope.ProjectId,
            snapshotAt,
            criteria.Seed,
            testShare,
            criteria,
            PromptHash(scope, prompts),
            prompts.OrderBy(p => p.Key).ToDictionary(p => p.Key.ToString(), p => p.Value.System),
            files,
            statistics.Counts,
            statistics.EntityTypes,
            statistics.RelationshipTypes,
            statistics.Averages,
            statistics.Maxima,
            statistics.Excluded,
            statistics.LeftOut,
            statistics.EmptyTexts,
            PromptPart.LeftOutOf(types),
            statistics.Contributors);

        var metadataStored = await StoreMetadataAsync(store, folder + DatasetFiles.Metadata, metadata, cancellationToken);
        await failpoints.ReachAsync(Failpoint.MetadataStored);
        return new ExportResult.Exported(trainFile, validationFile, testFile, metadataStored, metadata);
    }

    // An operator who exports the same data to the same folder again writes the same examples at another time, so only
    // this file differs, and the later one is the true one. The claims of a run have a folder each and never come here
    // twice.
    private static async Task<StoredFile> StoreMetadataAsync(
        IDatasetStore store, string name, DatasetMetadata metadata, CancellationToken cancellationToken)
    {
        for (var isRepeat = false; ; isRepeat = true)
        {
            await using var file = await store.CreateAsync(name, "application/json", cancellationToken);
            await file.Content.WriteAsync(metadata.ToJson(), cancellationToken);
            try
            {
                return await file.CommitAsync(cancellationToken);
            }
            catch (DatasetConflictException e) when (!isRepeat)
            {
                await store.DeleteAsync(name, e.Generation, cancellationToken);
            }
        }
    }

    private static string? Refusal(Scope scope, int minExamples, DatasetStatistics statistics)
    {
        var excluded = statistics.Excluded.Count == 0
            ? ""
            : $" Left out: {string.Join(", ", statistics.Excluded.Select(e => $"{e.Value} {e.Key}"))}.";
        return statistics switch
        {
            { Candidates: 0 } => $"{scope} has no extracted objects",
            _ when statistics.Examples < minExamples =>
                $"{statistics.Examples} usable examples of {statistics.Candidates} extractions, {minExamples} needed."
                + excluded,
            { TrainExamples: 0 } =>
                $"all {statistics.Examples} examples are of documents that validate or are held out; none is left to train on",
            _ => null,
        };
    }

    private static string PromptHash(Scope scope, Dictionary<Guid, ExtractionPrompt> prompts) =>
        scope.ProjectId is { } project
            ? prompts[project].Hash
            : Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join(
                '\n', prompts.Values.Select(p => p.Hash).Order(StringComparer.Ordinal).Prepend(
                    ExtractionPrompt.TemplateHash)))));

    /// <summary>A file that exists only once something is written to it: no empty dataset is ever left behind.</summary>
    private sealed class LazyFile(IDatasetStore store, string name) : IAsyncDisposable
    {
        private DatasetFile? _file;

        public long Bytes => _file?.Content.Length ?? 0;

        public async ValueTask<Stream> ContentAsync(CancellationToken cancellationToken) =>
            (_file ??= await store.CreateAsync(name, JsonLines, cancellationToken)).Content;

        public async Task<StoredFile?> CommitAsync(CancellationToken cancellationToken) =>
            _file is null ? null : await _file.CommitAsync(cancellationToken);

        public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
