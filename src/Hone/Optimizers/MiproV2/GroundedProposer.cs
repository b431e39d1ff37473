using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Has a model write instructions that rest on the data, the program and runs that went well. Descriptions are asked for once a run.</summary>
internal sealed class GroundedProposer<TIn, TOut>(SearchRun<TIn, TOut> search, MiproV2Options options, MiproWriters writers, IReadOnlyList<FieldMap> examples)
{
    private const string KeyPrefix = "mipro|";
    private const int MostLooks = 10;
    private const int MostComplete = 5;
    private const int MostDemos = 3;
    private const int TokensPerField = 300;
    private const int TokensPerBlock = 6000;

    private static readonly string?[] Tips =
    [
        null,
        "Be creative: try another way of putting the task than the obvious one.",
        "Keep the instructions simple and short.",
        "Be informative: describe the task and what a good answer is in detail.",
        "Put the task into a situation where a lot depends on a right answer.",
        "Give the model a role that fits the task.",
    ];

    private readonly string outline = MetaText.Cap(ProgramOutline.Of(search.Student, options.ProgramNotes), TokensPerBlock);
    private readonly Dictionary<string, string> modules = new(StringComparer.Ordinal);
    private string? dataset;
    private string? program;

    private LM? Model => options.PromptModel;

    /// <summary>Asks beside the first wave what rests on data and program alone: the first look, and what the program is for.</summary>
    public void AskAhead()
    {
        if (options.DataAware)
            search.AskAhead(search.Proposer(writers.DataObserver, Model, "prompt"), [Look(Batches(), 0, string.Empty)], MiproJson.Default.DataObservations);
        if (options.ProgramAware)
            search.AskAhead(search.Proposer(writers.ProgramDescriber, Model, "prompt"), [Question("program", ProgramQuestion())], MiproJson.Default.DescriptionReply);
    }

    /// <summary>Asks for the descriptions that all proposals share. One that cannot be had is left out.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (options.DataAware)
            dataset = await SummarizeAsync(cancellationToken).ConfigureAwait(false);
        if (options.ProgramAware)
            await DescribeAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Texts for every predictor that is not frozen, in the order of the predictors, none twice and none that is known.</summary>
    /// <param name="count">Texts a predictor.</param>
    /// <param name="known">Texts that are there already, by predictor.</param>
    /// <param name="demoSets">Where demos to show are taken from.</param>
    /// <param name="history">Earlier instructions of a predictor with their scores, as text; null when there is none.</param>
    /// <param name="wave">Number of the wave of proposals.</param>
    /// <param name="cancellationToken">Abandons the run.</param>
    public async Task<ImmutableArray<string>[]> ProposeAsync(
        int count,
        IReadOnlyList<IReadOnlyList<string>> known,
        ProgramState[] demoSets,
        Func<int, string?> history,
        int wave,
        CancellationToken cancellationToken)
    {
        var writer = search.Proposer(writers.InstructionWriter, Model, "prompt");
        var predictors = search.Open;
        var found = predictors.Select(_ => new string?[count]).ToArray();
        for (var attempt = 0; attempt <= options.Resamples; attempt++)
        {
            (int Predictor, int Slot)[] open =
                [.. Enumerable.Range(0, predictors.Length).SelectMany(p => Enumerable.Range(0, count).Where(slot => found[p][slot] is null).Select(slot => (p, slot)))];
            AskRequest<InstructionRequest>[] requests = [.. open.Select(entry => Ask(entry.Predictor, entry.Slot, attempt))];
            var replies = await search.AskAsync("proposing", writer, requests, InstructionJson.Default.InstructionReply, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < open.Length; i++)
                Take(open[i].Predictor, open[i].Slot, replies[i]);
        }

        return [.. found.Select(texts => texts.OfType<string>().ToImmutableArray())];

        AskRequest<InstructionRequest> Ask(int predictor, int slot, int attempt)
        {
            var number = (wave * 500) + (attempt * count) + slot + 1;
            return new(
                FormattableString.Invariant($"mipro|instruction|{predictors[predictor].Key}|{number}"),
                Request(predictor, slot + 1, demoSets, history(predictor), search.RandomFor("tip", predictor, number)))
            {
                Sample = SampleIds.Of(search.Seed, number),
                Temperature = options.InitTemperature,
            };
        }

        void Take(int predictor, int slot, Proposal<InstructionReply> reply)
        {
            var text = reply.Reply is { } proposed ? MetaText.Clean(proposed.ProposedInstructions) : null;
            search.Tell(new TextProposed(predictors[predictor].Key, text, reply.Error));
            if (!string.IsNullOrEmpty(text) && !known[predictor].Contains(text, StringComparer.Ordinal) && !found[predictor].Contains(text, StringComparer.Ordinal))
                found[predictor][slot] = text;
        }
    }

