using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Hone;

/// <summary>The constructors of tuple types.</summary>
internal static class ClrTuples
{
    private static readonly ConcurrentDictionary<Type, ConstructorInvoker> Cache = new();

    public static ConstructorInvoker Of([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] Type type) =>
        Cache.TryGetValue(type, out var known) ? known : Cache.GetOrAdd(type, ConstructorInvoker.Create(type.GetConstructor(type.GetGenericArguments())!));

    /// <summary>As <see cref="Of"/>, for a type that was met at run time.</summary>
    /// <exception cref="HoneException">The program is trimmed and nobody has registered the type.</exception>
    public static ConstructorInvoker Find(Type type) =>
        Cache.TryGetValue(type, out var known) ? known
        : ClrReflection.IsComplete ? Discover(type)
        : throw ClrReflection.UnknownRecord(type);

    [RequiresUnreferencedCode("The constructors of the type may be gone.")]
    private static ConstructorInvoker Discover(Type type) => Of(type);
}
