using System.Reflection;

namespace Hone.Tests.Architecture;

/// <summary>Rule 4: asynchronous members end in Async and take a cancellation token last, with a default.</summary>
public sealed class AsyncApiTests
{
    [Theory]
    [MemberData(nameof(PublicApiTests.Packages), MemberType = typeof(PublicApiTests))]
    public void PublicTaskMethods_TakeACancellationTokenLast(string package)
    {
        var methods = Assembly.Load(package).GetExportedTypes()
            .Where(type => !typeof(Delegate).IsAssignableFrom(type))
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => IsTask(method.ReturnType) && method.Name != "DisposeAsync");
        foreach (var method in methods)
        {
            var name = $"{method.DeclaringType!.Name}.{method.Name}";
            Assert.EndsWith("Async", name, StringComparison.Ordinal);
            var last = method.GetParameters().LastOrDefault();
            Assert.True(last?.ParameterType == typeof(CancellationToken) && last.HasDefaultValue, $"{name} must end with `CancellationToken cancellationToken = default`.");
        }
    }

    private static bool IsTask(Type type) => typeof(Task).IsAssignableFrom(type) || type == typeof(ValueTask)
        || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>));
}
