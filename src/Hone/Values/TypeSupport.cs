using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>
/// Keeps types whole in trimmed and natively compiled programs. Hone's source generator calls it for every type that a partial predictor method
/// reaches; programs that build predictors by hand from records with nested records, tuples or collections call it once when they start. In other
/// programs it is not needed and costs next to nothing.
/// </summary>
public static class TypeSupport
{
    /// <summary>
    /// What must be kept of a type that goes into a program or comes out of it: put <c>[DynamicallyAccessedMembers(TypeSupport.Members)]</c> on a type parameter of your
    /// own that you hand on as one of a predictor or a program.
    /// </summary>
    public const DynamicallyAccessedMemberTypes Members = ClrReflection.Members;

    /// <summary>Keeps a record, class, struct or tuple: its constructors and properties. Its property types are registered on their own.</summary>
    /// <typeparam name="T">The type.</typeparam>
    public static void Register<[DynamicallyAccessedMembers(ClrReflection.Members)] T>()
    {
        if (ClrTypes.IsTuple(typeof(T)))
            ClrTuples.Of(typeof(T));
        else
            ClrShape.Keep(typeof(T));
    }

    /// <summary>
    /// Says how values of a type are shown to a model and read back that cannot carry a <see cref="PromptTypeAttribute{TPromptType}"/>: one of .NET, or of
    /// a library. Call it when the program starts, before the type is used as a field; calling it again does nothing.
    /// </summary>
    /// <param name="promptType">What shows and reads the values.</param>
    /// <exception cref="HoneException">
    /// The type is one that Hone reads by itself, has a prompt type of another class, or was used as a field without one.
    /// </exception>
    public static void RegisterPromptType<T>(PromptType<T> promptType) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(promptType);
        if (ClrTypes.IsBuiltIn(typeof(T)))
            throw new HoneException($"{typeof(T)} is a type that Hone shows and reads by itself. Wrap it in a type of yours.");
        PromptType.Register(promptType);
    }

    /// <summary>Keeps a list, set, array or other collection.</summary>
    /// <typeparam name="TCollection">The collection as declared, e.g. <c>IReadOnlyList&lt;int&gt;</c>.</typeparam>
    /// <typeparam name="TItem">Its item type.</typeparam>
    public static void RegisterList<[DynamicallyAccessedMembers(ClrReflection.Members)] TCollection, TItem>()
        where TCollection : IEnumerable<TItem> => CollectionReaders.KeepSequence<TCollection, TItem>();

    /// <summary>Keeps a dictionary.</summary>
    /// <typeparam name="TDictionary">The dictionary as declared, e.g. <c>IReadOnlyDictionary&lt;string, int&gt;</c>.</typeparam>
    /// <typeparam name="TKey">Its key type.</typeparam>
    /// <typeparam name="TValue">Its value type.</typeparam>
    public static void RegisterDictionary<[DynamicallyAccessedMembers(ClrReflection.Members)] TDictionary, TKey, TValue>()
        where TDictionary : IEnumerable<KeyValuePair<TKey, TValue>>
        where TKey : notnull => CollectionReaders.KeepDictionary<TDictionary, TKey, TValue>();
}
