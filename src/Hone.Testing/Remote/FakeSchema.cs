using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Testing;

/// <summary>Checks a value of a request; what is wrong with it is added to the errors.</summary>
/// <param name="value">The value.</param>
/// <param name="at">Where it is: names and positions.</param>
/// <param name="errors">What was found so far.</param>
internal delegate void FakeType(JsonElement value, ImmutableArray<object> at, JsonArray errors);

/// <summary>A member of a request's object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What it may be.</param>
/// <param name="IsRequired">Whether it must be there.</param>
internal sealed record FakeField(string Name, FakeType Type, bool IsRequired = true);

/// <summary>
/// What requests of real servers may hold, told as they tell it: their models are pydantic's, in its lenient mode, and what does not fit is answered by
/// FastAPI with 422 and a list of everything that is wrong.
/// </summary>
internal static class FakeSchema
{
    private static readonly string[] True = ["1", "on", "t", "true", "y", "yes"];
    private static readonly string[] False = ["0", "f", "false", "n", "no", "off"];

    public static readonly FakeType Anything = (_, _, _) => { };

    public static readonly FakeType Text = (value, at, errors) => Expect(value.ValueKind == JsonValueKind.String, errors, at, value, "string_type", "Input should be a valid string");

    /// <summary>A whole number. Texts that say one count, and so do true and false.</summary>
    public static readonly FakeType Integer = (value, at, errors) =>
    {
        const string Message = "Input should be a valid integer";
        switch (value.ValueKind)
        {
            case JsonValueKind.True or JsonValueKind.False:
                return;
            case JsonValueKind.Number:
                Expect(value.GetDouble() == Math.Floor(value.GetDouble()), errors, at, value, "int_from_float", Message + ", got a number with a fractional part");
                return;
            case JsonValueKind.String:
                Expect(long.TryParse(value.GetString(), NumberStyles.Integer, CultureInfo.InvariantCulture, out _), errors, at, value, "int_parsing", Message + ", unable to parse string as an integer");
                return;
            default:
                Add(errors, at, value, "int_type", Message);
                return;
        }
    };

