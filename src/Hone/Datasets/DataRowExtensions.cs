using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Hone;

/// <summary>Rows of files as examples.</summary>
public static class DataRowExtensions
{
    /// <summary>Rows as examples of the dynamic lane.</summary>
    /// <exception cref="DataFileException">A row lacks a field; the message has file and line.</exception>
    public static IAsyncEnumerable<Example<FieldMap, FieldMap>> AsExamples(this IAsyncEnumerable<DataRow> rows, FieldRoles roles)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(roles);
        return rows.Select(roles.ToExample);
    }

    /// <summary>
    /// Rows as typed examples: each property is filled from the field of its name in snake case or as it is written, texts are read as the property's type.
    /// Fields that neither type has become labels.
    /// </summary>
    /// <param name="rows">The rows.</param>
    /// <param name="idField">The field that names the row; null without one.</param>
    /// <exception cref="DataFileException">A row lacks a field or holds a value that does not fit; the message has file, line and field.</exception>
    public static IAsyncEnumerable<Example<TIn, TOut>> AsExamples<
        [DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>(
        this IAsyncEnumerable<DataRow> rows, string? idField = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        SignatureField[] inputs = [.. SignatureReflector.Fields(typeof(TIn), FieldDirection.Input)];
        SignatureField[] outputs = [.. SignatureReflector.Fields(typeof(TOut), FieldDirection.Output)];
        return rows.Select(row => new Example<TIn, TOut>(
            Bind<TIn>(row, inputs, FieldDirection.Input), Bind<TOut>(row, outputs, FieldDirection.Output))
        {
            Id = idField is null ? null : $"{row.Value(idField)}",
            Labels = Rest(row.Fields, [.. inputs, .. outputs], idField),
        });
    }

    private static T Bind<[DynamicallyAccessedMembers(ClrReflection.Members)] T>(DataRow row, SignatureField[] fields, FieldDirection direction)
    {
        var pairs = new List<KeyValuePair<string, object?>>(fields.Length);
        foreach (var field in fields)
        {
            if (NameIn(row.Fields, field) is not { } name)
            {
                if (field.HasDefault || TakesNull(field.Type))
                    continue;
                throw new DataFileException($"there is no field '{field.Name}'; fields: {string.Join(", ", row.Fields.Keys)}", row.Place);
            }

            pairs.Add(new(field.Name, Coerce(row, name, field)));
        }

        try
        {
            return SignatureReflector.FromFieldMap<T>(FieldMap.Create(pairs), direction);
        }
        catch (ValueCoercionException error)
        {
            throw new DataFileException($"the row is no {typeof(T).Name}: {error.Message.TrimEnd('.')}", row.Place, 0, error);
        }
    }

    private static object? Coerce(DataRow row, string name, SignatureField field)
    {
        try
        {
            return ValueCoercer.Coerce(row.Fields[name], field.Type);
        }
        catch (ValueCoercionException error)
        {
            throw new DataFileException($"the field '{name}' is no {TypeNames.Of(field.Type)}: {error.Reason.TrimEnd('.')}", row.Place, 0, error);
        }
    }

    private static bool TakesNull(FieldType type)
    {
        var ignored = default(CoercionFailure);
        return ValueCoercer.TryCoerce(null, type, out _, ref ignored);
    }

    private static string? NameIn(FieldMap fields, SignatureField field) => fields.ContainsKey(field.Name)
        ? field.Name
        : fields.Keys.FirstOrDefault(name => string.Equals(
            name.Replace("_", "", StringComparison.Ordinal), field.Name.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase));

    private static FieldMap Rest(FieldMap fields, SignatureField[] bound, string? idField)
    {
        foreach (var field in bound)
        {
            if (NameIn(fields, field) is { } name)
                fields = fields.Without(name);
        }

        return idField is null ? fields : fields.Without(idField);
    }
}
