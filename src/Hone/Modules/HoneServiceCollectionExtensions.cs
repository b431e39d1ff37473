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
        this IServiceCollection services, Action<ProgramServiceOptions<TIn, TOut>>? configure = null)
        where TModule : Module<TIn, TOut>
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<TModule>();
        return Add(services, static provider => provider.GetRequiredService<TModule>(), configure);
    }

    /// <summary>
    /// Registers a program as the singleton <see cref="Program{TIn,TOut}"/>, with a module that is made on the spot: a single predictor, an agent with the tools of a
    /// service, modules inside each other.
    /// </summary>
    /// <typeparam name="TIn">What goes in.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="services">The collection.</param>
    /// <param name="module">Makes the code, once.</param>
    /// <param name="configure">State file, keys, what else the program is to have.</param>
    public static IServiceCollection AddProgram<TIn, TOut>(
        this IServiceCollection services, Func<IServiceProvider, Module<TIn, TOut>> module, Action<ProgramServiceOptions<TIn, TOut>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(module);
        return Add(services, module, configure);
    }

    private static IServiceCollection Add<TIn, TOut>(
        IServiceCollection services, Func<IServiceProvider, Module<TIn, TOut>> module, Action<ProgramServiceOptions<TIn, TOut>>? configure)
    {
        services.AddHone();
        var options = new ProgramServiceOptions<TIn, TOut>();
        configure?.Invoke(options);
        if (options.Key is { } key)
            services.TryAddKeyedSingleton(key, (provider, _) => CreateProgram(provider, module(provider), options));
        else
            services.TryAddSingleton(provider => CreateProgram(provider, module(provider), options));
        return services;
    }

    private static Program<TIn, TOut> CreateProgram<TIn, TOut>(IServiceProvider provider, Module<TIn, TOut> module, ProgramServiceOptions<TIn, TOut> options)
    {
        var common = provider.GetRequiredService<HoneServiceOptions>();
        var model = options.ClientKey is null ? provider.GetRequiredService<LM>() : CreateModel(provider, options.ClientKey);
        var program = module.WithModel(model).WithAdapter(common.Adapter).WithRecovery(common.Recovery);
        foreach (var observer in common.Observers)
            program = program.WithObserver(observer);
        if (provider.GetService<ILoggerFactory>() is { } loggers)
            program = program.WithLogger(loggers.CreateLogger($"Hone.{module.GetType().Name.Split('`')[0]}"));
        if (options.StateFile is { } file)
            program = program.LoadState(File.ReadAllText(file), file);
        return options.Configure is { } change
            ? change(provider, program) ?? throw new HoneException($"{nameof(options.Configure)} of the program {module.GetType().Name} returned null. Return the program.")
            : program;
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
