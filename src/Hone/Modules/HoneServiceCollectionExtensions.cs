using System.Diagnostics.CodeAnalysis;
using Hone;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers models and programs.</summary>
public static class HoneServiceCollectionExtensions
{
    /// <summary>
    /// Registers an <see cref="LM"/> made of the registered <see cref="IChatClient"/>, and what programs have in common. Calling it again changes the
    /// same settings further.
    /// </summary>
    public static IServiceCollection AddHone(this IServiceCollection services, Action<HoneServiceOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = OptionsOf(services);
        configure?.Invoke(options);
        services.TryAddSingleton(provider => CreateModel(provider, null));
        return services;
    }

    /// <summary>
    /// Registers a program as the singleton <see cref="Program{TIn,TOut}"/>. The module comes from the container, with its constructor's services.
    /// </summary>
    /// <typeparam name="TModule">The code.</typeparam>
    /// <typeparam name="TIn">What goes in.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="services">The collection.</param>
    /// <param name="configure">State file and keys.</param>
    public static IServiceCollection AddProgram<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TModule, TIn, TOut>(
        this IServiceCollection services, Action<ProgramServiceOptions>? configure = null)
        where TModule : Module<TIn, TOut>
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddHone();
        var options = new ProgramServiceOptions();
        configure?.Invoke(options);
        services.TryAddSingleton<TModule>();
        if (options.Key is { } key)
            services.TryAddKeyedSingleton(key, (provider, _) => CreateProgram<TModule, TIn, TOut>(provider, options));
        else
            services.TryAddSingleton(provider => CreateProgram<TModule, TIn, TOut>(provider, options));
        return services;
    }

    private static Program<TIn, TOut> CreateProgram<TModule, TIn, TOut>(IServiceProvider provider, ProgramServiceOptions options)
        where TModule : Module<TIn, TOut>
    {
        var common = provider.GetRequiredService<HoneServiceOptions>();
        var model = options.ClientKey is null ? provider.GetRequiredService<LM>() : CreateModel(provider, options.ClientKey);
        var program = provider.GetRequiredService<TModule>().WithModel(model).WithAdapter(common.Adapter).WithRecovery(common.Recovery);
        foreach (var observer in common.Observers)
            program = program.WithObserver(observer);
        if (provider.GetService<ILoggerFactory>() is { } loggers)
            program = program.WithLogger(loggers.CreateLogger($"Hone.{typeof(TModule).Name}"));
        return options.StateFile is { } file ? program.LoadState(File.ReadAllText(file), file) : program;
    }

    private static LM CreateModel(IServiceProvider provider, object? key)
    {
        var client = key is null ? provider.GetService<IChatClient>() : provider.GetKeyedService<IChatClient>(key);
        if (client is null)
            throw new LMNotConfiguredException(
                $"No IChatClient{(key is null ? string.Empty : $" with the key '{key}'")} is registered, so programs have no model. "
                + "Add one: services.AddSingleton<IChatClient>(…) or services.AddChatClient(…).");
        var model = new LM(client) { Logger = provider.GetService<ILoggerFactory>()?.CreateLogger("Hone.LM") };
        return provider.GetRequiredService<HoneServiceOptions>().Model is { } change ? change(model) : model;
    }

    private static HoneServiceOptions OptionsOf(IServiceCollection services)
    {
        var known = services.FirstOrDefault(service => service.ServiceType == typeof(HoneServiceOptions))?.ImplementationInstance as HoneServiceOptions;
        if (known is null)
            services.AddSingleton(known = new());
        return known;
    }
}
