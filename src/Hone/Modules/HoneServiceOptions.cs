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

/// <summary>Settings of one registered program, whatever its types.</summary>
public abstract class ProgramServiceOptions
{
    private protected ProgramServiceOptions()
    {
    }

    /// <summary>A saved state to start from; the declared one when null.</summary>
    public string? StateFile { get; set; }

    /// <summary>Key of the chat client to use, for collections with several; the one without a key when null.</summary>
    public object? ClientKey { get; set; }

    /// <summary>Key of the program itself, for several with the same input and output types; none when null.</summary>
    public object? Key { get; set; }
}

/// <summary>Settings of one registered program.</summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public sealed class ProgramServiceOptions<TIn, TOut> : ProgramServiceOptions
{
    /// <summary>
    /// Changes the program when it is made, after its state file was read, with the services of the container: named models, another adapter or recovery, state from elsewhere.
    /// </summary>
    public Func<IServiceProvider, Program<TIn, TOut>, Program<TIn, TOut>>? Configure { get; set; }
}
