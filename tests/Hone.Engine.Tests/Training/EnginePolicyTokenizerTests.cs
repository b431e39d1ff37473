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
            Assert.All(tokenizer.StopIds, id => Assert.Contains(id, model.EndTokenIds));
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
}
