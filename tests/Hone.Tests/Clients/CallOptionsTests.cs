using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Clients;

public sealed class CallOptionsTests
{
    private static readonly Func<object>[] Senseless =
    [
        () => new RetryOptions { BaseDelay = TimeSpan.FromSeconds(-1) },
        () => new RetryOptions { MaxDelay = TimeSpan.FromSeconds(-1) },
        () => new RetryOptions { MaxRetryAfter = TimeSpan.FromSeconds(-1) },
        () => new CallOptions { MaxOutputTokens = 0 },
        () => new CallOptions { MaxOutputTokens = -5 },
        () => new CallBudgetLimits { MaxMoney = -1 },
        () => new CallBudgetLimits { MaxCalls = -1 },
        () => new CallBudgetLimits { MaxInputTokens = -1 },
        () => new CallBudgetLimits { MaxOutputTokens = -1 },
        () => new CallBudgetLimits { MaxTokens = -1 },
        () => new CallBudgetLimits { MaxTime = TimeSpan.FromSeconds(-1) },
        () => new CallBudgetLimits { AssumedOutputTokens = 0 },
        () => new CallBudgetLimits { AssumedMediaTokens = -1 },
        () => new ResponseCacheOptions { MemoryBytes = -1 },
        () => new ResponseCacheOptions { TimeToLive = TimeSpan.Zero },
        () => new SqliteStoreOptions { MaxBytes = -1 },
        () => new SqliteStoreOptions { BusyTimeout = TimeSpan.FromSeconds(-1) },
    ];

    private static readonly Func<IChatClient, object?> Raw = _ => null;

    private static readonly CallOptions Full = new()
    {
        Temperature = 0.5f,
        TopP = 0.9f,
        TopK = 40,
        MaxOutputTokens = 100,
        StopSequences = ["END"],
        ReasoningEffort = ReasoningEffort.High,
        ReasoningOutput = ReasoningOutput.Summary,
        ToolMode = ChatToolMode.RequireSpecific("search"),
        AllowMultipleToolCalls = false,
        FrequencyPenalty = 0.1f,
        PresencePenalty = -0.1f,
        SampleId = 3,
        LogProbs = true,
        Additional = ImmutableSortedDictionary<string, object?>.Empty.Add("top_a", 0.25).Add("tags", new[] { "a", "b" }),
        RawOptions = Raw,
    };

