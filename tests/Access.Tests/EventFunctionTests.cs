using System.Reflection;
using FeedbackLoop.Platform;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;

namespace FeedbackLoop.Access.Tests;

/// <summary>Every function that receives pushes, also those that come later.</summary>
public sealed class EventFunctionTests
{
    public static TheoryData<string> Names =>
    [
        .. Directory.EnumerateFiles(AppContext.BaseDirectory, "*Function.dll").Select(Path.GetFileNameWithoutExtension)
            .OfType<string>().Where(name => FunctionOf(name).IsAssignableTo(typeof(ICloudEventFunction<PubSubPush>))),
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public void Checks_its_caller_before_anything_else_happens(string name)
    {
        var startups = FunctionOf(name).GetCustomAttributes<FunctionsStartupAttribute>()
            .OrderBy(attribute => attribute.Order).Select(attribute => attribute.StartupType);

        Assert.Equal(typeof(PushAccessStartup), startups.First());
    }

    [Fact]
    public void They_are_all_here() =>
        Assert.Superset(
            new HashSet<string>
            {
                "ExportFunction", "TrainFunction", "PollTuningFunction", "ScheduleTickFunction",
                "ExtractFunction",
            },
            Names.Select(row => row.Data).ToHashSet());

    private static Type FunctionOf(string name) => Assembly.Load(name).GetTypes().Single(type => type.Name == "Function");
}
