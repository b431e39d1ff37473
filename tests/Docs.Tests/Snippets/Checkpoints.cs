using Hone.Engine;
using Hone.Optimizers;

namespace Docs.Tests.Snippets.Checkpoints;

/// <summary>Compiled only: a real checkpoint is not at hand everywhere.</summary>
internal static class CheckpointSketches
{
    public static void Open()
    {
        #region checkpoint-open
        var lm = EngineLM.Load("models/Qwen2.5-0.5B-Instruct");
        var tuned = EngineLM.Load("models/Qwen2.5-0.5B-Instruct", adapter: "adapters/research");   // a PEFT adapter of the model
        #endregion
        lm.Client.Dispose();
        tuned.Client.Dispose();
    }

    public static GrpoOptions Train()
    {
        #region checkpoint-train
        var options = new GrpoOptions { Steps = 100, Lora = new() { Rank = 16, Alpha = 32 }, RunDirectory = "runs/research" };
        #endregion
        return options;
    }

    public static void Export(Hone.LM lm)
    {
        #region checkpoint-export
        var model = lm.GetService<EngineModel>()!;
        if (model.HasAdapter)
            model.SaveAdapter("out/adapter");      // adapter_config.json, adapter_model.safetensors
        model.Save("out/model");                   // everything, the adapter added to the weights, in the base's number format
        #endregion
    }
}
