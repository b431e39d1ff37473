using Hone;

namespace SampleCommon;

/// <summary>
/// Keeps what servers' models have answered in a run's folder (<c>answers.db</c>): a model that is not trained answers a question once, also after a
/// resume. The file is made when the first model asks for it.
/// </summary>
/// <param name="folder">The run's folder.</param>
public sealed class ServerAnswers(string folder) : IDisposable
{
    private ResponseCache? cache;

    /// <summary>The model, with its answers kept.</summary>
    public LM KeptOf(LM model) => model with { Cache = cache ??= new(new SqliteResponseStore(Path.Combine(folder, "answers.db"))) };

    /// <inheritdoc/>
    public void Dispose() => cache?.Dispose();
}
