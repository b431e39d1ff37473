using System.Collections.Immutable;

namespace Hone;

/// <summary>
/// Which fields of a row are inputs, which are expected outputs, which only the metric looks at. Without expected fields all that is neither input, label
/// nor id is expected; with them the rest is labels.
/// </summary>
public sealed record FieldRoles
{
    private FieldRoles()
    {
    }

    /// <summary>The inputs of the program.</summary>
    public ImmutableArray<string> Inputs { get; private init; } = [];

    /// <summary>The outputs that are expected; empty takes what is left.</summary>
    public ImmutableArray<string> Expected { get; private init; } = [];

    /// <summary>What only the metric looks at.</summary>
    public ImmutableArray<string> Labels { get; private init; } = [];

    /// <summary>The field with a name of the row; null without one.</summary>
    public string? Id { get; private init; }

    /// <summary>New names by those in the file.</summary>
    public ImmutableSortedDictionary<string, string> Names { get; private init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Roles with these inputs.</summary>
    public static FieldRoles WithInputs(params ImmutableArray<string> names) => new() { Inputs = names };

    /// <summary>The same with expected outputs.</summary>
    public FieldRoles WithExpected(params ImmutableArray<string> names) => this with { Expected = names };

    /// <summary>The same with values for the metric.</summary>
    public FieldRoles WithLabels(params ImmutableArray<string> names) => this with { Labels = names };

    /// <summary>The same with a field that names the row.</summary>
    public FieldRoles WithId(string name) => this with { Id = name };

    /// <summary>The same where a field of the file has another name in the program. The other lists use the new name.</summary>
    public FieldRoles Renamed(string inFile, string inProgram) => this with { Names = Names.SetItem(inFile, inProgram) };

    /// <summary>The row as an example.</summary>
    /// <exception cref="DataFileException">A field is missing; the message has file and line.</exception>
    public Example<FieldMap, FieldMap> ToExample(DataRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return ToExample(row.Fields, row.Place);
    }

    /// <summary>The fields as an example.</summary>
    /// <exception cref="HoneException">A field is missing.</exception>
    public Example<FieldMap, FieldMap> ToExample(FieldMap fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return ToExample(fields, null);
    }

    private Example<FieldMap, FieldMap> ToExample(FieldMap fields, DataPlace? place)
    {
        if (!Names.IsEmpty)
            fields = FieldMap.Create([.. fields.Select(field => KeyValuePair.Create(Names.GetValueOrDefault(field.Key, field.Key), field.Value))]);
        var rest = fields;
        var inputs = Take(fields, ref rest, Inputs, place);
        var labels = Take(fields, ref rest, Labels, place);
        var id = Id is null ? null : $"{Take(fields, ref rest, [Id], place)[Id]}";
        if (Expected.IsEmpty)
            return new(inputs, rest) { Labels = labels, Id = id };
        var expected = Take(fields, ref rest, Expected, place);
        return new(inputs, expected) { Labels = FieldMap.Create([.. labels, .. rest]), Id = id };
    }

    private static FieldMap Take(FieldMap fields, ref FieldMap rest, ImmutableArray<string> names, DataPlace? place)
    {
        var pairs = new KeyValuePair<string, object?>[names.Length];
        for (var i = 0; i < pairs.Length; i++)
        {
            if (!fields.TryGetValue(names[i], out var value))
            {
                var reason = $"there is no field '{names[i]}'; fields: {string.Join(", ", fields.Keys)}";
                throw place is { } where ? new DataFileException(reason, where) : new HoneException($"A row lacks a field: {reason}.");
            }

            pairs[i] = new(names[i], value);
            rest = rest.Without(names[i]);
        }

        return FieldMap.Adopt(pairs);
    }
}
