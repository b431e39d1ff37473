using System.Text.Json.Nodes;
using CsCheck;
using Hone.Testing;
using Hone.Tests.Modules.Agents;

namespace Hone.Tests.Modules;

/// <summary>Saved programs that somebody or something has damaged: they load, or are refused by an error that is documented, and nothing else.</summary>
public sealed class ProgramFileDamageTests : IDisposable
{
    private static readonly JsonNode?[] Odd =
    [
        null, JsonValue.Create(true), JsonValue.Create(-1), JsonValue.Create(1e300), JsonValue.Create(0.5), JsonValue.Create(""), JsonValue.Create("x"), JsonValue.Create("\u0000"),
        new JsonArray(), new JsonArray(null, new JsonObject()), new JsonObject(), new JsonObject { ["question"] = null, ["values"] = new JsonArray() },
    ];

    private readonly string folder = Directory.CreateTempSubdirectory("hone-damage-").FullName;

    private static Agent Module { get; } = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Load_StructureDamagedAnywhere_LoadsOrIsRefused()
    {
        var whole = Whole();
        Assert.NotNull(Program().LoadState(whole, "file"));
        Gen.Select(Gen.Int[0, 100_000], Gen.Int[0, 3], Gen.Int[0, Odd.Length - 1]).Array[1, 3].Sample(
            steps =>
            {
                var root = JsonNode.Parse(whole)!;
                foreach (var (place, kind, odd) in steps)
                    Damage(root, place, kind, odd);
                Check(root.ToJsonString());
            },
            iter: 4000);
    }

    [Fact]
    public void Load_TextDamagedAnywhere_LoadsOrIsRefused()
    {
        var whole = Whole();
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Int[0, 3], Gen.Char[' ', '~']).Array[1, 4].Sample(
            steps => Check(steps.Aggregate(whole, (text, step) => Damage(text, step.Item1, step.Item2, step.Item3))), iter: 2000);
    }

    [Fact]
    public void Load_NameThatStandsTwice_IsRefused()
    {
        var whole = Whole();
        string[] doubled =
        [
            whole.Replace("\"predictors\": {", "\"predictors\": {\"react\": {}, ", StringComparison.Ordinal),
            whole.Replace("\"fields\": {", "\"fields\": {\"question\": \"in str\", ", StringComparison.Ordinal),
            whole.Replace("{", "{\"format\": \"hone.program\", ", StringComparison.Ordinal),
        ];
        Assert.All(doubled, text => Assert.NotEqual(whole, text));
        Assert.All(doubled, text => Assert.StartsWith("file ", Assert.Throws<HoneException>(() => Program().LoadState(text, "file")).Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"../other\"")]
    [InlineData("\"/etc\"")]
    [InlineData("\"a/b\"")]
    [InlineData("\"a\\\\b\"")]
    [InlineData("\"C:weights\"")]
    [InlineData("\"..\"")]
    [InlineData("\"\"")]
    [InlineData("5")]
    public async Task WeightsDirectory_ThatIsNoPlainName_IsRefused(string name)
    {
        var path = Path.Combine(folder, "program.json");
        await File.WriteAllTextAsync(path, $$"""{"format": "hone.program", "formatVersion": 2, "weights": {{name}}, "namedWeights": {"m": {{name}} } }""", TestContext.Current.CancellationToken);
        Assert.Contains("no plain name", Assert.Throws<HoneException>(() => ProgramFile.WeightsDirectoryOf(path)).Message, StringComparison.Ordinal);
        Assert.Contains("no plain name", Assert.Throws<HoneException>(() => ProgramFile.NamedWeightsDirectoriesOf(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"namedWeights\": 3}")]
    [InlineData("no json")]
    public async Task NamedWeights_OfNoProgram_AreRefused(string content)
    {
        var path = Path.Combine(folder, "program.json");
        await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);
        Assert.Throws<HoneException>(() => ProgramFile.NamedWeightsDirectoriesOf(path));
    }

    private static void Check(string text)
    {
        foreach (var isStrict in (bool[])[true, false])
        {
            try
            {
                var loaded = Program().LoadState(text, "file", new() { IsStrict = isStrict });

                // What has loaded can be used.
                loaded.Render("plan", FieldMap.Of(("question", "q"), ("tags", new[] { "t" })));
                loaded.SaveState();
            }
            catch (HoneException)
            {
                continue;
            }
            catch (Exception error)
            {
                Assert.Fail($"{error}\n{text}");
            }
        }
    }

    private static string Damage(string text, int place, int kind, char piece)
    {
        var at = text.Length == 0 ? 0 : place % text.Length;
        return kind switch
        {
            0 => text.Length == 0 ? text : text.Remove(at, 1),
            1 => text.Insert(at, piece.ToString()),
            2 => text[..at],
            _ => text.Insert(at, text[at..Math.Min(text.Length, at + 20)]),
        };
    }

    private static void Damage(JsonNode root, int place, int kind, int odd)
    {
        var nodes = new List<JsonNode>();
        Walk(root);
        var node = nodes[place % nodes.Count];
        var value = Odd[odd]?.DeepClone();
        switch (node)
        {
            case JsonObject { Count: > 0 } map:
                var name = map.ElementAt(place % map.Count).Key;
                if (kind == 0)
                    map.Remove(name);
                else if (kind == 1)
                    map[$"{name}x"] = map[name]?.DeepClone();
                else
                    map[name] = value;
                break;
            case JsonArray { Count: > 0 } list:
                if (kind == 0)
                    list.RemoveAt(place % list.Count);
                else
                    list[place % list.Count] = value;
                break;
            case JsonArray empty:
                empty.Add(value);
                break;
        }

        void Walk(JsonNode? each)
        {
            if (each is JsonObject map)
            {
                nodes.Add(map);
                foreach (var (_, inner) in map)
                    Walk(inner);
            }
            else if (each is JsonArray list)
            {
                nodes.Add(list);
                foreach (var inner in list)
                    Walk(inner);
            }
        }
    }

    private static Program<FieldMap, FieldMap> Program() => Module.WithModel(ScriptedChatClient.InSequence());

    private static string Whole()
    {
        var program = Program();
        var demo = new Demo(FieldMap.Of(("question", "q"), ("tags", new[] { "a", "b" }), ("score", 0.5)), IsAugmented: true);
        var state = program.State.With("plan", new()
        {
            Instructions = "Plan.",
            Demos = [demo],
            Options = new() { Temperature = 0.5f, MaxOutputTokens = 5, StopSequences = ["x"], Additional = new CallOptions().Additional.Add("k", 1L) },
            FieldDescriptions = PredictorState.Default.FieldDescriptions.Add("question", "what"),
        });
        state = state.WithTool("helper.add", new() { Name = "plus", Description = "Adds.", Arguments = ToolText.Default.Arguments.Add("a", "first") });
        return program.With(state).SaveState();
    }

    private sealed class Agent : Module<FieldMap, FieldMap>
    {
        private readonly Predict plan = Predict.Parse("question, tags: list[str] -> score: float");
        private readonly ReAct helper = ReAct.Parse("question -> answer", [AgentScript.Add]);

        protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) => Task.FromResult(FieldMap.Of(("x", $"{plan}{helper}")));
    }
}
