using System.Text.RegularExpressions;
using Acornima;
using Jint;
using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;

namespace Hone.Sandbox.JavaScript;

/// <summary>What Jint throws, as errors of the code.</summary>
internal static partial class JavaScriptErrors
{
    private const string TooLong = "The code ran longer than it may.";
    private const string TooMuch = "The code took more memory than it may.";

    /// <summary>The error of the code; null when it is not the code's.</summary>
    /// <param name="error">What was thrown.</param>
    /// <param name="piece">The name under which the piece of code runs.</param>
    /// <param name="output">What was printed until then.</param>
    public static CodeException? Read(Exception error, string piece, string output)
    {
        return error switch
        {
            CodeException known => new(known.Kind, known.ErrorType, known.Description, known.Line) { Output = output },
            ScriptPreparationException { InnerException: ParseErrorException parse } => Of(CodeErrorKind.Syntax, "SyntaxError", Cleaned(parse.Message), parse.LineNumber),
            ScriptPreparationException => Of(CodeErrorKind.Syntax, "SyntaxError", Cleaned(error.Message)),
            JavaScriptException thrown => Thrown(thrown, piece, output),
            PromiseRejectedException rejected => Of(CodeErrorKind.Runtime, NameOf(rejected.RejectedValue), Cleaned(MessageOf(rejected.RejectedValue))),
            RegexMatchTimeoutException => Of(CodeErrorKind.Timeout, "TimeoutError", "A regular expression took longer than it may."),
            TimeoutException => Of(CodeErrorKind.Timeout, "TimeoutError", TooLong),
            MemoryLimitExceededException or OutOfMemoryException => Of(CodeErrorKind.Memory, "MemoryError", TooMuch),
            StatementsCountOverflowException => Of(CodeErrorKind.Limit, "LimitError", "The code ran more statements than it may."),
            RecursionDepthOverflowException or InsufficientExecutionStackException => Of(CodeErrorKind.Limit, "RangeError", "Functions call each other too deeply."),
            InvalidOperationException or NotSupportedException or NotImplementedException =>
                Of(CodeErrorKind.Runtime, "Error", "The code uses what this interpreter does not have."),
            _ => null,
        };

        CodeException Of(CodeErrorKind kind, string type, string message, int? line = null) => new(kind, type, message, line) { Output = output };
    }

    private static CodeException Thrown(JavaScriptException thrown, string piece, string output)
    {
        var name = NameOf(thrown.Error);
        var kind = name == "SyntaxError" ? CodeErrorKind.Syntax : CodeErrorKind.Runtime;
        var location = thrown.Location;
        int? line = location.Start.Line > 0 && location.SourceFile == piece ? location.Start.Line : null;
        return new(kind, name, Cleaned(thrown.Message), line) { Output = output };
    }

    private static string NameOf(JsValue error) =>
        error is ObjectInstance thrown && PropertyOf(thrown, "name") is { Length: > 0 and < 100 } name ? name : "Error";

    private static string MessageOf(JsValue error) => error is ObjectInstance thrown ? PropertyOf(thrown, "message") ?? string.Empty : error.ToString();

    // Only what lies there as text: a getter would run code after its time.
    private static string? PropertyOf(ObjectInstance thrown, string name)
    {
        for (var holder = thrown; holder is not null; holder = holder.Prototype)
        {
            if (holder.GetOwnProperty(name) is { Value: JsString text })
                return text.ToString();
        }

        return null;
    }

    // Parsers put the place behind their message; the line is told apart.
    private static string Cleaned(string message) => Place().Replace(message, string.Empty);

    [GeneratedRegex(@"\s*\([^()]*:\d+:\d+\)$")]
    private static partial Regex Place();
}
