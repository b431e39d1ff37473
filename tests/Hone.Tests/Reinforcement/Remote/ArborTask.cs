using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Optimizers;

namespace Hone.Tests.Reinforcement.Remote;

/// <summary>What tests of Arbor share.</summary>
internal static class ArborTask
{
    /// <summary>A step for each of about four groups instead of one for all: a quarter of the rate.</summary>
    public static GrpoOptions Run => ToyTask.Options with { LearningRate = 0.5 };

    public static ArborOptions Options(FakeArborServer server, TimeProvider? time = null) => new()
    {
        Model = FakeArborServer.BaseModel,
        Address = server.Address,
        PollInterval = TimeSpan.FromMilliseconds(time is null ? 1 : 1000),
        StatusLag = TimeSpan.FromMilliseconds(time is null ? 5 : 3000),
        Time = time ?? TimeProvider.System,
    };

    public static async Task<ITrainingSession> StartAsync(ArborOptions options, GrpoOptions? run = null, CancellationToken cancellationToken = default) =>
        await ArborLM.Open(options).GetService<ITrainableModel>()!.StartTrainingAsync(new() { Plan = (run ?? Run).Plan, Lora = run?.Lora }, cancellationToken);

    /// <summary>A group of completions of the answer's predictor, half of them right.</summary>
    public static TrainingDatum[] Group(int number, int size = 8) =>
    [
        .. Enumerable.Range(0, size).Select(i => new TrainingDatum
        {
            PromptIds = [],
            CompletionIds = [],
            Predictor = "answer",
            Text = new([new(Microsoft.Extensions.AI.ChatRole.User, "[[ ## answer ## ]]\n{answer}")], ToyTask.Policy().Choices[0].Completions[i % 2], i % 2, number),
        }),
    ];
}
