using System.Text.Json.Nodes;
using Hone.Engine;
using Microsoft.Extensions.AI;

namespace Hone.Engine.Tests.Training;

public sealed class EnginePolicyTokenizerTests
{
    private static readonly ChatMessage[] Messages = [new(ChatRole.System, "Copy."), new(ChatRole.User, "Say: naïve\n[[ ## a ## ]]")];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A prompt has the same tokens whether the model answers here or behind a service.</summary>
    [Fact]
    public async Task Encode_SavedModel_GivesTheTokensThatTheModelIsGiven()
    {
        var directory = Directory.CreateTempSubdirectory("hone-tokenizer").FullName;
        try
        {
            using var model = EngineModel.LoadEmbedded();
            model.Save(directory);
            foreach (var weights in Directory.GetFiles(directory, "*.safetensors"))
                File.Delete(weights);
            using var client = new EngineChatClient(model);
            var response = await client.GetResponseAsync(Messages, new() { MaxOutputTokens = 12, Temperature = 0 }, Token);
            var sampled = (SampledTokens)response.AdditionalProperties![SampledTokens.Key]!;

            var tokenizer = EnginePolicyTokenizer.Load(directory);
            Assert.Equal(sampled.PromptIds, tokenizer.Encode(Messages));
            Assert.Equal(response.Text, tokenizer.Decode(sampled.CompletionIds));
            Assert.Equal(model.EndTokenIds.Order(), tokenizer.StopIds.Order());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>As Qwen's: a list of tokens in generation_config.json, another in config.json. Here the model stops at each of them, so a service is to do so, too.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("chatml")]
    public void Load_ConfigurationsThatListSeveralEnds_StopsWhereTheModelDoes(string? chatFormat)
    {
        var directory = Directory.CreateTempSubdirectory("hone-tokenizer").FullName;
        try
        {
            using (var model = EngineModel.LoadEmbedded())
                model.Save(directory);
            Write(directory, "generation_config.json", new JsonArray(3, 5));
            Write(directory, "config.json", 7);
            using var loaded = EngineModel.Load(directory);
            var tokenizer = EnginePolicyTokenizer.Load(directory, chatFormat);
            var endOfTurn = loaded.Tokenizer.IdOf(loaded.Template.EndOfTurnToken)!.Value;
            Assert.Equal([endOfTurn, 7, 3, 5], tokenizer.StopIds);
            Assert.Equal(loaded.EndTokenIds.Order(), tokenizer.StopIds.Order());

            // What is learned from ends as the chat format has it, whatever else would stop it.
            Assert.Equal(endOfTurn, tokenizer.EncodeAnswer("Hello")[^1]);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData("{\"eos_token_id\":[1,\"two\"]}", "eos_token_id")]
    [InlineData("[1]", "no JSON object")]
    [InlineData("{", "no JSON")]
    public void Load_OddConfiguration_NamesTheFile(string text, string problem)
    {
        var directory = Directory.CreateTempSubdirectory("hone-tokenizer").FullName;
        try
        {
            using (var model = EngineModel.LoadEmbedded())
                model.Save(directory);
            var path = Path.Combine(directory, "generation_config.json");
            File.WriteAllText(path, text);
            var error = Assert.Throws<InvalidDataException>(() => EnginePolicyTokenizer.Load(directory));
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
            Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void Constructor_FormatOfAnotherFamily_NamesTheMissingToken()
    {
        using var model = EngineModel.LoadEmbedded();
        var error = Assert.Throws<InvalidDataException>(() => new EnginePolicyTokenizer(model.Tokenizer, ChatTemplate.ForName("llama3")));
        Assert.Contains("<|eot_id|>", error.Message, StringComparison.Ordinal);
    }

    private static void Write(string directory, string file, JsonNode ends)
    {
        var path = Path.Combine(directory, file);
        var root = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        root["eos_token_id"] = ends;
        File.WriteAllText(path, root.ToJsonString());
    }
}
