using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Tuning;

/// <summary>Options of this folder, for every deployable that tunes, polls, selects or estimates.</summary>
public static class TuningServices
{
    public static IServiceCollection AddTuning(this IServiceCollection services)
    {
        services.AddOptions<TuningOptions>().BindConfiguration(TuningOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TuningOptions>, TuningOptionsValidator>();
        services.AddOptions<BaseModelCatalogue>().BindConfiguration(BaseModelCatalogue.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<BaseModelCatalogue>, BaseModelCatalogueValidator>();
        services.AddSingleton<IValidateOptions<BaseModelCatalogue>, BaseModelCatalogueRules>();
        return services;
    }
}
