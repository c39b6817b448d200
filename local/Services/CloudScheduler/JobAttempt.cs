using Grpc.Core;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>One time that a job was carried out.</summary>
/// <param name="Job">Its name.</param>
/// <param name="DueAt">The moment of its schedule; for RunJob, that of the call.</param>
/// <param name="Code">What Pub/Sub answered.</param>
public sealed record JobAttempt(string Job, DateTimeOffset DueAt, DateTimeOffset StartedAt, StatusCode Code);