    public static TheoryData<string> Members => [.. typeof(CallOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(member => member.Name)];

    [Theory]
    [MemberData(nameof(Members))]
    public void Overlay_EveryMember_TakesTheUpperChoice_AndKeepsTheLowerWithoutOne(string member)
    {
        var property = typeof(CallOptions).GetProperty(member)!;
        Assert.Equal(property.GetValue(Full), property.GetValue(new CallOptions().Overlay(Full)));
        Assert.Equal(property.GetValue(Full), property.GetValue(Full.Overlay(new CallOptions())));
        Assert.Equal(property.GetValue(Full), property.GetValue(Full.Overlay(null)));
    }

    [Theory]
    [MemberData(nameof(Members))]
    public void Equals_EveryMember_Counts(string member)
    {
        var other = Full with { };
        Assert.Equal(Full, other);
        var property = typeof(CallOptions).GetProperty(member)!;
        property.SetValue(other, property.GetValue(new CallOptions()));
        Assert.NotEqual(Full, other);
    }

    [Fact]
    public void Equals_AdditionalValuesOfEqualForm_AreEqual()
    {
        var json = JsonDocument.Parse("""{"a":1}""").RootElement;
        var left = new CallOptions { Additional = ImmutableSortedDictionary<string, object?>.Empty.Add("x", json).Add("n", 1) };
        var right = new CallOptions
        {
            Additional = ImmutableSortedDictionary<string, object?>.Empty.Add("x", new Dictionary<string, object?> { ["a"] = 1L }).Add("n", 1L),
        };
        Assert.Equal(left, right);
        Assert.Equal(left.GetHashCode(), right.GetHashCode());
    }

    [Fact]
    public void Overlay_Additional_MergesByName()
    {
        var lower = new CallOptions { Additional = ImmutableSortedDictionary<string, object?>.Empty.Add("a", 1).Add("b", 1) };
        var upper = new CallOptions { Additional = ImmutableSortedDictionary<string, object?>.Empty.Add("b", 2) };
        Assert.Equal([KeyValuePair.Create<string, object?>("a", 1), KeyValuePair.Create<string, object?>("b", 2)], lower.Overlay(upper).Additional);
    }

    [Fact]
    public void ToChatOptions_MapsEveryMember()
    {
        var options = Full.ToChatOptions(seed: 7);
        Assert.Equal((0.5f, 0.9f, 40, 100), (options.Temperature, options.TopP, options.TopK, options.MaxOutputTokens));
        Assert.Equal((0.1f, -0.1f, 7L, 3L), (options.FrequencyPenalty, options.PresencePenalty, options.Seed, options.SampleId));
        Assert.Equal(["END"], options.StopSequences!);
        Assert.Equal((ReasoningEffort.High, ReasoningOutput.Summary), (options.Reasoning!.Effort, options.Reasoning.Output));
        Assert.Equal((ChatToolMode.RequireSpecific("search"), false), (options.ToolMode, options.AllowMultipleToolCalls));
        Assert.True(options.LogProbs);
        Assert.Equal(true, options.AdditionalProperties!["logprobs"]);
        Assert.Equal(0.25, options.AdditionalProperties["top_a"]);
        Assert.DoesNotContain(options.AdditionalProperties.Keys, name => name.Contains("sample", StringComparison.OrdinalIgnoreCase));
        Assert.Same(Raw, options.RawRepresentationFactory);
    }

    [Fact]
    public void ToChatOptions_NothingChosen_SetsNothing()
    {
        var options = new CallOptions().ToChatOptions(null);
        Assert.Null(options.AdditionalProperties);
        Assert.Null(options.Reasoning);
        Assert.Null(options.StopSequences);
    }

    [Fact]
    public void Json_RoundTrips_WithoutTheRawOptions()
    {
        var json = JsonSerializer.Serialize(Full, JsonSerializerOptions.Web);
        Assert.Equal(Full with { RawOptions = null }, JsonSerializer.Deserialize<CallOptions>(json, JsonSerializerOptions.Web));
        Assert.DoesNotContain("null", JsonSerializer.Serialize(new CallOptions { Temperature = 0 }, JsonSerializerOptions.Web), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_ToolModes_RoundTrip()
    {
        ChatToolMode[] modes = [ChatToolMode.Auto, ChatToolMode.None, ChatToolMode.RequireAny, ChatToolMode.RequireSpecific("f")];
        foreach (var mode in modes)
        {
            var json = JsonSerializer.Serialize(new CallOptions { ToolMode = mode }, JsonSerializerOptions.Web);
            Assert.Equal(mode, JsonSerializer.Deserialize<CallOptions>(json, JsonSerializerOptions.Web)!.ToolMode);
        }

        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<CallOptions>("""{"toolMode":"maybe"}""", JsonSerializerOptions.Web));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<CallOptions>("""{"toolMode":1}""", JsonSerializerOptions.Web));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<CallOptions>("""{"reasoningOutput":"loud"}""", JsonSerializerOptions.Web));
    }

