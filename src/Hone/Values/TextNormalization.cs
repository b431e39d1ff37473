using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>
/// How texts are made alike before they are compared. The default is that of the well-known scripts for English question answering, so that scores compare with published
/// ones; the options are for other languages and for texts that were typeset.
/// </summary>
public sealed record TextNormalization
{
    /// <summary>As <see cref="TextMetrics.Normalize(string)"/> does without options.</summary>
    public static TextNormalization Default { get; } = new();

    /// <summary>Other languages than English: accents folded, all punctuation deleted, no articles dropped.</summary>
    public static TextNormalization International { get; } = new() { FoldAccents = true, UnicodePunctuation = true, DropArticles = false };

    /// <summary>True to compare letters without their accents: <c>é</c> equals <c>e</c>.</summary>
    /// <value>False by default.</value>
    public bool FoldAccents { get; init; }

    /// <summary>True to delete all punctuation that Unicode knows, such as typographic quotes and dashes, <c>¿</c> and <c>。</c>; false deletes that of ASCII.</summary>
    /// <value>False by default.</value>
    public bool UnicodePunctuation { get; init; }

    /// <summary>True to drop the words a, an and the.</summary>
    /// <value>True by default.</value>
    public bool DropArticles { get; init; } = true;

    /// <summary>Where a passage match warns of answers of which nothing is left to look for, such as "the"; null warns of nothing.</summary>
    public ILogger? Logger { get; init; }
}
