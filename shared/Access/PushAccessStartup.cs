using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Access;

/// <summary>Puts <see cref="PushAccess"/> in front of an event function: in front of every path, since it has no other caller.</summary>
public sealed class PushAccessStartup : FunctionsStartup
{
    public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services)
    {
        services.AddOptions<PushOptions>().BindConfiguration(PushOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<PushOptions>, PushOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<PushAccess>();
    }

    public override void Configure(WebHostBuilderContext context, IApplicationBuilder app) =>
        app.UseMiddleware<PushAccess>();
}
