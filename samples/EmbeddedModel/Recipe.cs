namespace EmbeddedModel;

/// <summary>Makes the embedded model from nothing: tokenizer, lessons, three phases of supervised training, evaluation.</summary>
/// <remarks>
/// The shipped weights saw 30, 25 and 2 million tokens. Their second phase was interrupted at 17 million and went on from there with fresh moments
/// (<c>--deepen-seen 17</c>), so a run in one go gives a model of the same kind, not the same bits.
/// </remarks>
internal sealed class Recipe(RecipeOptions options, TextWriter log)
{
    private const int CorpusSteps = 250;
    private const double MainQuality = 0.8;

    private readonly ProgramSignatures signatures = ProgramSignatures.Read();
    private readonly LessonEncoder encoder = new(ChatAdapter.Default, ChatTemplate.ForName(ModelFiles.ChatFormat));
    private readonly SeedStream stream = new(options.Seed);

    /// <summary>
    /// The demonstrator of the last phase is mediocre on purpose: the model keeps the format and its skills, and leaves room to be reinforced.
    /// </summary>
    public static DemonstratorSkill FinishSkill { get; } = DemonstratorSkill.Mediocre(notes: 0.95, strong: 0.6, weak: 0.33);

    public async Task RunAsync()
    {
        if (options.StartAt == RecipePhase.Learn)
            Learn();
        if (options.StartAt <= RecipePhase.Deepen)
            Deepen();
        Finish();
        await EvaluateAsync(log, options.Output, options.EvaluationClaims);
    }

    /// <summary>A tokenizer in which every word of the worlds is one token, with and without a space before it.</summary>
    public string TrainTokenizer()
    {
        using var corpus = new LessonMix(signatures, stream.Derive("corpus"));
        var texts = Enumerable.Range(0, CorpusSteps)
            .SelectMany(step => corpus.ForStep(step, SupervisedTrainer.LessonsPerStep, DemonstratorSkill.Uniform(MainQuality)))
            .Select(encoder.Render);
        return BpeTrainer.Train(texts.Select(text => text.Prompt + text.Completion), new BpeTrainerOptions { VocabularySize = ModelFiles.VocabularySize });
    }

    /// <summary>Greedy and sampled recall of a checkpoint in a world that neither training nor the demonstration uses.</summary>
    public static async Task EvaluateAsync(TextWriter log, string directory, int claims)
    {
        const long world = 50;
        var encyclopedia = Encyclopedia.Create(world);
        using var search = encyclopedia.CreateRetriever();
        using var client = new EngineChatClient(EngineModel.Load(directory)) { OwnsModel = true };
        var tasks = encyclopedia.Tasks[Region.Train].Take(claims).ToArray();
        foreach (var (name, temperature) in new[] { ("greedy ", 0f), ("sampled", 1f) })
        {
            var summary = await ProgramEvaluation.RunAsync(client, search, tasks, temperature, seed: 1);
            log.WriteLine($"{name} {summary}; {string.Join(", ", summary.ByKind.Select(kind => $"{kind.Key} {kind.Value:f2}"))}");
        }
    }

    // The format, and to copy.
    private void Learn()
    {
        var tokenizerJson = TrainTokenizer();
        var tokenizer = Load(tokenizerJson);
        using var weights = ParameterSet.CreateRandom(ModelFiles.Architecture(tokenizer), options.Seed);
        log.WriteLine($"{weights.Values.Length:N0} parameters, {options.Workers} threads, checkpoints in {options.Work}");
        Train(weights, tokenizerJson, new("mix", Millions(options.LearnTokens), 3e-3, DemonstratorSkill.Uniform(MainQuality)), options.Work, WeightFormat.Float32);
    }

    // To copy well: a second, gentler cycle with a better demonstrator.
    private void Deepen()
    {
        using var weights = Checkpoint.Load(options.Work).Weights;
        var phase = new TrainingPhase("deepen", Millions(options.DeepenTokens), 2e-3, DemonstratorSkill.Uniform(0.9)) { Seen = Millions(options.DeepenSeen) };
        Train(weights, ReadTokenizer(), phase, options.Work, WeightFormat.Float32);
    }

    // To be mediocre.
    private void Finish()
    {
        using var weights = Checkpoint.Load(options.Work).Weights;
        Train(weights, ReadTokenizer(), new("finish", Millions(options.FinishTokens), 5e-4, FinishSkill), options.Output, WeightFormat.Float16);
        log.WriteLine($"wrote {options.Output}");
    }

    private void Train(ParameterSet weights, string tokenizerJson, TrainingPhase phase, string directory, WeightFormat format)
    {
        var tokenizer = Load(tokenizerJson);
        using var model = new TrainingModel(weights);
        using var mix = new LessonMix(signatures, phase.Seen == 0 ? stream.Derive(phase.Name) : stream.Derive(phase.Name, phase.Seen));
        var trainer = new SupervisedTrainer(model, mix, lesson => encoder.Encode(lesson, tokenizer), log);
        trainer.Run(phase, options.Workers, options.TimeLimit, () => ModelFiles.Save(directory, weights, tokenizerJson, format));
        ModelFiles.Save(directory, weights, tokenizerJson, format);
    }

    private string ReadTokenizer() => File.ReadAllText(ModelFiles.TokenizerPath(options.Work));

    private static Tokenizer Load(string json) => Tokenizer.Load(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json)));

    private static long Millions(double count) => (long)(count * 1e6);
}
