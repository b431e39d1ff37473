namespace Hone;

/// <summary>Source code. A model's answer loses the fence around it; a prompt shows the bare text.</summary>
/// <param name="Text">The source.</param>
/// <param name="Language">The programming language.</param>
public sealed record Code(string Text, string Language = Code.DefaultLanguage)
{
    /// <summary>The language when none is named.</summary>
    public const string DefaultLanguage = "python";

    /// <summary>The text as source code.</summary>
    public static implicit operator Code(string text) => new(text);

    /// <summary>The source.</summary>
    public static implicit operator string(Code code) => code?.Text!;

    /// <summary>The text as source code.</summary>
    public static Code FromString(string text) => new(text);

    /// <summary>The source.</summary>
    public override string ToString() => Text;
}

/// <summary>The language of a property or parameter of type <see cref="Code"/>.</summary>
/// <param name="language">The programming language, such as <c>csharp</c>.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter | AttributeTargets.ReturnValue)]
public sealed class CodeLanguageAttribute(string language) : Attribute
{
    /// <summary>The programming language.</summary>
    public string Language { get; } = language;
}
