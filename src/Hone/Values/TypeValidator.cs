using System.Collections.Immutable;

namespace Hone;

/// <summary>Checks a parsed value against a type and converts it laxly: numbers from text, lists from tuples, objects with defaults.</summary>
internal static class TypeValidator
{
    // Alternatives inside alternatives can be tried in more ways than there is time for; real values need a few checks for each of their parts.
    private const int MostSteps = 2_000_000;

    /// <param name="raw">A canonical or JSON value.</param>
    /// <param name="type">The type to reach.</param>
    /// <param name="isStrict">True accepts only values that need no conversion: how a union picks its alternative.</param>
    /// <param name="value">The canonical value.</param>
    /// <param name="failure">Why it does not fit, and where.</param>
    public static bool TryValidate(object? raw, FieldType type, bool isStrict, out object? value, ref CoercionFailure failure)
    {
        value = raw;
        if (++failure.Steps > MostSteps)
            return failure.Set($"the value can be read as {TypeNames.Of(type)} in too many ways; tell the alternatives apart by a literal property");
        switch (type.Kind)
        {
            case FieldTypeKind.Any:
                return true;
            case FieldTypeKind.Null:
                return raw is null || failure.Expected(type, raw);
            case FieldTypeKind.String:
                return raw is string || failure.Expected(type, raw);
            case FieldTypeKind.List or FieldTypeKind.Set or FieldTypeKind.Tuple or FieldTypeKind.History:
                return TryList(raw, type, isStrict, out value, ref failure);
            case FieldTypeKind.Dictionary:
                return TryDictionary(raw, type, isStrict, out value, ref failure);
            case FieldTypeKind.Object:
                return TryObject(raw, type, isStrict, out value, ref failure);
            case FieldTypeKind.Reference:
                return TryValidate(raw, type.Resolved, isStrict, out value, ref failure);
            case FieldTypeKind.Union:
                return TryUnion(raw, type, isStrict, out value, ref failure);
            case var kind when SpecialValidator.Handles(kind):
                return SpecialValidator.TryValidate(raw, type, isStrict, out value, ref failure);
            case FieldTypeKind.Literal or FieldTypeKind.Enum:
                return (isStrict ? Choices.TryExact(raw, type, out value) : Choices.TryMatch(raw, type, out value)) || failure.Expected(type, raw);
            default:
                return ((isStrict ? TryExact(raw, type.Kind, out value) : TryScalar(raw, type.Kind, out value)) || failure.Expected(type, raw))
                    && (IntegerRange.Holds(value, type) || failure.Set($"{FieldConstraints.Shorten(value)} does not fit into {type.ClrType!.Name}"));
        }
    }

    private static bool TryScalar(object? raw, FieldTypeKind kind, out object? value)
    {
        value = raw;
        switch (kind)
        {
            case FieldTypeKind.Integer:
                return ScalarReader.TryInteger(raw, out value);
            case FieldTypeKind.Number:
                return ScalarReader.TryNumber(raw, out value);
            case FieldTypeKind.Decimal:
                return ScalarReader.TryDecimal(raw, out value);
            case FieldTypeKind.Boolean:
                return ScalarReader.TryBoolean(raw, out value);
            case FieldTypeKind.Bytes:
                return ScalarReader.TryBytes(raw, out value);
            case FieldTypeKind.Date:
                return ScalarReader.TryDate(raw, out value);
            case FieldTypeKind.DateTime:
                return ScalarReader.TryTime(raw, out value);
            case FieldTypeKind.Time:
                return ScalarReader.TryClock(raw, out value);
            case FieldTypeKind.Duration:
                return ScalarReader.TryDuration(raw, out value);
            case FieldTypeKind.Guid:
                value = raw is Guid ? raw : raw is string text && Guid.TryParse(text, out var guid) ? guid : null;
                return value is not null;
            case FieldTypeKind.Uri:
                value = raw is Uri ? raw : raw is string address && Uri.TryCreate(address.Trim(), UriKind.Absolute, out var uri) ? uri : null;
                return value is not null;
            default:
                return false;
        }
    }

    // What JSON can only carry as text is exact when it is written just as it would be written.
    private static bool TryExact(object? raw, FieldTypeKind kind, out object? value)
    {
        value = raw;
        return kind switch
        {
            FieldTypeKind.Integer => raw is long or System.Numerics.BigInteger,
            FieldTypeKind.Number => raw is double,
            FieldTypeKind.Decimal => Bounds.IsNumber(raw) && TryScalar(raw, kind, out value),
            FieldTypeKind.Boolean => raw is bool,
            _ when raw is string text => TryScalar(raw, kind, out value) && JsonText.Scalar(value!) == text,
            _ => TryScalar(raw, kind, out value) && value!.GetType() == raw!.GetType(),
        };
    }

    private static bool TryList(object? raw, FieldType type, bool isStrict, out object? value, ref CoercionFailure failure)
    {
        value = null;
        if (raw is not ImmutableArray<object?> items)
            return failure.Expected(type, raw);
        if (type.Kind == FieldTypeKind.Tuple && items.Length != type.Arguments.Length)
            return failure.Set($"expected {type.Arguments.Length} items for {TypeNames.Of(type)}, found {items.Length}");
        var builder = ImmutableArray.CreateBuilder<object?>(items.Length);
        var kept = type.Kind == FieldTypeKind.Set ? new HashSet<object?>(items.Length, ValueComparer.Instance) : null;
        for (var i = 0; i < items.Length; i++)
        {
            if (!TryValidate(items[i], ItemType(type, i), isStrict, out var item, ref failure))
                return failure.Under($"[{i}]");
            if (kept is null || kept.Add(item))
                builder.Add(item);
        }

        value = builder.DrainToImmutable();
        return true;
    }

