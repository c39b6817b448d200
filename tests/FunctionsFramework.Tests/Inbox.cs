using System.Collections.Concurrent;
using CloudNative.CloudEvents;

namespace FunctionsFramework.Tests;

/// <summary>What a function was given, for the test to look at.</summary>
internal sealed class Inbox
{
    private readonly ConcurrentQueue<(CloudEvent Event, object? Data)> _events = [];

    public IReadOnlyCollection<(CloudEvent Event, object? Data)> Events => _events;

    public (CloudEvent Event, object? Data) Only => Assert.Single(_events);

    public void Add(CloudEvent cloudEvent, object? data) => _events.Enqueue((cloudEvent, data));
}
