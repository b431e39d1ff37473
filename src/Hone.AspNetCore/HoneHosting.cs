using Hone;
using Hone.AspNetCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Programs in the life of a host: health checks and warm-up.</summary>
public static class HoneHosting
{
    /// <summary>
    /// Adds a health check that runs the registered program on one input. What it finds is remembered for a while, as a run may cost money; what goes wrong in Hone
    /// gives the failure status.
    /// </summary>
    /// <typeparam name="TIn">What goes in.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="builder">The checks.</param>
    /// <param name="input">The input of each check.</param>
    /// <param name="name">Name of the check; <c>hone</c> by default.</param>
    /// <param name="validity">How long a finding holds; null for five minutes.</param>
    /// <param name="failureStatus">The status of a failure; null for unhealthy.</param>
    /// <param name="tags">Tags of the check.</param>
    public static IHealthChecksBuilder AddHoneProgram<TIn, TOut>(
        this IHealthChecksBuilder builder,
        TIn input,
        string name = "hone",
        TimeSpan? validity = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var key = new object();
        builder.Services.AddKeyedSingleton(key, (services, _) => new ProgramHealthCheck<TIn, TOut>(
            services.GetRequiredService<Program<TIn, TOut>>(), input, validity ?? TimeSpan.FromMinutes(5), services.GetService<TimeProvider>() ?? TimeProvider.System));
        return builder.Add(new(name, services => services.GetRequiredKeyedService<ProgramHealthCheck<TIn, TOut>>(key), failureStatus, tags));
    }

    /// <summary>
    /// Runs the registered program once while the host starts, so that the first request finds models loaded, connections open and code compiled. A failure is
    /// logged, and the host starts all the same.
    /// </summary>
    /// <typeparam name="TIn">What goes in.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="services">The collection.</param>
    /// <param name="input">The input of the run.</param>
    public static IServiceCollection AddHoneWarmUp<TIn, TOut>(this IServiceCollection services, TIn input)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IHostedService>(provider => new ProgramWarmUp<TIn, TOut>(
            provider.GetRequiredService<Program<TIn, TOut>>(), input, provider.GetRequiredService<ILogger<ProgramWarmUp<TIn, TOut>>>()));
    }
}
