using Hone;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Microsoft.Extensions.AI;

/// <summary>Parts of Hone as middleware of any embedding generator.</summary>
public static class HoneEmbeddingBuilderExtensions
{
    /// <summary>Keeps the vectors of texts, so that equal texts cost nothing.</summary>
    /// <param name="builder">The generator's builder.</param>
    /// <param name="cache">Keeps the vectors; several generators may share it.</param>
    /// <param name="modelId">Name of the model in the keys; null takes the one that the generator's metadata say.</param>
    /// <exception cref="LMConfigurationException">Neither tells the model: two models without a name would share their vectors.</exception>
    public static EmbeddingGeneratorBuilder<string, Embedding<float>> UseHoneEmbeddingCache(
        this EmbeddingGeneratorBuilder<string, Embedding<float>> builder, EmbeddingCache cache, string? modelId = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(cache);
        return builder.Use((inner, services) =>
        {
            var metadata = inner.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata;
            if ((modelId ?? metadata?.DefaultModelId) is not { Length: > 0 } model)
                throw new LMConfigurationException(
                    $"The embedding generator {inner.GetType().Name} does not say which model it is, and the cache must tell models apart. Pass {nameof(modelId)}.");
            string[] identity = [metadata?.ProviderName ?? string.Empty, metadata?.ProviderUri?.GetLeftPart(UriPartial.Path) ?? string.Empty, model];
            var logger = services.GetService<ILoggerFactory>()?.CreateLogger(HoneDiagnostics.Name) ?? (ILogger)NullLogger.Instance;
            return new CachedEmbeddingGenerator(inner, cache, identity, logger);
        });
    }
}
