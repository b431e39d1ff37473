using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Optimizers;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Reinforcement.Remote;

public sealed class OpenAIReinforcementTests : IDisposable
{
    private static readonly OpenAIReinforcementOptions Options = new() { Model = "o4-mini-2025-04-16", Grader = OpenAIGrader.FieldEquals("answer") };

    private readonly string directory = Path.Combine(Directory.CreateTempSubdirectory("hone-rft").FullName, "export");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(directory)!, recursive: true);

    [Fact]
    public async Task ExportAsync_OnePredictor_WritesPromptsAndReferences()
    {
        var program = new Program<ToyQuestion, ToyAnswer>(new Predict<ToyQuestion, ToyAnswer>("Answer with \"one\" word."));
        Example<ToyQuestion, ToyAnswer>[] train = [new(new("What's <2 + 2>?"), new("vier – 4")) { Labels = FieldMap.Of(("level", 3L)) }];
        await OpenAIReinforcement.ExportAsync(program, train, [new(new("q"), new("a"))], Options, directory, Token);
        var line = Assert.Single(await File.ReadAllLinesAsync(Path.Combine(directory, "train.jsonl"), Token));
        using var document = System.Text.Json.JsonDocument.Parse(line);
        var messages = document.RootElement.GetProperty("messages");
        var rendered = program.Render("self", FieldMap.Of(("question", "What's <2 + 2>?")));
        Assert.Equal(rendered.Select(message => message.Text), messages.EnumerateArray().Select(message => message.GetProperty("content").GetString()));
        Assert.Equal("system", messages[0].GetProperty("role").GetString());
        Assert.Equal("user", messages[1].GetProperty("role").GetString());
        Assert.EndsWith("""],"answer":"vier – 4","level":3}""", line, StringComparison.Ordinal);
        Assert.Equal(["job.json", "train.jsonl", "validation.jsonl"], Directory.GetFiles(directory).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task ExportAsync_Items_MatchTheGolden()
    {
        var item = new OpenAIReinforcementItem([new(ChatRole.System, "Sys"), new(ChatRole.User, "Ask \"x\"")], FieldMap.Of(("answer", "yes"), ("score", 0.5), ("ok", true)));
        await OpenAIReinforcement.ExportAsync(
            [item], [item],
            Options with
            {
                Grader = OpenAIGrader.Multi(
                    "both", "0.8 * exact + 0.2 * close",
                    OpenAIGrader.StringCheck("exact", "{{sample.output_text}}", "{{item.answer}}", OpenAIStringOperation.ILike),
                    OpenAIGrader.TextSimilarity("close", "{{sample.output_text}}", "{{item.answer}}", "rouge_l"),
                    OpenAIGrader.ScoreModel("judge", "gpt-4.1", [("user", "Rate {{sample.output_text}}")], 1, 5)),
                Epochs = 2,
                LearningRateMultiplier = 0.5,
                ReasoningEffort = "low",
                Suffix = "hop",
                Seed = 7,
            },
            directory, Token);
        Assert.Equal(
            """{"messages":[{"role":"system","content":"Sys"},{"role":"user","content":"Ask \"x\""}],"answer":"yes","score":0.5,"ok":true}""" + "\n",
            await File.ReadAllTextAsync(Path.Combine(directory, "train.jsonl"), Token));
        Assert.Equal(
            """
            {
              "model": "o4-mini-2025-04-16",
              "training_file": "train.jsonl",
              "validation_file": "validation.jsonl",
              "suffix": "hop",
              "seed": 7,
              "method": {
                "type": "reinforcement",
                "reinforcement": {
                  "grader": {
                    "type": "multi",
                    "name": "both",
                    "graders": {
                      "exact": {
                        "type": "string_check",
                        "name": "exact",
                        "input": "{{sample.output_text}}",
                        "reference": "{{item.answer}}",
                        "operation": "ilike"
                      },
                      "close": {
                        "type": "text_similarity",
                        "name": "close",
                        "input": "{{sample.output_text}}",
                        "reference": "{{item.answer}}",
                        "evaluation_metric": "rouge_l"
                      },
                      "judge": {
                        "type": "score_model",
                        "name": "judge",
                        "model": "gpt-4.1",
                        "input": [
                          {
                            "role": "user",
                            "content": "Rate {{sample.output_text}}"
                          }
                        ],
                        "range": [
                          1,
                          5
                        ]
                      }
                    },
                    "calculate_output": "0.8 * exact + 0.2 * close"
                  },
                  "hyperparameters": {
                    "n_epochs": 2,
                    "learning_rate_multiplier": 0.5,
                    "reasoning_effort": "low"
                  }
                }
              }
            }

            """,
            await File.ReadAllTextAsync(Path.Combine(directory, "job.json"), Token));
    }

    [Fact]
    public async Task ExportAsync_SeveralTrainedPredictors_IsRefusedByName()
    {
        var program = new ToyProgram().WithModel(ScriptedChatClient.InSequence());
        var error = await Assert.ThrowsAsync<TrainingNotSupportedException>(
            () => OpenAIReinforcement.ExportAsync(program, ToyTask.Train, ToyTask.Validation, Options, directory, Token));
        Assert.Contains("2 predictors: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("plan", error.Message, StringComparison.Ordinal);
        Assert.Contains("Grpo", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory));
    }

    /// <summary>The rest of the program is left as it is: one predictor's prompts come from recorded traces.</summary>
    [Fact]
    public async Task ExportAsync_OnePredictorOfSeveral_TakesItsRecordedPrompts()
    {
        var client = ScriptedChatClient.ForOutputs(FieldMap.Of(("plan", "look it up")), FieldMap.Of(("answer", "right")));
        var program = new ToyProgram().WithModel(client);
        program = program.With(ProgramState.Default.With("plan", new() { Model = "other" })).WithNamedModel("other", new LM(client));
        var refused = await Assert.ThrowsAsync<TrainingNotSupportedException>(
            () => OpenAIReinforcement.ExportAsync(program, ToyTask.Train, ToyTask.Validation, Options, directory, Token));
        Assert.Contains("trace.Of(\"answer\")", refused.Message, StringComparison.Ordinal);

        var items = new List<OpenAIReinforcementItem>();
        foreach (var example in ToyTask.Train)
        {
            var run = await program.RunAsync(example.Input, cancellationToken: Token);
            items.Add(new(run.Trace.Of("answer").Single().Messages, FieldMap.Of(("answer", "right"))));
        }

        await OpenAIReinforcement.ExportAsync(items, items, Options, directory, Token);
        var lines = await File.ReadAllLinesAsync(Path.Combine(directory, "train.jsonl"), Token);
        Assert.Equal(8, lines.Length);
        Assert.All(lines, line => Assert.Contains("look it up", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ExportAsync_WhatCannotBeALine_IsRefused()
    {
        Task Export(params ChatMessage[] messages) => OpenAIReinforcement.ExportAsync([new(messages, FieldMap.Empty)], [new(messages, FieldMap.Empty)], Options, directory, Token);
        await Assert.ThrowsAsync<HoneException>(() => Export(new ChatMessage(ChatRole.User, "a"), new ChatMessage(ChatRole.Assistant, "b")));
        await Assert.ThrowsAsync<TrainingNotSupportedException>(() => Export(new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])));
        await Assert.ThrowsAsync<HoneException>(() => OpenAIReinforcement.ExportAsync([], [], Options, directory, Token));
        Assert.Throws<ArgumentException>(() => OpenAIGrader.FieldEquals("a\" or True or \""));
        Assert.Throws<ArgumentException>(() => OpenAIGrader.Multi("m", "a", OpenAIGrader.FieldEquals("x"), OpenAIGrader.FieldEquals("x")));
    }

    [Fact]
    public async Task ExportAsync_AdapterWithANativeFormat_ExportsItsSchema()
    {
        var program = new Program<ToyQuestion, ToyAnswer>(new Predict<ToyQuestion, ToyAnswer>("Answer.")).WithAdapter(JsonAdapter.Default);
        Example<ToyQuestion, ToyAnswer>[] set = [new(new("q"), new("a"))];
        await OpenAIReinforcement.ExportAsync(program, set, set, Options, directory, Token);
        using var job = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "job.json"), Token));
        var format = job.RootElement.GetProperty("method").GetProperty("reinforcement").GetProperty("response_format");
        Assert.Equal("json_schema", format.GetProperty("type").GetString());
        Assert.True(format.GetProperty("json_schema").GetProperty("schema").GetProperty("properties").TryGetProperty("answer", out _));
    }

    /// <summary>A model that chooses labels, and a judge at a temperature, in the service's own terms.</summary>
    [Fact]
    public async Task ExportAsync_LabelsAndJudges_AreWrittenAsTheServiceReadsThem()
    {
        (string Role, string Content)[] asked = [("user", "Is {{sample.output_text}} polite?")];
        var label = OpenAIGrader.LabelModel("polite", "gpt-4.1", asked, ["yes", "no", "so so"], ["yes", "so so"]);
        var judge = OpenAIGrader.ScoreModel("judge", "gpt-4.1", asked, 1, 5, temperature: 0);
        var item = new OpenAIReinforcementItem([new(ChatRole.User, "Ask")], FieldMap.Of(("answer", "yes")));
        var options = Options with { Grader = OpenAIGrader.Multi("both", "polite + judge", label, judge) };
        await OpenAIReinforcement.ExportAsync([item], [item], options, directory, Token);
        using var job = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "job.json"), Token));
        var graders = job.RootElement.GetProperty("method").GetProperty("reinforcement").GetProperty("grader").GetProperty("graders");
        Assert.Equal(
            """{"type":"label_model","name":"polite","model":"gpt-4.1","input":[{"role":"user","content":"Is {{sample.output_text}} polite?"}],"labels":["yes","no","so so"],"passing_labels":["yes","so so"]}""",
            System.Text.Json.JsonSerializer.Serialize(graders.GetProperty("polite")));
        Assert.Equal("score_model", graders.GetProperty("judge").GetProperty("type").GetString());
        Assert.Equal(0, graders.GetProperty("judge").GetProperty("sampling_params").GetProperty("temperature").GetDouble());

        // By itself the service does not take it.
        var refused = await Assert.ThrowsAsync<TrainingNotSupportedException>(
            () => OpenAIReinforcement.ExportAsync([item], [item], Options with { Grader = label }, Path.Combine(directory, "alone"), Token));
        Assert.Contains("OpenAIGrader.Multi", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Graders_ThatTheServiceWouldRefuse_AreRefusedHere()
    {
        (string, string)[] asked = [("user", "?")];
        Assert.Contains("rouge_l", Assert.Throws<ArgumentException>(() => OpenAIGrader.TextSimilarity("s", "a", "b", "rouge")).Message, StringComparison.Ordinal);
        Assert.ThrowsAny<ArgumentException>(() => OpenAIGrader.ScoreModel("j", "m", asked, 1, 1));
        Assert.Throws<ArgumentException>(() => OpenAIGrader.ScoreModel("j", "m", []));
        Assert.Throws<ArgumentException>(() => OpenAIGrader.LabelModel("l", "m", asked, ["yes"], ["maybe"]));
        Assert.Throws<ArgumentException>(() => OpenAIGrader.LabelModel("l", "m", asked, ["yes"], []));
    }

    [Fact]
    public async Task FieldEquals_IsAPythonGrader()
    {
        var item = new OpenAIReinforcementItem([new(ChatRole.User, "Ask")], FieldMap.Of(("answer", "yes")));
        await OpenAIReinforcement.ExportAsync([item], [item], Options, directory, Token);
        using var job = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "job.json"), Token));
        var grader = job.RootElement.GetProperty("method").GetProperty("reinforcement").GetProperty("grader");
        Assert.Equal("python", grader.GetProperty("type").GetString());
        Assert.Contains("def grade(sample, item):", grader.GetProperty("source").GetString(), StringComparison.Ordinal);
        Assert.Contains(@"\[\[ ## answer ## \]\]", grader.GetProperty("source").GetString(), StringComparison.Ordinal);
    }
}
