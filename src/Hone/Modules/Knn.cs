using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Numerics.Tensors;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// Finds the training examples whose inputs are most like a given one: an exact search in memory by the cosine of embeddings. Make it once with
/// <see cref="Knn.CreateAsync"/>; it is thread-safe.
/// </summary>
/// <typeparam name="TIn">What goes into the program.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public sealed class Knn<TIn, TOut> : Module<TIn, IReadOnlyList<Example<TIn, TOut>>>
{
    private readonly IEmbeddingGenerator<string, Embedding<float>> generator;
    private readonly Func<TIn, string> textOf;
    private readonly float[][] vectors;

    internal Knn(
        ImmutableArray<Example<TIn, TOut>> examples, float[][] vectors, IEmbeddingGenerator<string, Embedding<float>> generator, Func<TIn, string> textOf, int count)
    {
        (Examples, this.vectors, this.generator, this.textOf, Count) = (examples, vectors, generator, textOf, count);
    }

    /// <summary>The examples, in the order given.</summary>
    public ImmutableArray<Example<TIn, TOut>> Examples { get; }

    /// <summary>How many examples a call finds.</summary>
    public int Count { get; }

    /// <summary>The nearest examples, the most similar first; of equally similar ones the earlier.</summary>
    /// <param name="input">What they are to be like.</param>
    /// <param name="count">How many; all when there are fewer.</param>
    /// <param name="cancellationToken">Stops the request.</param>
    public async Task<IReadOnlyList<Example<TIn, TOut>>> FindAsync(TIn input, int count, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var query = (await Knn.EmbedAsync(generator, [textOf(input)], cancellationToken).ConfigureAwait(false))[0];
        if (query.Length != vectors[0].Length)
            throw new HoneException(
                $"The embedding of the query has {query.Length} dimensions, those of the examples have {vectors[0].Length}. Use one embedding model for both.");
        return
        [
            .. vectors.Select((vector, index) => (Similarity: Knn.Dot(vector, query), index))
                .OrderByDescending(each => each.Similarity).ThenBy(each => each.index)
                .Take(count).Select(each => Examples[each.index]),
        ];
    }

    /// <inheritdoc/>
    protected override Task<IReadOnlyList<Example<TIn, TOut>>> ForwardAsync(TIn input, CancellationToken cancellationToken) =>
        FindAsync(input, Count, cancellationToken);

    /// <inheritdoc/>
    protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [];
}

/// <summary>Makes <see cref="Knn{TIn,TOut}"/>.</summary>
public static class Knn
{
    /// <summary>Embeds the inputs of the examples.</summary>
    /// <param name="examples">The examples; at least one.</param>
    /// <param name="generator">Makes the embeddings, of the examples now and of each query later.</param>
    /// <param name="count">How many examples a call finds; 3 by default.</param>
    /// <param name="signature">Order and names of the inputs of <see cref="FieldMap"/> examples; null takes those of the record <typeparamref name="TIn"/>.</param>
    /// <param name="cancellationToken">Stops the requests.</param>
    /// <exception cref="HoneException">There are no examples, or the generator does not give one vector of finite numbers a text.</exception>
    public static async Task<Knn<TIn, TOut>> CreateAsync<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, TOut>(
        IEnumerable<Example<TIn, TOut>> examples,
        IEmbeddingGenerator<string, Embedding<float>> generator,
        int count = 3,
        Signature? signature = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ImmutableArray<Example<TIn, TOut>> all = [.. examples];
        if (all.IsEmpty)
            throw new HoneException("Knn needs at least one example.");
        SignatureField[] inputs = signature is not null ? [.. signature.Inputs]
            : typeof(TIn) == typeof(FieldMap) ? throw new HoneException("Knn of field maps needs a signature: the order of its inputs is that of the text which is embedded.")
            : [.. SignatureReflector.Fields(typeof(TIn), FieldDirection.Input)];
        string TextOf(TIn input) => Text(inputs, TypedSignature.InputsOf(input));
        var vectors = await EmbedAsync(generator, [.. all.Select(example => TextOf(example.Input))], cancellationToken).ConfigureAwait(false);
        return new(all, vectors, generator, TextOf, count);
    }

    /// <summary>The vectors of texts, each of length 1, so that a product is a cosine; a vector of zeros stays one.</summary>
    internal static async Task<float[][]> EmbedAsync(
        IEmbeddingGenerator<string, Embedding<float>> generator, string[] texts, CancellationToken cancellationToken)
    {
        var vectors = await EmbeddingBatches.EmbedAsync(generator, texts, EmbeddingBatches.DefaultSize, 1, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < vectors.Length; i++)
        {
            if (!EmbeddingBatches.IsUsable(vectors[i].Span, normalizes: true))
                throw new HoneException($"The embedding of {FieldConstraints.Shorten(texts[i])} has values that are no finite numbers. Check the model and its input.");
        }

        return [.. vectors.Select(vector => Normalized(vector.Span))];
    }

    internal static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right) => TensorPrimitives.Dot(left, right);

    /// <summary>Fields in the order of the signature, whatever the order in which an input holds them.</summary>
    internal static string Text(SignatureField[] inputs, FieldMap values)
    {
        var text = new StringBuilder();
        foreach (var field in inputs)
        {
            if (!values.TryGetValue(field.Name, out var value))
                continue;
            text.Append(text.Length == 0 ? string.Empty : " | ").Append(field.Name).Append(": ").Append(ValueFormatter.Format(value, field.Type));
        }

        return text.ToString();
    }

    private static float[] Normalized(ReadOnlySpan<float> vector)
    {
        var normalized = new float[vector.Length];
        EmbeddingBatches.Normalize(vector, normalized);
        return normalized;
    }
}
