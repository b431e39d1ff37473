using System.Linq.Expressions;
using Microsoft.Extensions.AI;

namespace Hone.VectorData;

/// <summary>How a <see cref="VectorDataRetriever{TRecord}"/> asks.</summary>
/// <typeparam name="TRecord">The collection's records.</typeparam>
public sealed record VectorDataOptions<TRecord>
    where TRecord : class
{
    /// <summary>Embeds the query. Null, the default, leaves it to the store, which then needs a generator of its own.</summary>
    public IEmbeddingGenerator<string, Embedding<float>>? Generator { get; init; }

    /// <summary>Records that are looked at; null, the default, looks at all. What a store can filter by is its own matter.</summary>
    public Expression<Func<TRecord, bool>>? Filter { get; init; }

    /// <summary>The vector that is compared, for records with several; null, the default, takes the only one.</summary>
    public Expression<Func<TRecord, object?>>? VectorProperty { get; init; }
}
