using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FeedbackLoop.Access;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Local.CloudScheduler;
using FeedbackLoop.Local.CloudStorage;
using FeedbackLoop.Local.Identity;
using FeedbackLoop.Local.PubSub;
using FeedbackLoop.Local.VertexAi;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using Google.Cloud.Functions.Hosting;
using Google.Cloud.PubSub.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using SchedulerService = Google.Cloud.Scheduler.V1.CloudScheduler;

namespace FeedbackLoop.Local;

/// <summary>How a local chain is laid out.</summary>
public sealed class LocalChainOptions
{
    /// <summary>Npgsql connection string of a migrated database, for the role that the functions use.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>The same database, for the role that the admin API uses.</summary>
    public required string ApiConnectionString { get; init; }

    /// <summary>Port of the admin API; 0 takes a free one.</summary>
    public int ApiPort { get; init; }

    /// <summary>Holds objects, jobs, learned models and the keys of the people's issuer.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Further settings of all functions, above their own file.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>();

    public PubSubOptions PubSub { get; init; } = new();

    /// <summary>Times of the tuning jobs.</summary>
    public TimeSpan JobPending { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan JobRunning { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>By which tuning jobs wait and run.</summary>
    public TimeProvider JobTime { get; init; } = TimeProvider.System;

    /// <summary>Jobs that Cloud Scheduler has from the start; without them the chain ticks when it is told to.</summary>
    public IReadOnlyList<TickJob> TickJobs { get; init; } = [];

    /// <summary>When those jobs are due.</summary>
    public TimeProvider SchedulerTime { get; init; } = TimeProvider.System;

    /// <summary>Registered in each function after its own startups.</summary>
    public FunctionsStartup? ExtraStartup { get; init; }

    public Action<ILoggingBuilder> Logging { get; init; } = _ => { };

    /// <summary>Address of a Pub/Sub emulator that is used instead of the stand-in.</summary>
    public Uri? PubSubEmulator { get; init; }
}

/// <summary>
/// The chain on one machine: the functions as they are deployed, and servers on loopback in place of Pub/Sub, Cloud Scheduler,
/// Cloud Storage and Vertex AI, joined by topics and push subscriptions.
/// </summary>
public sealed class LocalChain : IAsyncDisposable
{
    public const string GoogleProject = "local-project";
    public const string Location = "us-central1";
    public const string Bucket = "feedback-loop-datasets";

    /// <summary>What people's tokens are meant for.</summary>
    public const string ApiAudience = "feedback-loop-api";

    /// <summary>The browser UI at the people's issuer.</summary>
    public const string UiClientId = "admin-ui";

    /// <summary>The account that subscriptions push as.</summary>
    public const string PushAccount = $"push@{GoogleProject}.iam.gserviceaccount.com";

    private readonly List<IAsyncDisposable> _parts = [];
    private Publisher.PublisherClient? _publisher;
    private PushForwarder? _forwarder;

    private LocalChain()
    {
    }

    public Uri PubSubAddress { get; private set; } = null!;

    /// <summary>Null when an emulator takes its place.</summary>
    public PubSubServer? PubSub { get; private set; }

    public CloudSchedulerServer Scheduler { get; private set; } = null!;

    public CloudStorageServer Storage { get; private set; } = null!;

    public VertexAiServer Vertex { get; private set; } = null!;

    /// <summary>The issuer of people's tokens.</summary>
    public IdentityServer Identity { get; private set; } = null!;

    /// <summary>In place of Google's accounts: the issuer of push tokens.</summary>
    public IdentityServer GoogleAccounts { get; private set; } = null!;

    /// <summary>The event functions.</summary>
    public IReadOnlyList<FunctionHost> Functions { get; private set; } = [];

    public FunctionHost Api { get; private set; } = null!;

    /// <summary>
    /// Settings that all functions share: what another process needs to work on the same chain. Each event function has its
    /// <see cref="PushAudience"/> besides.
    /// </summary>
    public IReadOnlyDictionary<string, string?> Settings { get; private set; } = new Dictionary<string, string?>();

    public static async Task<LocalChain> StartAsync(LocalChainOptions options, CancellationToken cancellationToken)
    {
        var chain = new LocalChain();
        try
        {
            await chain.StartServicesAsync(options, cancellationToken);
            await chain.StartFunctionsAsync(options, cancellationToken);
            return chain;
        }
        catch
        {
            await chain.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a push to this function must be meant for.</summary>
    public static string PushAudience(string function) => $"https://{function.ToLowerInvariant()}.{GoogleProject}";

    /// <summary>What Cloud Scheduler does every five minutes.</summary>
    public Task TickAsync(CancellationToken cancellationToken) =>
        PublishAsync(Topics.PollTick, new PollTick(), MessageJson.Default.PollTick, cancellationToken);

    /// <summary>What Cloud Scheduler does every hour.</summary>
    public Task TickSchedulesAsync(CancellationToken cancellationToken) =>
        PublishAsync(Topics.ScheduleTick, new ScheduleTick(), MessageJson.Default.ScheduleTick, cancellationToken);

    /// <summary>What the product does when one of its extraction jobs is to be worked on.</summary>
    public Task RequestExtractionAsync(Guid jobId, CancellationToken cancellationToken) => PublishAsync(
        Topics.ExtractionRequested, new ExtractionRequested(jobId), MessageJson.Default.ExtractionRequested,
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }
    }

    private async Task StartServicesAsync(LocalChainOptions options, CancellationToken cancellationToken)
    {
        Storage = Own(await CloudStorageServer.StartAsync(
            new() { DataDirectory = Path.Combine(options.DataDirectory, "storage") }, cancellationToken));
        Vertex = Own(await VertexAiServer.StartAsync(
            new()
            {
                StorageAddress = Storage.Address,
                DataDirectory = Path.Combine(options.DataDirectory, "vertex"),
                PendingDuration = options.JobPending,
                RunningDuration = options.JobRunning,
                Time = options.JobTime,
                RequireShortLivedToken = true,
            },
            cancellationToken));
        Identity = Own(await IdentityServer.StartAsync(
            new()
            {
                StateFile = Path.Combine(options.DataDirectory, "identity.json"),
                People = stop => LocalPeople.ListAsync(options.ConnectionString, stop),
                Audience = ApiAudience,
                ClientId = UiClientId,
                TokenLifetime = TimeSpan.FromHours(8),
            },
            cancellationToken));

        // Google's name for itself, so that the functions' own default for the issuer holds here too.
        GoogleAccounts = Own(await IdentityServer.StartAsync(
            new() { Issuer = new PushOptions().Issuer }, cancellationToken));
        if (options.PubSubEmulator is null)
        {
            PubSub = Own(await PubSubServer.StartAsync(
                options.PubSub with { SignPush = GoogleAccounts.IssuePushToken }, cancellationToken));
        }
        else
        {
            _forwarder = Own(await PushForwarder.StartAsync(GoogleAccounts.IssuePushToken, cancellationToken));
        }

        PubSubAddress = options.PubSubEmulator ?? PubSub!.Address;
        Scheduler = Own(await CloudSchedulerServer.StartAsync(
            new() { PubSubAddress = PubSubAddress, Time = options.SchedulerTime }, cancellationToken));
        await CreateBucketAsync(cancellationToken);
    }

    private async Task StartFunctionsAsync(LocalChainOptions options, CancellationToken cancellationToken)
    {
        Settings = new Dictionary<string, string?>(options.Settings)
        {
            ["Database:ConnectionString"] = options.ConnectionString,
            ["GoogleCloud:ProjectId"] = GoogleProject,
            ["GoogleCloud:Location"] = Location,
            ["GoogleCloud:Bucket"] = Bucket,
            ["GoogleCloud:Environment"] = "local",
            ["GoogleCloud:TuningServiceAccount"] = $"tuning-creator@{GoogleProject}.iam.gserviceaccount.com",
            ["GoogleCloud:VertexAddress"] = Vertex.Address.ToString(),
            ["GoogleCloud:IamCredentialsAddress"] = Vertex.IamAddress.ToString(),
            ["GoogleCloud:PubSubAddress"] = PubSubAddress.ToString(),
            ["GoogleCloud:SchedulerAddress"] = Scheduler.Address.ToString(),
            ["GoogleCloud:StorageAddress"] = Storage.Address.ToString(),
            ["Push:MetadataAddress"] = GoogleAccounts.MetadataAddress.ToString(),
            ["Push:AllowHttp"] = "true",
            ["Push:ServiceAccount"] = PushAccount,
            ["Access:Authority"] = Identity.Issuer,
            ["Access:AllowHttp"] = "true",
            ["Access:Audience"] = ApiAudience,
            ["Access:ClientId"] = UiClientId,
        };

        var channel = GoogleChannel.Create(PubSubAddress, PubSubAddress, new GoogleAccess());
        _publisher = new Publisher.PublisherClient(channel);
        var subscriber = new Subscriber.SubscriberClient(channel);
        foreach (var topic in (string[])
            [
                Topics.ExportRequested, Topics.DatasetExported, Topics.TuningStarted, Topics.TrainingFinished, Topics.PollTick,
                Topics.ScheduleTick, Topics.ExtractionRequested,
            ])
        {
            await EnsureAsync(() => _publisher.CreateTopicAsync(
                new Topic { Name = TopicName(topic) }, cancellationToken: cancellationToken).ResponseAsync);
            await EnsureAsync(() => _publisher.CreateTopicAsync(
                new Topic { Name = TopicName(topic + "-dead") }, cancellationToken: cancellationToken).ResponseAsync);
        }

        var hosts = new List<FunctionHost>();
        foreach (var (name, topics) in ((string, string[])[])
            [
                ("ExportFunction", [Topics.ExportRequested]),
                ("TrainFunction", [Topics.DatasetExported]),
                ("PollTuningFunction", [Topics.TuningStarted, Topics.PollTick]),
                ("ScheduleTickFunction", [Topics.ScheduleTick, Topics.TrainingFinished]),
                ("ExtractFunction", [Topics.ExtractionRequested]),
            ])
        {
            var settings = new Dictionary<string, string?>(Settings) { ["Push:Audience"] = PushAudience(name) };
            var host = Own(await FunctionHost.StartAsync(
                name, settings, options.ExtraStartup, options.Logging, cancellationToken));
            hosts.Add(host);
            foreach (var topic in topics)
            {
                await SubscribeAsync(subscriber, topic, host, cancellationToken);
            }
        }

        Functions = hosts;
        var apiSettings = new Dictionary<string, string?>(Settings)
        {
            ["Database:ConnectionString"] = options.ApiConnectionString,
        };
        Api = Own(await FunctionHost.StartAsync(
            "AdminApiFunction", apiSettings, options.ExtraStartup, options.Logging, cancellationToken, options.ApiPort));
        Identity.AllowRedirects(Api.Address);
        await CreateJobsAsync(options.TickJobs, cancellationToken);
    }

    // As `feedbackloop schedule sync-jobs` does it.
    private async Task CreateJobsAsync(IReadOnlyList<TickJob> ticks, CancellationToken cancellationToken)
    {
        using var channel = GoogleChannel.CreateWithoutRetry(Scheduler.Address, Scheduler.Address, new GoogleAccess());
        var jobs = new SchedulerJobs(
            new SchedulerService.CloudSchedulerClient(channel), GoogleProject, Location, TimeProvider.System);
        foreach (var tick in ticks)
        {
            await jobs.SyncAsync(tick, isDryRun: false, cancellationToken);
        }
    }

    private async Task PublishAsync<T>(
        string topic, T message, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var published = new PubsubMessage
        {
            Data = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(message, type)),
            Attributes = { [Topics.Attribute] = topic },
        };
        await _publisher!.PublishAsync( // set before the chain is handed out
            new PublishRequest { Topic = TopicName(topic), Messages = { published } }, cancellationToken: cancellationToken);
    }

    // As Terraform does it: a push subscription with a token to the path of the topic, back-off, and a dead-letter topic.
    private async Task SubscribeAsync(
        Subscriber.SubscriberClient subscriber, string topic, FunctionHost function, CancellationToken cancellationToken)
    {
        var audience = PushAudience(function.Name);
        var endpoint = new Uri(function.Address, TopicName(topic));
        var subscription = new Subscription
        {
            Name = $"projects/{GoogleProject}/subscriptions/{topic}",
            Topic = TopicName(topic),
            AckDeadlineSeconds = 600,
            PushConfig = new PushConfig
            {
                PushEndpoint = (_forwarder?.Register(endpoint, PushAccount, audience) ?? endpoint).ToString(),
                OidcToken = new() { ServiceAccountEmail = PushAccount, Audience = audience },
            },
            RetryPolicy = new()
            {
                MinimumBackoff = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)),
                MaximumBackoff = Duration.FromTimeSpan(TimeSpan.FromSeconds(600)),
            },
            DeadLetterPolicy = new() { DeadLetterTopic = TopicName(topic + "-dead"), MaxDeliveryAttempts = 10 },
        };
        try
        {
            await subscriber.CreateSubscriptionAsync(subscription, cancellationToken: cancellationToken);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            // An emulator outlives this process; its subscription still points at the port of the last one.
            await subscriber.ModifyPushConfigAsync(
                new() { Subscription = subscription.Name, PushConfig = subscription.PushConfig },
                cancellationToken: cancellationToken);
        }
    }

    private async Task CreateBucketAsync(CancellationToken cancellationToken)
    {
        using var storage = GcsDatasetStore.CreateService(Storage.Address, credential: null);
        try
        {
            await storage.Buckets.Insert(new() { Name = Bucket }, GoogleProject).ExecuteAsync(cancellationToken);
        }
        catch (Google.GoogleApiException e) when (e.HttpStatusCode == System.Net.HttpStatusCode.Conflict)
        {
            // From an earlier start on the same data directory.
        }
    }

    private static async Task EnsureAsync(Func<Task> create)
    {
        try
        {
            await create();
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            // An emulator keeps its topics.
        }
    }

    private static string TopicName(string topic) => $"projects/{GoogleProject}/topics/{topic}";

    private T Own<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }
}