    public static readonly FakeType Number = (value, at, errors) =>
    {
        const string Message = "Input should be a valid number";
        if (value.ValueKind == JsonValueKind.String)
            Expect(double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out _), errors, at, value, "float_parsing", Message + ", unable to parse string as a number");
        else
            Expect(value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False, errors, at, value, "float_type", Message);
    };

    public static readonly FakeType Boolean = (value, at, errors) =>
    {
        const string Message = "Input should be a valid boolean";
        switch (value.ValueKind)
        {
            case JsonValueKind.True or JsonValueKind.False:
                return;
            case JsonValueKind.Number:
                Expect(value.GetDouble() is 0 or 1, errors, at, value, "bool_parsing", Message + ", unable to interpret input");
                return;
            case JsonValueKind.String:
                var text = value.GetString()!.ToLowerInvariant();
                Expect(True.Contains(text) || False.Contains(text), errors, at, value, "bool_parsing", Message + ", unable to interpret input");
                return;
            default:
                Add(errors, at, value, "bool_type", Message);
                return;
        }
    };

    public static readonly FakeType Dictionary = Map(Anything);

    /// <summary>Null, or the type.</summary>
    public static FakeType Optional(FakeType type) => (value, at, errors) =>
    {
        if (value.ValueKind != JsonValueKind.Null)
            type(value, at, errors);
    };

    public static FakeType ListOf(FakeType type) => (value, at, errors) =>
    {
        if (!Expect(value.ValueKind == JsonValueKind.Array, errors, at, value, "list_type", "Input should be a valid list"))
            return;
        var index = 0;
        foreach (var item in value.EnumerateArray())
            type(item, at.Add(index++), errors);
    };

    public static FakeType Map(FakeType type) => (value, at, errors) =>
    {
        if (!Expect(value.ValueKind == JsonValueKind.Object, errors, at, value, "dict_type", "Input should be a valid dictionary"))
            return;
        foreach (var member in value.EnumerateObject())
            type(member.Value, at.Add(member.Name), errors);
    };

    /// <summary>One of these texts and no other.</summary>
    public static FakeType OneOf(params string[] texts)
    {
        string[] quoted = [.. texts.Select(text => $"'{text}'")];
        var expected = quoted.Length == 1 ? quoted[0] : $"{string.Join(", ", quoted[..^1])} or {quoted[^1]}";
        return (value, at, errors) => Expect(
            value.ValueKind == JsonValueKind.String && texts.Contains(value.GetString()), errors, at, value, "literal_error", $"Input should be {expected}", ("expected", expected));
    }

    /// <summary>One of several types. Where none fits, what each lacks is told under its name.</summary>
    public static FakeType AnyOf(params (string Name, FakeType Type)[] types) => (value, at, errors) =>
    {
        var all = new JsonArray();
        foreach (var (name, type) in types)
        {
            var found = new JsonArray();
            type(value, at.Add(name), found);
            if (found.Count == 0)
                return;
            foreach (var error in found.ToArray())
            {
                found.Remove(error);
                all.Add(error);
            }
        }

        foreach (var error in all.ToArray())
        {
            all.Remove(error);
            errors.Add(error);
        }
    };

    /// <summary>A number of the type within bounds.</summary>
    public static FakeType Within(FakeType type, double? atLeast = null, double? above = null, double? below = null) => (value, at, errors) =>
    {
        var before = errors.Count;
        type(value, at, errors);
        if (errors.Count > before || value.ValueKind != JsonValueKind.Number)
            return;
        var number = value.GetDouble();
        if (atLeast is { } least)
            Expect(number >= least, errors, at, value, "greater_than_equal", string.Create(CultureInfo.InvariantCulture, $"Input should be greater than or equal to {least}"), ("ge", least));
        if (above is { } lowest)
            Expect(number > lowest, errors, at, value, "greater_than", string.Create(CultureInfo.InvariantCulture, $"Input should be greater than {lowest}"), ("gt", lowest));
        if (below is { } highest)
            Expect(number < highest, errors, at, value, "less_than", string.Create(CultureInfo.InvariantCulture, $"Input should be less than {highest}"), ("lt", highest));
    };

    /// <summary>An object.</summary>
    /// <param name="isStrict">Whether members that it does not have are refused, instead of being passed over.</param>
    /// <param name="fields">Its members.</param>
    /// <param name="check">What no single member says: null, or what is wrong with the whole. Asked only when all members are right.</param>
    public static FakeType Model(bool isStrict, FakeField[] fields, Func<JsonElement, string?>? check = null) => (value, at, errors) =>
    {
        if (!Expect(value.ValueKind == JsonValueKind.Object, errors, at, value, "model_attributes_type", "Input should be a valid dictionary or object to extract fields from"))
            return;
        var before = errors.Count;
        foreach (var field in fields)
        {
            if (value.TryGetProperty(field.Name, out var member))
                field.Type(member, at.Add(field.Name), errors);
            else if (field.IsRequired)
                Add(errors, at.Add(field.Name), value, "missing", "Field required");
        }

        foreach (var member in isStrict ? value.EnumerateObject().Where(member => !fields.Any(field => field.Name == member.Name)) : [])
            Add(errors, at.Add(member.Name), member.Value, "extra_forbidden", "Extra inputs are not permitted");
        if (errors.Count == before && check?.Invoke(value) is { } wrong)
            Add(errors, at, value, "value_error", "Value error, " + wrong, ("error", new JsonObject()));
    };

    /// <summary>Refuses a body that does not fit.</summary>
    /// <param name="body">The body.</param>
    /// <param name="type">What it should be.</param>
    /// <param name="root">What the places of errors begin with.</param>
    public static void Check(JsonElement body, FakeType type, string? root = "body")
    {
        var errors = new JsonArray();
        type(body, root is null ? [] : [root], errors);
        if (errors.Count > 0)
            throw new RefusalException(422, new JsonObject { ["detail"] = errors }.ToJsonString());
    }

    /// <summary>True where the value fits. Otherwise the error is added.</summary>
    public static bool Expect(bool fits, JsonArray errors, ImmutableArray<object> at, JsonElement value, string type, string message, (string Name, JsonNode? Value)? context = null)
    {
        if (!fits)
            Add(errors, at, value, type, message, context);
        return fits;
    }

    private static void Add(JsonArray errors, ImmutableArray<object> at, JsonElement value, string type, string message, (string Name, JsonNode? Value)? context = null)
    {
        var error = new JsonObject
        {
            ["type"] = type,
            ["loc"] = new JsonArray([.. at.Select(part => part is int index ? (JsonNode)index : (JsonNode)(string)part)]),
            ["msg"] = message,
            ["input"] = JsonNode.Parse(value.GetRawText()),
        };
        if (context is var (name, told))
            error["ctx"] = new JsonObject { [name] = told };
        errors.Add((JsonNode)error);
    }
}
