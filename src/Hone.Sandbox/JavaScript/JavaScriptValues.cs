using System.Runtime.CompilerServices;
using System.Text;
using Jint;
using Jint.Native;
using Jint.Native.Json;
using Jint.Native.RegExp;
using Jint.Runtime;
using Jint.Runtime.Interop;

namespace Hone.Sandbox.JavaScript;

/// <summary>
/// Values of code as JSON. What JSON has no form for is not lost in silence: maps become objects, sets and typed arrays lists, numbers that are none and
/// errors texts, and large integers stay whole.
/// </summary>
internal sealed class JavaScriptValues
{
    private const char Unknown = '?';

    private readonly Engine engine;
    private readonly ClrFunction replacer;
    private readonly JsValue rawJson;
    private readonly JsValue arrayFrom;

    /// <summary>Keeps what it needs of an engine in which no code has run yet.</summary>
    public JavaScriptValues(Engine engine)
    {
        this.engine = engine;
        (rawJson, arrayFrom) = (engine.Evaluate("JSON.rawJSON"), engine.Evaluate("Array.from"));
        replacer = new(engine, "replacer", (_, arguments) => Replaced(arguments[1]));
    }

    /// <summary>A value as JSON; null for one that has none, such as a function.</summary>
    public string? ToJson(JsValue value) => new JsonSerializer(engine).Serialize(value, replacer, JsValue.Undefined) is JsString json ? Whole(json.ToString()) : null;

    private JsValue Replaced(JsValue value)
    {
        // Values in values recurse inside the engine, where nothing else counts them.
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return value switch
        {
            JsNumber number when !double.IsFinite(number.AsNumber()) => new JsString(TypeConverter.ToString(number)),
            JsBigInt whole => engine.Invoke(rawJson, whole.ToString()),
            JsMap map => ObjectOf(map),
            JsSet set => new JsArray(engine, [.. set]),
            JsTypedArray items => engine.Invoke(arrayFrom, items),
            JsError or JsRegExp => new JsString(TypeConverter.ToString(value)),
            _ => value,
        };
    }

    private JsObject ObjectOf(JsMap map)
    {
        var result = new JsObject(engine);
        foreach (var (key, value) in map)
            result.Set(key is JsString or JsNumber or JsBoolean or JsBigInt ? TypeConverter.ToString(key) : ToJson(key) ?? key.ToString(), value);
        return result;
    }

    // Half a character can stand in a text of the language, escaped in its JSON, and nowhere else.
    private static string Whole(string json)
    {
        if (!json.Contains("\\u", StringComparison.OrdinalIgnoreCase) && !json.AsSpan().ContainsAnyInRange('\ud800', '\udfff'))
            return json;
        var text = new StringBuilder(json.Length);
        for (var i = 0; i < json.Length; i++)
        {
            if (json[i] == '\\')
            {
                var isHalf = i + 5 < json.Length && json[i + 1] == 'u' && json[i + 2] is 'd' or 'D' && json[i + 3] is (>= '8' and <= '9') or (>= 'a' and <= 'f') or (>= 'A' and <= 'F');
                if (isHalf)
                    text.Append(Unknown);
                else
                    text.Append(json, i, 2);
                i += isHalf ? 5 : 1;
            }
            else if (char.IsSurrogate(json[i]))
            {
                var isPair = i + 1 < json.Length && char.IsSurrogatePair(json[i], json[i + 1]);
                text.Append(isPair ? json.AsSpan(i, 2) : [Unknown]);
                i += isPair ? 1 : 0;
            }
            else
            {
                text.Append(json[i]);
            }
        }

        return text.ToString();
    }
}
