using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;

namespace Google.Cloud.Functions.Hosting;

/// <summary>The <c>FunctionsFramework</c> section; a blank value counts as none.</summary>
/// <param name="FunctionTarget">Full name of the function's type.</param>
internal sealed record FunctionsSettings(int Port, string? FunctionTarget, IPAddress Address, bool JsonLogging)
{
    public const string Section = "FunctionsFramework";

    private const int DefaultPort = 8080;

    public static FunctionsSettings From(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        return new FunctionsSettings(
            Find(nameof(Port)) is { } port ? int.Parse(port, CultureInfo.InvariantCulture) : DefaultPort,
            Find(nameof(FunctionTarget)),
            Find(nameof(Address)) switch
            {
                null or nameof(IPAddress.Loopback) => IPAddress.Loopback,
                nameof(IPAddress.Any) => IPAddress.Any,
                var address => IPAddress.Parse(address),
            },
            IsTrue(Find(nameof(JsonLogging))));

        string? Find(string key) => section[key] is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;
    }

    public static bool IsTrue(string? value) => string.Equals(value, "true", StringComparison.OrdinalIgnoreCase);
}
