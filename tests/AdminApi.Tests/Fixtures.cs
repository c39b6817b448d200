using FeedbackLoop.AdminApi.Tests;

[assembly: AssemblyFixture(typeof(ApiWorld))]
