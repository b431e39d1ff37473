namespace Hone;

/// <summary>The kinds of value that a field can have.</summary>
public enum FieldTypeKind
{
    /// <summary>Text.</summary>
    String,

    /// <summary>A whole number; canonical value <see cref="long"/> (or BigInteger beyond its range).</summary>
    Integer,

    /// <summary>A floating-point number; canonical value <see cref="double"/>.</summary>
    Number,

    /// <summary>An exact decimal number; canonical value <see cref="decimal"/>.</summary>
    Decimal,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>Bytes, base-64 in JSON.</summary>
    Bytes,

    /// <summary>A calendar date; canonical value <see cref="DateOnly"/>.</summary>
    Date,

    /// <summary>A point in time; canonical value <see cref="DateTimeOffset"/>.</summary>
    DateTime,

    /// <summary>A time of day; canonical value <see cref="TimeOnly"/>.</summary>
    Time,

    /// <summary>A length of time; canonical value <see cref="TimeSpan"/>, ISO 8601 such as <c>PT1H30M</c> in text.</summary>
    Duration,

    /// <summary>A globally unique identifier.</summary>
    Guid,

    /// <summary>A web address.</summary>
    Uri,

    /// <summary>Anything that JSON can say.</summary>
    Any,

    /// <summary>Only null.</summary>
    Null,

    /// <summary>One of a list of literal values.</summary>
    Literal,

    /// <summary>One of the named members of an enumeration.</summary>
    Enum,

    /// <summary>A list; one argument.</summary>
    List,

    /// <summary>A list without duplicates; one argument.</summary>
    Set,

    /// <summary>A fixed sequence; one argument a position.</summary>
    Tuple,

    /// <summary>A map; arguments key and value.</summary>
    Dictionary,

    /// <summary>One of several types.</summary>
    Union,

    /// <summary>An object with named properties.</summary>
    Object,

    /// <summary>
    /// A type that contains itself stands inside itself as its name alone; <see cref="FieldType.Resolved"/> is the type. Whoever renders a type stops
    /// here; whoever reads a value goes on.
    /// </summary>
    Reference,

    /// <summary>A conversation so far: earlier turns as field maps. Rendered as messages, never as text.</summary>
    History,

    /// <summary>A picture; canonical value <see cref="Hone.Image"/>.</summary>
    Image,

    /// <summary>A sound recording; canonical value <see cref="Hone.Audio"/>.</summary>
    Audio,

    /// <summary>A file of any format; canonical value <see cref="Hone.Attachment"/>.</summary>
    Attachment,

    /// <summary>A document to quote from; canonical value <see cref="Hone.Document"/>.</summary>
    Document,

    /// <summary>What the model thought before it answered; canonical value text.</summary>
    Reasoning,

    /// <summary>Source code in the language that <see cref="FieldType.Name"/> says; canonical value text.</summary>
    Code,

    /// <summary>Passages that support an answer; canonical value a list of field maps.</summary>
    Citations,

    /// <summary>A tool that may be called; canonical value an <see cref="Microsoft.Extensions.AI.AITool"/>.</summary>
    Tool,

    /// <summary>Requests to run tools; canonical value a field map with the list <c>tool_calls</c>.</summary>
    ToolCalls,

    /// <summary>What tools gave back; canonical value a field map with the list <c>tool_call_results</c>.</summary>
    ToolResults,

    /// <summary>A type with a <see cref="PromptType{T}"/> of its own; canonical value the instance.</summary>
    Custom,
}
