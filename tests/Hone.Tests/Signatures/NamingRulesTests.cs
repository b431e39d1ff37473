namespace Hone.Tests.Signatures;

public sealed class NamingRulesTests
{
    [Theory]
    [InlineData("someAttributeName42IsCool", "Some Attribute Name 42 Is Cool")]
    [InlineData("version2Update", "Version 2 Update")]
    [InlineData("modelT45Enhanced", "Model T 45 Enhanced")]
    [InlineData("some_attribute_name", "Some Attribute Name")]
    [InlineData("URLAddress", "URL Address")]
    [InlineData("isHTTPSecure", "Is HTTP Secure")]
    [InlineData("isHTTPSSecure123", "Is HTTPS Secure 123")]
    [InlineData("question", "Question")]
    [InlineData("x", "X")]
    [InlineData("key_facts2", "Key Facts 2")]
    public void Label_Name_IsReadable(string name, string expected) => Assert.Equal(expected, NamingRules.Label(name));

    [Theory]
    [InlineData("GenerateQuery", "generate_query")]
    [InlineData("keyFacts", "key_facts")]
    [InlineData("HTTPServer2", "http_server2")]
    [InlineData("<answer>P", "answer")]
    [InlineData("key_facts", "key_facts")]
    [InlineData("ID", "id")]
    [InlineData("Question2Answer", "question2_answer")]
    public void ToSnakeCase_Name_IsFieldName(string name, string expected) => Assert.Equal(expected, NamingRules.ToSnakeCase(name));
}
