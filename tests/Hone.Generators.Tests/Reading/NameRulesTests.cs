using System.Reflection;
using CsCheck;

namespace Hone.Generators.Tests;

public class NameRulesTests
{
#pragma warning disable IL2026, IL2075 // Tests are never trimmed.
    private static readonly Func<string, string> NameOfHone = typeof(Module).Assembly.GetType("Hone.NamingRules", throwOnError: true)!
        .GetMethod("ToSnakeCase", BindingFlags.Static | BindingFlags.Public)!.CreateDelegate<Func<string, string>>();
#pragma warning restore IL2026, IL2075

    // The runtime names fields and the generator predicts those names: one rule, written twice.
    [Fact]
    public void ToSnakeCase_AnyName_IsThatOfTheRuntime() =>
        Gen.Char["aZbQ_09éÉ"].Array[1, 12].Select(letters => new string(letters))
            .Sample(name => Assert.Equal(NameOfHone(name), NameRules.ToSnakeCase(name)), iter: 2000);

    [Fact]
    public void PropertyOf_AnyFieldName_GivesThatNameBack() =>
        Gen.Char["ab_1"].Array[1, 12].Select(letters => new string(letters)).Where(name => char.IsLetter(name[0]))
            .Sample(name => Assert.Equal(name, NameRules.ToSnakeCase(NameRules.PropertyOf(name))), iter: 2000);

    [Theory]
    [InlineData("new_notes", "NewNotes")]
    [InlineData("answer", "Answer")]
    [InlineData("x_1", "X_1")]
    [InlineData("a_b", "A_b")]
    public void PropertyOf_FieldName_IsReadable(string field, string property) => Assert.Equal(property, NameRules.PropertyOf(field));

    [Theory]
    [InlineData("GenerateQuery", "generate_query", "_generateQuery")]
    [InlineData("_Answer", "answer", "_answer")]
    [InlineData("AnswerAsync", "answer", "_answer")]
    [InlineData("Async", "async", "_async")]
    [InlineData("ReadHTTPPage", "read_http_page", "_readHTTPPage")]
    public void PathOf_MethodName_IsSnakeCase(string method, string path, string field)
    {
        Assert.Equal(path, NameRules.PathOf(method));
        Assert.Equal(field, NameRules.FieldOf(method));
    }
}
