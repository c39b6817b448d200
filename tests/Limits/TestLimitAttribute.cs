using System.Reflection;
using Xunit;
using Xunit.v3;

namespace FeedbackLoop.Testing;

/// <summary>Tells the watch when the body of a test begins and ends; each test assembly has it.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TestLimitAttribute : BeforeAfterTestAttribute
{
    public override void Before(MethodInfo methodUnderTest, IXunitTest test) => TestWatch.Began(TestContext.Current);

    public override void After(MethodInfo methodUnderTest, IXunitTest test) => TestWatch.Ended(TestContext.Current);
}
