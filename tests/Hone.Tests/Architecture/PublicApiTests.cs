using System.Reflection;
using System.Text;

namespace Hone.Tests.Architecture;

/// <summary>
/// Rule 5: one approved text of the public API a package. A change shows up as a failing test; set HONE_ACCEPT_API=1 to write the new text, and
/// review it like code.
/// </summary>
public sealed class PublicApiTests
{
    public static TheoryData<string> Packages => ["Hone", "Hone.AspNetCore", "Hone.Dashboard", "Hone.Datasets.Parquet", "Hone.Engine", "Hone.Engine.Cuda", "Hone.Evaluation", "Hone.Mcp", "Hone.Retrieval", "Hone.Sandbox", "Hone.Testing", "Hone.VectorData"];

    [Theory]
    [MemberData(nameof(Packages))]
    public void PublicApi_EqualsTheApprovedText(string package)
    {
        var path = Path.Combine(Repository.Root, "tests", "Hone.Tests", "Architecture", "PublicApi", package + ".txt");
        var actual = Describe(Assembly.Load(package));
        if (Environment.GetEnvironmentVariable("HONE_ACCEPT_API") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path), actual, ignoreLineEndingDifferences: true);
    }

    private static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(Name(type, full: true)).Append('\n');
            var members = type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                .Select(Describe).OfType<string>().Order(StringComparer.Ordinal);
            foreach (var member in members)
                text.Append("  ").Append(member).Append('\n');
        }

        return text.ToString();
    }

    private static string? Describe(MemberInfo member) => member switch
    {
        ConstructorInfo { IsPublic: true } constructor => $"new({Parameters(constructor)})",
        MethodInfo method when IsVisible(method) && !method.IsSpecialName && !IsCompilerMade(method) =>
            $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}{Generics(method)}({Parameters(method)})",
        PropertyInfo property when property.GetMethod is { } getter && IsVisible(getter) && property.Name != "EqualityContract" =>
            $"{(getter.IsStatic ? "static " : "")}{Name(property.PropertyType)} {property.Name} {{ get;{Setter(property)} }}",
        FieldInfo { IsPublic: true, IsSpecialName: false } field => $"{(field.IsLiteral ? "const " : "")}{Name(field.FieldType)} {field.Name}",
        _ => null,
    };

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsCompilerMade(MethodInfo method) => method.Name.Contains('<', StringComparison.Ordinal)
        || method.Name is "PrintMembers" or "Deconstruct" or "GetHashCode" or "Equals" or "ToString";

    private static string Setter(PropertyInfo property) => property.SetMethod is { } setter && IsVisible(setter)
        ? setter.ReturnParameter.GetRequiredCustomModifiers().Length > 0 ? " init;" : " set;"
        : "";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + (parameter.DefaultValue ?? "null") : "")}"));

    private static string Generics(MethodInfo method) =>
        method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";

    private static string Kind(Type type) => type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
        : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
        : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";

    private static string Name(Type type, bool full = false)
    {
        var name = full ? type.FullName! : type.Name;
        if (type.IsByRef || type.IsArray)
            return Name(type.GetElementType()!) + (type.IsArray ? "[]" : "&");
        if (!type.IsGenericType)
            return name;
        var tick = name.IndexOf('`', StringComparison.Ordinal);
        return $"{(tick < 0 ? name : name[..tick])}<{string.Join(", ", type.GetGenericArguments().Select(argument => Name(argument)))}>";
    }
}
