using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>The signature of a pair of input and output types.</summary>
internal static class TypedSignature
{
    public static Signature Of<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>(
        string? instructions) => new(
        [.. SignatureReflector.Fields(typeof(TIn), FieldDirection.Input), .. SignatureReflector.Fields(typeof(TOut), FieldDirection.Output)],
        instructions,
        typeof(TOut).Name);

    public static FieldMap InputsOf<TIn>(TIn input) => input is null
        ? throw new HoneException($"The input of type {typeof(TIn).Name} is null. Pass a value.")
        : SignatureReflector.ToFieldMap(input, FieldDirection.Input);
}
