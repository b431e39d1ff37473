using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using static System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes;

namespace Hone;

/// <summary>
/// What reflection may rely on. In an ordinary program every type is whole. In a trimmed or natively compiled one only what was registered is (see
/// <see cref="TypeSupport"/>); anything else is refused, since some of its members may be gone without a trace.
/// </summary>
internal static class ClrReflection
{
    /// <summary>What is read of a type whose properties are fields.</summary>
    public const DynamicallyAccessedMemberTypes Members = PublicConstructors | PublicProperties | PublicFields | Interfaces;

    /// <summary>
    /// True when types that nobody registered can be read and built. The trimmer replaces it by false. A project that is to be trimmed, or compiled
    /// natively, behaves the same when it runs from its build output: the SDK turns off for it what is asked here.
    /// </summary>
#pragma warning disable IL4000 // The analyzer cannot prove what the trimmer makes true: that this is false in a trimmed program.
    [FeatureGuard(typeof(RequiresUnreferencedCodeAttribute))]
    [FeatureGuard(typeof(RequiresDynamicCodeAttribute))]
    public static bool IsComplete => RuntimeFeature.IsDynamicCodeSupported && JsonSerializer.IsReflectionEnabledByDefault;
#pragma warning restore IL4000

    /// <summary>True when values of the type can be read property by property.</summary>
    public static bool CanRead(Type type) => IsComplete || ClrTypes.IsValue(type) || ClrShape.IsKnown(type);

    /// <summary>Whether <c>string?</c> can be told from <c>string</c>.</summary>
    /// <exception cref="HoneException">The project has switched the annotations off.</exception>
    public static NullabilityInfoContext Nullability() =>
        AppContext.TryGetSwitch("System.Reflection.NullabilityInfoContext.IsSupported", out var isOn) && !isOn
            ? throw new HoneException(
                "Nullable annotations are switched off, as trimming does by default, but Hone must tell string? from string. "
                + "Set <NullabilityInfoContextSupport>true</NullabilityInfoContextSupport> in the project file.")
            : new();

    public static HoneException UnknownRecord(Type type) => Unknown(type, $"{nameof(TypeSupport)}.{nameof(TypeSupport.Register)}<{Name(type)}>()");

    public static HoneException UnknownCollection(Type type)
    {
        var arguments = type.IsArray ? [type.GetElementType()!] : type.GetGenericArguments();
        var method = arguments.Length == 2 ? nameof(TypeSupport.RegisterDictionary) : nameof(TypeSupport.RegisterList);
        return Unknown(type, $"{nameof(TypeSupport)}.{method}<{string.Join(", ", arguments.Prepend(type).Select(Name))}>()");
    }

    private static HoneException Unknown(Type type, string call) => new(
        $"This program is trimmed or compiled natively, and nothing keeps the type {Name(type)} whole for Hone. Declare the step as a partial method "
        + $"of a module, for which Hone's source generator does it, or call {call} when the program starts.");

    private static string Name(Type type) =>
        type.IsArray ? $"{Name(type.GetElementType()!)}[]"
        : type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : type.Name;
}
