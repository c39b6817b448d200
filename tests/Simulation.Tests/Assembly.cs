using FeedbackLoop.Testing;

[assembly: AssemblyFixture(typeof(PostgresFixture))]
