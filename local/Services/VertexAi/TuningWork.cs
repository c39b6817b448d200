using FeedbackLoop.Local.VertexAi.Learning;
using Google.Cloud.AIPlatform.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>The life of a tuning job after its creation: pending, running, the end.</summary>
internal sealed partial class TuningWork(
    VertexAiOptions options, DatasetFile datasets, ModelRegistry models, Func<string> newId) : IDisposable
{
    private readonly ILogger _logger = options.Loggers.CreateLogger<TuningWork>();

    // Learning takes a whole processor; two jobs at once would only slow each other and the tests around them.
    private readonly SemaphoreSlim _learning = new(1);

    /// <param name="stopping">The server ends; the job stays as it is and goes on at the next start.</param>
    public async Task RunAsync(JobEntry entry, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(entry.Stop.Token, stopping);
        try
        {
            await RunAsync(entry, either);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Nothing to record.
        }
        catch (OperationCanceledException) when (entry.Stop.IsCancellationRequested)
        {
            End(entry, JobState.Cancelled, StatusCode.Cancelled, "The job was cancelled.");
        }
        catch (DatasetRefused e)
        {
            End(entry, JobState.Failed, StatusCode.InvalidArgument, e.Message);
        }
        catch (HttpRequestException e)
        {
            var name = entry.Read().Name;
            LogUnreadable(e, name);
            End(entry, JobState.Failed, StatusCode.NotFound, "The training dataset could not be read.");
        }
    }

    public void Dispose()
    {
        datasets.Dispose();
        _learning.Dispose();
    }

    private async Task RunAsync(JobEntry entry, CancellationTokenSource stop)
    {
        var created = entry.Read();
        await WaitUntilAsync(created.CreateTime.ToDateTimeOffset() + options.PendingDuration, stop.Token);
        Change(entry, (job, now) =>
        {
            job.StartTime ??= now;
            job.State = job.State == JobState.Pending ? JobState.Running : job.State;
        });
        if (entry.ScriptedEnd is { State: JobState.Running })
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, stop.Token);
        }

        var (examples, statistics) = await ReadAsync(created, stop.Token);
        var epochs = Epochs(created);
        var stats = statistics.Finish(epochs);
        Change(entry, (job, _) => job.TuningDataStats = new TuningDataStats { SupervisedTuningDataStats = stats });

        var parent = created.PreTunedModel is { TunedModelName: var name } ? models.FindModel(name) : null;
        var extractor = await LearnAsync(examples, parent, stop.Token);
        var start = entry.Read().StartTime.ToDateTimeOffset();
        await WaitUntilAsync(start + options.RunningDuration, stop.Token);

        var end = entry.ScriptedEnd ?? (JobState.Succeeded, "");
        if (end.State is JobState.Succeeded or JobState.PartiallySucceeded)
        {
            Succeed(entry, end.State, epochs, stats.TuningStepCount, parent, extractor);
            return;
        }

        var code = end.State == JobState.Cancelled ? StatusCode.Cancelled : StatusCode.Internal;
        End(entry, end.State, code, end.Message);
    }

    private async Task<(List<LearningExample> Examples, TuningStatistics Statistics)> ReadAsync(
        TuningJob job, CancellationToken cancellationToken)
    {
        var (bucket, name) = TuningJobRules.Dataset(job.SupervisedTuningSpec.TrainingDatasetUri)!.Value;
        var statistics = new TuningStatistics(options.MaxExampleTokens);
        var examples = new List<LearningExample>();
        var (index, learnt) = (0L, 0L);
        (long Index, string Problem)? wrong = null;
        await foreach (var text in datasets.ReadLinesAsync(bucket, name, cancellationToken))
        {
            index++;
            if (wrong is not null)
            {
                continue;
            }

            var (line, problem) = TuningLine.Parse(text);
            if (line is null)
            {
                wrong = (index, problem!);
            }
            else if (statistics.Count(line, index) && learnt < options.MaxLearnedCharacters
                && ExtractionText.Read(line.Model) is { } answer)
            {
                var document = Prompt.Document(line.User);
                learnt += document.Length;
                examples.Add(new LearningExample(document, Prompt.Types(line.System, line.User), answer));
            }
        }

        // The whole file is read even so: the message says how many examples there are.
        return wrong is { } found
            ? throw new DatasetRefused($"Dataset example {found.Index} of {index} {found.Problem}")
            : index > 0
                ? (examples, statistics)
                : throw new DatasetRefused("The training dataset is empty.");
    }

    private async Task<LearnedExtractor> LearnAsync(
        List<LearningExample> examples, TunedVersion? parent, CancellationToken cancellationToken)
    {
        await _learning.WaitAsync(cancellationToken);
        try
        {
            var before = parent is null ? null : models.Extractor(parent);
            return await Task.Run(
                () => LearnedExtractor.Learn(examples, before, cancellationToken), cancellationToken);
        }
        finally
        {
            _learning.Release();
        }
    }

    private void Succeed(
        JobEntry entry, JobState state, long epochs, long steps, TunedVersion? parent, LearnedExtractor extractor)
    {
        var created = entry.Read();
        var (number, location, _) = ResourceNames.Child(created.Name, "tuningJobs")!.Value;
        var home = $"projects/{number}/locations/{location}";
        string NewEndpoint() => $"{home}/endpoints/{newId()}";

        // The same display name continues the same model; another one begins a new model.
        var isNextVersion = parent is not null && parent.DisplayName == created.TunedModelDisplayName;
        var model = isNextVersion ? $"{parent!.Id}@{parent.Version + 1}" : $"{newId()}@1";
        var tuned = new TunedModel { Model = $"{home}/models/{model}" };
        if (created.SupervisedTuningSpec.ExportLastCheckpointOnly)
        {
            tuned.Endpoint = NewEndpoint();
        }
        else
        {
            tuned.Checkpoints.AddRange(Checkpoints.Of(epochs, steps, NewEndpoint));
            tuned.Endpoint = tuned.Checkpoints[^1].Endpoint;
        }

        created.TunedModel = tuned;
        var baseModel = parent?.BaseModel ?? created.BaseModel;
        models.Add(TunedVersion.Of(created, baseModel), extractor);
        Change(entry, (job, now) =>
        {
            job.TunedModel = tuned;
            job.Experiment = $"{home}/metadataStores/default/contexts/tuning-experiment-{newId()}";
            job.EndTime = now;
            job.State = state;
        });
        LogEnded(created.Name, state);
    }

    private void End(JobEntry entry, JobState state, StatusCode code, string message)
    {
        Change(entry, (job, now) =>
        {
            job.State = state;
            job.EndTime = now;

            // Only these two have an error, says tuning_job.proto.
            job.Error = state is JobState.Failed or JobState.Cancelled
                ? new Google.Rpc.Status { Code = (int)code, Message = message }
                : null;
        });
        var name = entry.Read().Name;
        LogEnded(name, state);
    }

    private long Epochs(TuningJob job) =>
        job.SupervisedTuningSpec.HyperParameters is { EpochCount: > 0 and var epochs } ? epochs : options.DefaultEpochs;

    private void Change(JobEntry entry, Action<TuningJob, Timestamp> change) => entry.Change(job =>
    {
        var now = Timestamp.FromDateTimeOffset(options.Time.GetUtcNow());
        change(job, now);
        job.UpdateTime = now;
        return true;
    });

    private async Task WaitUntilAsync(DateTimeOffset due, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (due - options.Time.GetUtcNow() is { Ticks: > 0 } left)
        {
            await Task.Delay(left, options.Time, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Tuning job {Job} ended as {State}")]
    private partial void LogEnded(string job, JobState state);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Tuning job {Job} cannot read its dataset")]
    private partial void LogUnreadable(Exception exception, string job);

    private sealed class DatasetRefused(string message) : Exception(message);
}