    private static FieldType ItemType(FieldType type, int index) => type.Kind switch
    {
        FieldTypeKind.Tuple => type.Arguments[index],
        FieldTypeKind.History => HistoryTurn,
        _ => type.Arguments[0],
    };

    private static FieldType HistoryTurn { get; } = FieldType.DictionaryOf(FieldType.String, FieldType.Any);

    private static bool TryDictionary(object? raw, FieldType type, bool isStrict, out object? value, ref CoercionFailure failure)
    {
        value = null;
        if (raw is not FieldMap map)
            return failure.Expected(type, raw);
        var entries = new List<KeyValuePair<string, object?>>(map.Count);
        foreach (var (name, entry) in map)
        {
            // Keys that are not text travel as text; what counts is that they can be read.
            if (!TryValidate(name, type.Arguments[0], isStrict: false, out var key, ref failure))
                return failure.Under($"[key '{name}']");
            if (!TryValidate(entry, type.Arguments[1], isStrict, out var item, ref failure))
                return failure.Under($".{name}");
            entries.Add(new(key is null ? name : JsonText.Scalar(key), item));
        }

        value = FieldMap.Create(entries);
        return true;
    }

    private static bool TryObject(object? raw, FieldType type, bool isStrict, out object? value, ref CoercionFailure failure)
    {
        value = null;
        if (raw is not FieldMap map)
            return failure.Expected(type, raw);
        if (isStrict && !HasOnlyKnown(map, type))
            return failure.Expected(type, raw);
        var entries = new KeyValuePair<string, object?>[type.Properties.Length];
        for (var i = 0; i < entries.Length; i++)
        {
            var property = type.Properties[i];
            if (!map.TryGetValue(property.Name, out var given))
            {
                if (property.IsRequired && !property.Type.AdmitsNull)
                    return failure.Set($"{TypeNames.Of(type)} needs '{property.Name}' ({TypeNames.Of(property.Type)}), which is missing");
                entries[i] = new(property.Name, property.Default);
                continue;
            }

            if (!TryValidate(given, property.Type, isStrict, out var item, ref failure))
                return failure.Under($".{property.Name}");
            if (FieldConstraints.Check(property.Constraints, item) is { } broken)
            {
                failure.Set(broken);
                return failure.Under($".{property.Name}");
            }

            entries[i] = new(property.Name, item);
        }

        value = FieldMap.Adopt(entries);
        return true;
    }

    private static bool HasOnlyKnown(FieldMap map, FieldType type) => CountKnown(map, type) == map.Count;

    private static int CountKnown(FieldMap map, FieldType type)
    {
        var count = 0;
        foreach (var property in type.Properties)
            count += map.ContainsKey(property.Name) ? 1 : 0;
        return count;
    }

    // First an alternative that fits as it is, then the first that fits with conversion; of several object types the one that knows the most
    // of the properties comes first.
    private static bool TryUnion(object? raw, FieldType type, bool isStrict, out object? value, ref CoercionFailure failure)
    {
        var attempt = new CoercionFailure { Steps = failure.Steps };
        foreach (var alternative in type.Arguments)
        {
            if (TryValidate(raw, alternative, isStrict: true, out value, ref attempt))
                return Passed(attempt, ref failure);
        }

        // The misfit of the single type beside null says more than that of the union.
        var told = default(CoercionFailure);
        if (!isStrict)
        {
            foreach (var alternative in ByFit(raw, type.Arguments))
            {
                if (TryValidate(raw, alternative, isStrict: false, out value, ref attempt))
                    return Passed(attempt, ref failure);
                told = alternative.Kind == FieldTypeKind.Null ? told : attempt;
            }
        }

        value = null;
        if (attempt.Steps > MostSteps)
            failure = attempt;
        else if (TypeHints.OptionalOf(type) is not null && raw is not null && !isStrict)
            failure = told;
        else
            failure.Expected(type, raw);
        failure.Steps = attempt.Steps;
        return false;
    }

    private static bool Passed(CoercionFailure attempt, ref CoercionFailure failure)
    {
        failure.Steps = attempt.Steps;
        return true;
    }

    private static ImmutableArray<FieldType> ByFit(object? raw, ImmutableArray<FieldType> alternatives)
    {
        // A number is a number before it is a time counted from 1970.
        if (Bounds.IsNumber(raw))
            return [.. alternatives.OrderByDescending(type => type.Kind is FieldTypeKind.Integer or FieldTypeKind.Number or FieldTypeKind.Decimal)];
        if (raw is not FieldMap map || alternatives.Count(IsObject) < 2)
            return alternatives;
        return [.. alternatives.OrderByDescending(type => IsObject(type) ? CountKnown(map, type.Resolved) : int.MaxValue)];
    }

    private static bool IsObject(FieldType type) => type.Kind is FieldTypeKind.Object or FieldTypeKind.Reference;
}
