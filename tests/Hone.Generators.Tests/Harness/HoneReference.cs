using Microsoft.CodeAnalysis;

namespace Hone.Generators.Tests;

/// <summary>What test programs compile against.</summary>
internal static class HoneReference
{
    public const string Stub = """
        #nullable enable
        using System;
        using System.Collections.Generic;
        using System.Threading;
        using System.Threading.Tasks;
        namespace Hone
        {
            public abstract class Module
            {
                private protected Module() { }
                protected internal virtual IEnumerable<KeyValuePair<string, Module>> GetChildren() => [];
            }
            public abstract class Module<TIn, TOut> : Module
            {
                public Task<TOut> CallAsync(TIn input, CancellationToken cancellationToken = default) => ForwardAsync(input, cancellationToken);
                protected abstract Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken);
            }
            public sealed class Predict<TIn, TOut>(string? instructions = null) : Module<TIn, TOut>
            {
                public string? Instructions => instructions;
                protected override Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken) => throw new NotSupportedException();
            }
            public sealed class ChainOfThought<TIn, TOut>(string? instructions = null) : Module<TIn, TOut>
            {
                public string? Instructions => instructions;
                protected override Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken) => throw new NotSupportedException();
            }
            public sealed class Predict { }
            public sealed class ChainOfThought { }
            public sealed record Prediction<T>(T Value);
            [AttributeUsage(AttributeTargets.Method, Inherited = false)]
            public abstract class PredictorAttribute : Attribute
            {
                private protected PredictorAttribute(string? instructions) => Instructions = instructions;
                public string? Instructions { get; }
                public string? Output { get; set; }
            }
            public sealed class PredictAttribute(string? instructions = null) : PredictorAttribute(instructions);
            public sealed class ChainOfThoughtAttribute(string? instructions = null) : PredictorAttribute(instructions);
            [AttributeUsage(AttributeTargets.ReturnValue, AllowMultiple = true)]
            public sealed class OutputAttribute(string name) : Attribute
            {
                public string Name { get; } = name;
                public string? Description { get; set; }
            }
        }
        """;

    private static readonly Lazy<MetadataReference> Compiled = new(() =>
    {
        var compilation = Microsoft.CodeAnalysis.CSharp.CSharpCompilation.Create(
            "Hone",
            [Microsoft.CodeAnalysis.CSharp.CSharpSyntaxTree.ParseText(Stub)],
            TestCompilation.Platform,
            new(OutputKind.DynamicallyLinkedLibrary));
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        Assert.True(result.Success, string.Join("\n", result.Diagnostics));
        return MetadataReference.CreateFromImage(image.ToArray());
    });

    public static MetadataReference Instance => Compiled.Value;
}
