namespace Hone;

/// <summary>What every program of a service collection has in common.</summary>
public sealed class HoneServiceOptions
{
    /// <summary>Renders prompts and parses answers.</summary>
    /// <value>The chat format by default.</value>
    public Adapter Adapter { get; set; } = ChatAdapter.Default;

    /// <summary>What happens when an answer cannot be read.</summary>
    /// <value>One re-ask that states the error, then the JSON format.</value>
    public RecoveryPolicy Recovery { get; set; } = RecoveryPolicy.Default;

    /// <summary>Changes the model that is made of the registered chat client: <c>lm => lm with { Cache = …, Budget = … }</c>.</summary>
    public Func<LM, LM>? Model { get; set; }

    /// <summary>Watches every program.</summary>
    public IList<IHoneObserver> Observers { get; } = [];
}

/// <summary>Settings of one registered program.</summary>
public sealed class ProgramServiceOptions
{
    /// <summary>A saved state to start from; the declared one when null.</summary>
    public string? StateFile { get; set; }

    /// <summary>Key of the chat client to use, for collections with several; the one without a key when null.</summary>
    public object? ClientKey { get; set; }

    /// <summary>Key of the program itself, for several with the same input and output types; none when null.</summary>
    public object? Key { get; set; }
}
