using System.Reflection;

namespace Google.Cloud.Functions.Hosting;

/// <summary>Names a startup class, for one function or for every function of an assembly.</summary>
[AttributeUsage(AttributeTargets.Assembly | AttributeTargets.Class, AllowMultiple = true)]
public class FunctionsStartupAttribute(Type startupType) : Attribute
{
    public Type StartupType { get; set; } = startupType;

    /// <summary>Lower runs first; equal ones run in the order of their types' full names.</summary>
    public int Order { get; set; }

    /// <summary>The startup classes of the assembly and of the target together, in the order they run.</summary>
    public static IEnumerable<Type> GetStartupTypes(Assembly assembly, Type? target) =>
        assembly.GetCustomAttributes<FunctionsStartupAttribute>()
            .Concat(target?.GetCustomAttributes<FunctionsStartupAttribute>(inherit: true) ?? [])
            .OrderBy(attribute => attribute.Order)
            .ThenBy(attribute => attribute.StartupType.FullName, StringComparer.Ordinal)
            .Select(attribute => attribute.StartupType);
}
