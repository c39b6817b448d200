using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Examples;
using FeedbackLoop.Export;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.PollTuning;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Statistics;
using FeedbackLoop.Testing;
using FeedbackLoop.Train;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>The steps as they are deployed, each with connections of its own, over the world of one play.</summary>
internal sealed class Steps(
    IDatasetStore store, ITuningService vertex, IMessagePublisher bus, TimeProvider time, int seed)
{
    private static readonly BaseModelCatalogue Models = new()
    {
        DefaultId = "gemini-3.1-flash-lite",
        Models =
        [
            new BaseModel
            {
                Id = "gemini-3.1-flash-lite",
                Tunable = true,
                ContinuousTuning = true,
                ServingLocations = new Dictionary<string, string> { ["us-central1"] = "us" },
                AdapterSizes = [4],
                TrainingPrice = 3,
                Thinking = ThinkingSetting.Minimal,
            },
        ],
    };

    private static readonly PiiScanner Scanner = new();
    private static readonly TokenCounter Tokens = new();
    private static readonly IOptions<BaseModelCatalogue> Catalogue = Options.Create(Models);

    private static readonly SpendingTerms Terms = new(new SpendingOptions(), Models);

    private static readonly IOptions<ExportOptions> Export = Options.Create(
        new ExportOptions { MinProjectExamples = 1, TestShare = 0 });

    // Each deadline is there, and short enough that a run without hope goes through them all in a few rounds.
    private static readonly IOptions<TuningOptions> Tuning = Options.Create(new TuningOptions
    {
        PollDelays = [TimeSpan.FromMinutes(5)],
        TuningDeadline = TimeSpan.FromHours(4),
        EvaluatingDeadline = TimeSpan.FromHours(1),
        CancelDeadline = TimeSpan.FromHours(2),
    });

    private static readonly IOptions<SweepOptions> SweepSettings = Options.Create(
        new SweepOptions { Parallelism = 1, Patience = TimeSpan.FromMinutes(2) });

    private readonly Failpoints _failpoints = new();

    /// <summary>Where there are no runs.</summary>
    public static Steps Nowhere
    {
        get
        {
            var (random, time, files) = (new Random(0), new FakeTimeProvider(), new MemoryDatasetStore());
            return new(files, new SimulatedVertex(random, time, files), new Bus(random, missing: null), TimeProvider.System, 0);
        }
    }

    public Task DeliverAsync(NpgsqlDataSource database, string topic, string payload, CancellationToken cancellationToken) =>
        topic switch
        {
            Topics.ExportRequested => ExportAsync(
                database, Read(payload, MessageJson.Default.ExportRequested), cancellationToken),
            Topics.DatasetExported => Train(database).RunAsync(
                Read(payload, MessageJson.Default.DatasetExported), cancellationToken),
            Topics.TuningStarted => Poll(database).RunAsync(
                Read(payload, MessageJson.Default.TuningStarted), cancellationToken),

            // The next one wakes schedules, of which there are none.
            Topics.TrainingFinished => Task.CompletedTask,
            _ => throw new InvalidOperationException($"nobody receives {topic}"),
        };

    public Task SweepAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var reconciler = new TuningReconciler(
            database, store, vertex, time, Tuning, NullLogger<TuningReconciler>.Instance);
        var duplicates = new DuplicateSearch(database, vertex, time, NullLogger<DuplicateSearch>.Instance);
        return new SweepStep(
            database, Outbox(database), reconciler,
            new JobSweep(
                database, vertex, new JobListReader(vertex, time), reconciler, duplicates, Tuning, SweepSettings,
                NullLogger<JobSweep>.Instance),
            new RunSweep(database, Poll(database), time, SweepSettings, NullLogger<RunSweep>.Instance),
            new ExtractionSweep(database, bus, Terms, time, SweepSettings),
            new StatisticsSweep(
                database, new StatisticsFold(database, CountingRules.Default), time, SweepSettings,
                NullLogger<StatisticsSweep>.Instance),
            new LeftoverSweep(database, store, SweepSettings, NullLogger<LeftoverSweep>.Instance),
            new DocumentSweep(
                database, new DocumentForgetting(database, store, _failpoints, time), time, SweepSettings,
                NullLogger<DocumentSweep>.Instance),
            Terms, time, SweepSettings, NullLogger<SweepStep>.Instance).RunAsync(new PollTick(), cancellationToken);
    }

    private async Task ExportAsync(
        NpgsqlDataSource database, ExportRequested message, CancellationToken cancellationToken)
    {
        using var step = new ExportStep(
            database,
            new DatasetExporter(
                database, Scanner, Tokens, _failpoints, Options.Create(new VerificationOptions())),
            store, Outbox(database), _failpoints, time, Export, Catalogue, Tuning, NullLogger<ExportStep>.Instance);
        await step.RunAsync(message, cancellationToken);
    }

    private TrainStep Train(NpgsqlDataSource database) => new(
        database, store, vertex, new JobLookup(vertex, new JobListReader(vertex, time), Tuning),
        new TuningCall(
            database, vertex, _failpoints, time, new Random(seed), Tuning, Terms, NullLogger<TuningCall>.Instance),
        Outbox(database), _failpoints, time, Tuning, Catalogue, NullLogger<TrainStep>.Instance);

    private PollTuningStep Poll(NpgsqlDataSource database) => new(
        database, vertex,
        new HeldOutEvaluation(
            database, new NoModel(), store, _failpoints, time, Options.Create(new EvaluationOptions { MaxChunks = 0 }),
            Catalogue, Tuning, Terms, NullLogger<HeldOutEvaluation>.Instance),
        new ModelRegistration(Catalogue, time), Outbox(database), _failpoints, Tuning, NullLogger<PollTuningStep>.Instance);

    private OutboxRelay Outbox(NpgsqlDataSource database) => new(database, bus, _failpoints, time);

    private static T Read<T>(string payload, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(payload, type) ?? throw new InvalidOperationException($"{payload} is no message");

    /// <summary>Nothing is held out, so no model is asked.</summary>
    private sealed class NoModel : IExtractionModel
    {
        public Task<ExtractionAnswer> GenerateAsync(
            string baseModel, string? endpoint, string systemText, string userText, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("nobody is asked in a play");
    }
}