    private InstructionRequest Request(int predictor, int set, ProgramState[] demoSets, string? history, Random random)
    {
        var (path, signature) = search.Open[predictor];
        return new(ProgramOutline.Module(path, signature), signature.Instructions)
        {
            Dataset = dataset,
            Program = options.ProgramAware ? outline : null,
            ProgramDescription = program,
            ModuleDescription = modules.GetValueOrDefault(path),
            Demos = options.DemoAware ? DemosOf(path, set, demoSets) : null,
            History = history,
            Tip = options.TipAware ? Tips[random.Next(Tips.Length)] : null,
        };
    }

    // Harvested ones of the proposal's own set, then of the sets after it.
    private static string DemosOf(string path, int set, ProgramState[] demoSets)
    {
        var shown = Enumerable.Range(0, demoSets.Length)
            .SelectMany(i => demoSets[(set + i) % demoSets.Length][path].Demos)
            .Where(demo => demo.IsAugmented)
            .Take(MostDemos)
            .Select(demo => MetaText.Lines(demo.Fields, TokensPerField));
        var text = MetaText.Blocks("demo", shown, TokensPerBlock);
        return text.Length == 0 ? "No demos are known." : text;
    }

    private async Task<string?> SummarizeAsync(CancellationToken cancellationToken)
    {
        var observer = search.Proposer(writers.DataObserver, Model, "prompt");
        var batches = Batches();
        var observations = string.Empty;
        var complete = 0;
        for (var look = 0; look < batches.Length && complete < MostComplete; look++)
        {
            var text = await AskAsync(
                observer, Look(batches, look, observations), MiproJson.Default.DataObservations, reply => reply.Observations, cancellationToken).ConfigureAwait(false);
            if (text is null)
                break;
            if (look > 0 && text.StartsWith("COMPLETE", StringComparison.OrdinalIgnoreCase))
                complete++;
            else
                observations = MetaText.Cap(observations.Length == 0 ? text : $"{observations}\n{text}", TokensPerBlock);
        }

        if (observations.Length == 0)
            return null;
        var summarizer = search.Proposer(writers.DataSummarizer, Model, "prompt");
        return await AskAsync(
            summarizer, Question("summary", new DataSummaryRequest(observations)), MiproJson.Default.DescriptionReply, reply => reply.Description, cancellationToken).ConfigureAwait(false)
            ?? observations;
    }

    private async Task DescribeAsync(CancellationToken cancellationToken)
    {
        var describer = search.Proposer(writers.ProgramDescriber, Model, "prompt");
        program = await AskAsync(
            describer, Question("program", ProgramQuestion()), MiproJson.Default.DescriptionReply, reply => reply.Description, cancellationToken).ConfigureAwait(false);
        if (program is null)
            return;
        var moduleDescriber = search.Proposer(writers.ModuleDescriber, Model, "prompt");
        var predictors = search.Student.Predictors;
        var replies = await search.AskAsync(
            "describing",
            moduleDescriber,
            [.. predictors.Select(entry => Question($"module|{entry.Key}", new ModuleDescriptionRequest(outline, program, ProgramOutline.Module(entry.Key, entry.Value))))],
            MiproJson.Default.DescriptionReply,
            cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < replies.Length; i++)
        {
            search.Tell(new TextProposed($"description of {predictors[i].Key}", replies[i].Reply?.Description, replies[i].Error));
            if (replies[i].Reply is { } reply)
                modules[predictors[i].Key] = reply.Description.Trim();
        }
    }

    private async Task<string?> AskAsync<TRequest, TReply>(
        Program<TRequest, TReply> asked,
        AskRequest<TRequest> request,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<TReply> json,
        Func<TReply, string> textOf,
        CancellationToken cancellationToken)
        where TReply : class
    {
        var reply = (await search.AskAsync("describing", asked, [request], json, cancellationToken).ConfigureAwait(false))[0];
        var text = reply.Reply is null ? null : textOf(reply.Reply).Trim();
        search.Tell(new TextProposed(request.Key[KeyPrefix.Length..], text, reply.Error));
        return string.IsNullOrEmpty(text) ? null : text;
    }

    private string[] Batches() =>
    [
        .. examples.Chunk(options.DataBatchSize).Take(MostLooks)
            .Select(batch => MetaText.Blocks("example", batch.Select(example => MetaText.Lines(example, TokensPerField)), TokensPerBlock)),
    ];

    private static AskRequest<DataLookRequest> Look(string[] batches, int look, string observations) =>
        Question(FormattableString.Invariant($"observe|{look}"), new DataLookRequest(batches[look], observations));

    private ProgramDescriptionRequest ProgramQuestion() =>
        new(outline, MetaText.Blocks("example", examples.Take(MostDemos).Select(example => MetaText.Lines(example, TokensPerField)), TokensPerBlock));

    private static AskRequest<TRequest> Question<TRequest>(string key, TRequest request) => new(KeyPrefix + key, request) { Temperature = 1 };
}
