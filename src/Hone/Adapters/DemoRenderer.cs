using System.Collections.Immutable;

namespace Hone;

/// <summary>Which demos are shown and in what order, the same for every adapter.</summary>
internal static class DemoRenderer
{
    /// <summary>Stands for an output that an incomplete demo or an earlier turn does not have.</summary>
    public const string NotSupplied = "(not supplied)";

    /// <summary>Opens the user turn of an incomplete demo.</summary>
    public const string IncompleteNotice = "This is an example of the task in which some fields are not supplied.";

    /// <summary>Incomplete demos first, then complete ones, each in given order; a demo without any input or any output is left out.</summary>
    public static IEnumerable<(Demo Demo, bool IsComplete)> InOrder(Signature signature, ImmutableArray<Demo> demos)
    {
        foreach (var demo in demos)
        {
            if (!IsComplete(signature, demo) && IsUseful(signature, demo))
                yield return (demo, false);
        }

        foreach (var demo in demos)
        {
            if (IsComplete(signature, demo))
                yield return (demo, true);
        }
    }

    // A null counts as supplied where the type has it; a conversation or tools never have to be part of an example.
    private static bool IsComplete(Signature signature, Demo demo)
    {
        foreach (var field in signature.Fields)
        {
            var isGiven = demo.Fields.TryGetValue(field.Name, out var value) && (value is not null || field.Type.AdmitsNull);
            if (!isGiven && TypeHints.Bare(field.Type).Kind != FieldTypeKind.History && !IsTools(field.Type))
                return false;
        }

        return true;
    }

    private static bool IsTools(FieldType declared) => TypeHints.Bare(declared) is var type
        && (type.Kind == FieldTypeKind.Tool || (type.Kind == FieldTypeKind.List && type.Arguments[0].Kind == FieldTypeKind.Tool));

    private static bool IsUseful(Signature signature, Demo demo) =>
        signature.Inputs.Any(field => demo.Fields.ContainsKey(field.Name)) && signature.Outputs.Any(field => demo.Fields.ContainsKey(field.Name));
}
