namespace FeedbackLoop.Local;

/// <summary>PostgreSQL cannot be started; the message says what to do.</summary>
public sealed class LocalPostgresException(string message) : Exception(message);
