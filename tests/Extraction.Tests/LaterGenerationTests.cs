using FeedbackLoop.Testing;

namespace FeedbackLoop.Extract.Tests;

/// <summary>The same jobs, where a key and a relationship may stand once among the current ones.</summary>
public sealed class LaterGenerationTests(PostgresFixture postgres) : ExtractStepTests(postgres)
{
    protected override bool IsLaterGeneration => true;
}