    [Fact]
    public void Json_NullMembers_AreAbsent_AndUnknownOnesRefused()
    {
        var options = JsonSerializer.Deserialize<CallOptions>("""{"temperature":0.5,"topP":null,"stopSequences":[]}""", JsonSerializerOptions.Web);
        Assert.Equal(new CallOptions { Temperature = 0.5f }, options);
        var error = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<CallOptions>("""{"warmth":1}""", JsonSerializerOptions.Web));
        Assert.Contains("warmth", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("api_key")]
    [InlineData("apiKey")]
    [InlineData("Authorization")]
    [InlineData("aws_secret_access_key")]
    [InlineData("aws_session_token")]
    [InlineData("extra_headers")]
    [InlineData("token")]
    [InlineData("hf_token")]
    [InlineData("githubToken")]
    [InlineData("subscription_key")]
    [InlineData("Passphrase")]
    public void D42_Additional_NamedLikeACredential_IsRefusedBeforeItCanBeSaved(string name)
    {
        var error = Assert.Throws<LMConfigurationException>(
            () => new CallOptions { Additional = ImmutableSortedDictionary<string, object?>.Empty.Add(name, "x-1234") });
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("x-1234", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("max_tokens")]
    [InlineData("prompt_cache_key")]
    [InlineData("return_token_ids")]
    [InlineData("top_a")]
    [InlineData("eos_token")]
    [InlineData("forced_bos_token")]
    [InlineData("skip_special_tokens")]
    public void Additional_OrdinaryNames_AreAllowed(string name) =>
        Assert.Single(new CallOptions { Additional = ImmutableSortedDictionary<string, object?>.Empty.Add(name, 1) }.Additional);

    [Theory]
    [InlineData("""{"api_key": "x-1234"}""", "extra_body.api_key")]
    [InlineData("""{"headers": [{"Authorization": "x-1234"}]}""", "extra_body.Authorization")]
    [InlineData("""{"tool": {"auth_token": "x-1234"}}""", "extra_body.auth_token")]
    public void D42_Additional_CredentialWithinAValue_IsRefused(string json, string name)
    {
        var error = Assert.Throws<LMConfigurationException>(
            () => new CallOptions { Additional = ImmutableSortedDictionary<string, object?>.Empty.Add("extra_body", JsonElement.Parse(json)) });
        Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("x-1234", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type": "object", "properties": {"password": {"type": "string"}, "api_key": {"type": "string"}}, "required": ["password"]}""")]
    [InlineData("""{"bias": [{"token": "x", "value": 1}], "key": "v", "api_key": ""}""")]
    public void Additional_ValuesThatOnlySpeakOfCredentials_AreAllowed(string json) =>
        Assert.Single(new CallOptions { Additional = ImmutableSortedDictionary<string, object?>.Empty.Add("guided_json", JsonElement.Parse(json)) }.Additional);

    /// <summary>A setting that means nothing is refused where it is made, by its name.</summary>
    [Fact]
    public void Settings_OutOfRange_AreRefused() => Assert.All(
        Senseless, make => Assert.Contains(" must ", Assert.Throws<LMConfigurationException>(make).Message, StringComparison.Ordinal));

    [Fact]
    public void D24_ExplicitTemperatureZero_IsAChoice_AtEveryLevel()
    {
        var options = new CallOptions { Temperature = 0.7f }.Overlay(new() { Temperature = 0 });
        Assert.Equal(0f, options.ToChatOptions(null).Temperature);
        Assert.Equal(0, new CallOptions { TopK = 5 }.Overlay(new() { TopK = 0 }).TopK);
    }

    [Fact]
    public void HoneChatOptions_Clone_KeepsEverything_AndSharesNoCollection()
    {
        var options = Full.ToChatOptions(1);
        (options.Path, options.Ordinal, options.Role) = ("answer", 2, "judge");
        var copy = Assert.IsType<HoneChatOptions>(options.Clone());
        Assert.Equal(("answer", 2, "judge", 3L, true), (copy.Path, copy.Ordinal, copy.Role, copy.SampleId, copy.LogProbs));
        Assert.Equal(options.Temperature, copy.Temperature);
        copy.AdditionalProperties!["top_a"] = 1;
        copy.StopSequences!.Add("more");
        Assert.Equal(0.25, options.AdditionalProperties!["top_a"]);
        Assert.Single(options.StopSequences!);
    }
}
