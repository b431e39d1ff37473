using System.Globalization;

namespace Hone;

/// <summary>What is wrong with a piece of code.</summary>
public enum CodeErrorKind
{
    /// <summary>It cannot be read.</summary>
    Syntax,

    /// <summary>It threw, or a tool that it called failed.</summary>
    Runtime,

    /// <summary>It ran longer than <see cref="CodeLimits.Timeout"/>.</summary>
    Timeout,

    /// <summary>It took more memory than <see cref="CodeLimits.MaxMemory"/>.</summary>
    Memory,

    /// <summary>It ran into another limit: statements, recursion, the length of a value, calls of tools.</summary>
    Limit,
}

/// <summary>The code is at fault. The message is for whoever wrote it: what, in which line, and nothing of the machine that ran it.</summary>
public sealed class CodeException : HoneException
{
    /// <summary>Creates the error.</summary>
    /// <param name="kind">What is wrong.</param>
    /// <param name="errorType">The name that the language gives it, such as <c>ValueError</c>.</param>
    /// <param name="message">What happened.</param>
    /// <param name="line">The line of the code, from 1; null when it is not known.</param>
    public CodeException(CodeErrorKind kind, string errorType, string message, int? line = null) : base(Sentence(errorType, message, line)) =>
        (Kind, ErrorType, Description, Line) = (kind, errorType, message, line);

    /// <summary>What is wrong.</summary>
    public CodeErrorKind Kind { get; }

    /// <summary>The name that the language gives it.</summary>
    public string ErrorType { get; }

    /// <summary>What happened, without the name and the line.</summary>
    public string Description { get; }

    /// <summary>The line of the code, from 1; null when it is not known.</summary>
    public int? Line { get; }

    /// <summary>What the code printed before it failed.</summary>
    public string Output { get; init; } = string.Empty;

    /// <summary>True when the session ended with the code, and its variables are lost. Open another one.</summary>
    public bool IsSessionLost { get; init; }

    private static string Sentence(string type, string message, int? line)
    {
        var what = message.Length == 0 ? type : $"{type}: {message}";
        return line is { } number ? string.Create(CultureInfo.InvariantCulture, $"{what} (line {number})") : what;
    }
}

/// <summary>An interpreter is at fault, not the code: it is not installed, it could not start, it broke, or the session has ended.</summary>
public sealed class CodeInterpreterException : HoneException
{
    /// <summary>Creates the error.</summary>
    public CodeInterpreterException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }
}
