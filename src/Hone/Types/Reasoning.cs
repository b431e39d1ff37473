namespace Hone;

/// <summary>
/// What the model thought before it answered. As an output field it takes the model's own reasoning where the provider returns it, and is asked
/// for as text where not.
/// </summary>
/// <param name="Text">The thoughts.</param>
public sealed record Reasoning(string Text)
{
    /// <summary>The text as reasoning.</summary>
    public static implicit operator Reasoning(string text) => new(text);

    /// <summary>The text of the reasoning.</summary>
    public static implicit operator string(Reasoning reasoning) => reasoning?.Text!;

    /// <summary>The text as reasoning.</summary>
    public static Reasoning FromString(string text) => new(text);

    /// <summary>The text.</summary>
    public override string ToString() => Text;
}
