using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Who writes new texts.</summary>
internal sealed record GepaAuthors(
    Module<ReflectionRequest, ReflectionReply> Text,
    Module<MultimodalReflectionRequest, ReflectionReply> Multimodal,
    Module<SynthesisRequest, ReflectionReply> Synthesis,
    Module<ToolReflectionRequest, ToolReflectionReply> Tool,
    IInstructionProposer? Custom)
{
    /// <summary>The role of the model that reflects.</summary>
    public const string Role = "reflection";

    public string Describe(bool withTools) =>
        $"; reflector={ProgramParts.Identity(Text)}; multimodal={ProgramParts.Identity(Multimodal)}; synthesis={ProgramParts.Identity(Synthesis)}"
        + (Custom is null ? string.Empty : $"; proposer={Custom.Name} {ProgramParts.Identity(new CustomProposal(Custom))}")
        + (withTools ? $"; tools={ProgramParts.Identity(Tool)}" : string.Empty);
}

/// <summary>Asks for new texts: all tasks of an iteration side by side, a question that failed once more.</summary>
internal sealed class GepaProposer<TIn, TOut>(SearchRun<TIn, TOut> search, GepaOptions options, GepaAuthors authors, GepaSpending spending)
{
    private const string Phase = "reflecting";
    private readonly Lazy<Program<ReflectionRequest, ReflectionReply>> text = new(() => search.Proposer(authors.Text, options.ReflectionModel, GepaAuthors.Role));
    private readonly Lazy<Program<MultimodalReflectionRequest, ReflectionReply>> multimodal =
        new(() => search.Proposer(authors.Multimodal, options.ReflectionModel, GepaAuthors.Role));

    private readonly Lazy<Program<SynthesisRequest, ReflectionReply>> synthesis =
        new(() => search.Proposer(authors.Synthesis, options.ReflectionModel, GepaAuthors.Role));

    private readonly Lazy<Program<ToolReflectionRequest, ToolReflectionReply>> tool =
        new(() => search.Proposer(authors.Tool, options.ReflectionModel, GepaAuthors.Role));

    private readonly Lazy<Program<InstructionProposalRequest, ProposedTexts>> custom =
        new(() => search.Proposer(new CustomProposal(authors.Custom!), options.ReflectionModel, GepaAuthors.Role));

    /// <summary>Requests that one task makes at most.</summary>
    public static long MostRequests(GepaOptions options, int components) => 2L * components
        * (options.Reflection == ReflectionMode.OneRequest ? 1 : (int)Math.Sqrt(options.MinibatchSize) + 1);

    /// <summary>Sets what was proposed for each task; null for a task that has a text without a proposal.</summary>
    public Task ProposeAsync(int iteration, GepaPool pool, IReadOnlyList<GepaTask> tasks, CancellationToken cancellationToken) => authors.Custom is null
        ? ReflectAsync(iteration, tasks, cancellationToken)
        : AskCustomAsync(iteration, pool, tasks, cancellationToken);

    private async Task ReflectAsync(int iteration, IReadOnlyList<GepaTask> tasks, CancellationToken cancellationToken)
    {
        var wanted = tasks.SelectMany(task => task.Data.Select(data => (Task: task, Data: data))).ToArray();
        var parts = wanted.Select(entry => Questions(iteration, entry.Task, entry.Data)).ToArray();
        var answers = await AskTwiceAsync([.. parts.SelectMany(part => part)], AskAsync, cancellationToken).ConfigureAwait(false);
        var texts = new Answer[wanted.Length];
        var joins = new List<(int Index, Question<SynthesisRequest> Question)>();
        for (int i = 0, next = 0; i < wanted.Length; next += parts[i++].Length)
        {
            string[] found = [.. answers[next..(next + parts[i].Length)].Select(answer => answer.Text).OfType<string>()];
            texts[i] = answers[next];
            if (parts[i].Length == 1)
                continue;
            texts[i] = found.Length > 0 ? new(found[0], null, false) : texts[i];
            if (found.Length > 1)
                joins.Add((i, new(parts[i][0].Key + "|join", new(wanted[i].Data.CurrentText, Listed(found)), parts[i][0].Sample)));
        }

        var joined = await AskTwiceAsync([.. joins.Select(join => join.Question)], JoinAsync, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < joined.Length; i++)
            texts[joins[i].Index] = joined[i];
        for (var i = 0; i < wanted.Length; i++)
            search.Tell(new TextProposed(wanted[i].Data.Component, texts[i].Text, texts[i].Error));
        foreach (var task in tasks)
        {
            var own = Enumerable.Range(0, wanted.Length).Where(i => ReferenceEquals(wanted[i].Task, task)).ToArray();
            task.Proposed = Array.TrueForAll(own, i => texts[i].Text is not null)
                ? own.ToImmutableDictionary(i => wanted[i].Data.Component, i => texts[i].Text!, StringComparer.Ordinal)
                : null;
        }
    }

    // One question, or with many records several that look at a part each; every record is in two of them or twice in one.
    private Question<ReflectionSource>[] Questions(int iteration, GepaTask task, ReflectionData data)
    {
        var key = FormattableString.Invariant($"gepa|{iteration}|{task.Number}|{data.Component}");
        var sample = SampleOf(iteration, task);
        var records = data.Records;
        if (options.Reflection == ReflectionMode.OneRequest || records.Length < 4 || data.Tool is not null)
            return [new(key, new(data.CurrentText, records) { Tool = data.Tool }, sample)];
        ReflectionRecord[] doubled = [.. records, .. records];
        search.RandomFor("map " + data.Component, iteration, task.Number).Shuffle(doubled);
        var groups = (int)Math.Sqrt(records.Length);
        return
        [
            .. Enumerable.Range(0, groups).Select(group => new Question<ReflectionSource>(
                FormattableString.Invariant($"{key}|{group}"), new(data.CurrentText, [.. doubled.Where((_, i) => i % groups == group)]), sample)),
        ];
    }

    // A question asked again, in a later iteration or beside another, is a new sample: a cache does not give the same text again.
    private long SampleOf(int iteration, GepaTask task) => 2 * (((long)iteration * options.Sampling.Tasks) + task.Number);

    private static async Task<Answer[]> AskTwiceAsync<TRequest>(
        Question<TRequest>[] questions, Func<Question<TRequest>[], CancellationToken, Task<Answer[]>> askAsync, CancellationToken cancellationToken)
    {
        if (questions.Length == 0)
            return [];
        var answers = await askAsync(questions, cancellationToken).ConfigureAwait(false);
        int[] failed = [.. Enumerable.Range(0, answers.Length).Where(i => answers[i].Text is null)];
        if (failed.Length == 0)
            return answers;
        var again = await askAsync(
            [.. failed.Select(i => questions[i] with { Key = questions[i].Key + "|again", Sample = questions[i].Sample + 1, IsShortened = answers[i].IsTooLong })],
            cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < failed.Length; i++)
            answers[failed[i]] = again[i];
        return answers;
    }

    private async Task<Answer[]> AskAsync(Question<ReflectionSource>[] questions, CancellationToken cancellationToken)
    {
        var shown = questions.Select(question => ReflectionText.Of(
            question.Request.Records, question.IsShortened ? Math.Max(1, options.MaxRecordTokens / 4) : options.MaxRecordTokens)).ToArray();
        var answers = new Answer[questions.Length];
        string[] current = [.. questions.Select(question => question.Request.CurrentText)];
        var sees = (options.ReflectionModel ?? search.Student.Model)?.Capabilities.Images == true;
        int[] ofTools = [.. Enumerable.Range(0, questions.Length).Where(i => questions[i].Request.Tool is not null)];
        int[] withImages = [.. Enumerable.Range(0, questions.Length).Except(ofTools).Where(i => sees && shown[i].Images.Count > 0)];
        int[] plain = [.. Enumerable.Range(0, questions.Length).Except(ofTools).Except(withImages)];
        if (plain.Length > 0)
        {
            Fill(answers, plain, current, await search.AskAsync(
                Phase,
                text.Value,
                [.. plain.Select(i => Request(questions[i], new ReflectionRequest(questions[i].Request.CurrentText, shown[i].Text)))],
                GepaJson.Default.ReflectionReply,
                cancellationToken).ConfigureAwait(false), TextOf);
        }

        if (withImages.Length > 0)
        {
            Fill(answers, withImages, current, await search.AskAsync(
                Phase,
                multimodal.Value,
                [.. withImages.Select(i => Request(questions[i], new MultimodalReflectionRequest(
                    questions[i].Request.CurrentText, FeedbackCounts.Of(questions[i].Request.Records), shown[i].Text, shown[i].Images)))],
                GepaJson.Default.ReflectionReply,
                cancellationToken).ConfigureAwait(false), TextOf);
        }

        if (ofTools.Length > 0)
        {
            Fill(answers, ofTools, current, await search.AskAsync(
                Phase,
                tool.Value,
                [.. ofTools.Select(i => Request(questions[i], ToolRequest(questions[i].Request, shown[i].Text)))],
                GepaJson.Default.ToolReflectionReply,
                cancellationToken).ConfigureAwait(false), reply => reply.NewDescription);
        }

        return answers;
    }

    private static ToolReflectionRequest ToolRequest(ReflectionSource source, string examples) => new(
        source.Tool!.Definition,
        source.Tool.Argument is { } argument ? $"the argument `{argument}`" : "the tool",
        source.CurrentText.Length == 0 ? "(none)" : source.CurrentText,
        source.Tool.OtherTools,
        examples);

    private async Task<Answer[]> JoinAsync(Question<SynthesisRequest>[] questions, CancellationToken cancellationToken)
    {
        var answers = new Answer[questions.Length];
        var replies = await search.AskAsync(
            Phase,
            synthesis.Value,
            [.. questions.Select(question => Request(question, question.Request))],
            GepaJson.Default.ReflectionReply,
            cancellationToken).ConfigureAwait(false);
        Fill(answers, [.. Enumerable.Range(0, questions.Length)], [.. questions.Select(question => question.Request.CurrentInstruction)], replies, TextOf);
        return answers;
    }

    private async Task AskCustomAsync(int iteration, GepaPool pool, IReadOnlyList<GepaTask> tasks, CancellationToken cancellationToken)
    {
        Question<InstructionProposalRequest>[] questions =
        [
            .. tasks.Select(task => new Question<InstructionProposalRequest>(
                FormattableString.Invariant($"gepa|{iteration}|{task.Number}"),
                new(
                    iteration,
                    task.Parent,
                    pool.Components.Zip(pool.Texts(task.Parent)).ToImmutableSortedDictionary(entry => entry.First, entry => entry.Second, StringComparer.Ordinal),
                    task.Data),
                SampleOf(iteration, task))),
        ];
        var found = new IReadOnlyDictionary<string, string>?[tasks.Count];
        await AskTwiceAsync(questions, CustomAsync, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < tasks.Count; i++)
            tasks[i].Proposed = found[i];

        async Task<Answer[]> CustomAsync(Question<InstructionProposalRequest>[] asked, CancellationToken token)
        {
            var replies = await search.AskAsync(
                Phase, custom.Value, [.. asked.Select(question => Request(question, question.Request))], GepaJson.Default.ProposedTexts, token).ConfigureAwait(false);
            var answers = new Answer[asked.Length];
            for (var i = 0; i < asked.Length; i++)
            {
                var task = Array.FindIndex(questions, question => ReferenceEquals(question.Request, asked[i].Request));
                Count(replies[i].UsageByRole);
                answers[i] = Checked(pool, asked[i].Request.Texts, replies[i], out found[task]);
            }

            return answers;
        }
    }

    private Answer Checked(
        GepaPool pool, IReadOnlyDictionary<string, string> current, Proposal<ProposedTexts> reply, out IReadOnlyDictionary<string, string>? texts)
    {
        texts = reply.Reply?.Texts;
        var error = texts is null ? reply.Error
            : texts.Keys.FirstOrDefault(component => !pool.Components.Contains(component)) is { } unknown ? $"There is no text '{unknown}' to change."
            : texts.Count == 0 ? "No text was proposed."
            : texts.Select(text => Fault(text.Value, current[text.Key])).FirstOrDefault(fault => fault is not null);
        foreach (var (component, proposed) in texts ?? ImmutableDictionary<string, string>.Empty)
            search.Tell(new TextProposed(component, error is null ? proposed : null, error));
        if (texts is null)
            search.Tell(new TextProposed(string.Join(", ", pool.Components), null, error));
        texts = error is null ? texts : null;
        return new(texts is null ? null : string.Empty, error, reply.IsTooLong);
    }

    private static string TextOf(ReflectionReply reply) => reply.NewInstruction;

    private void Fill<TReply>(Answer[] answers, int[] indices, string[] current, Proposal<TReply>[] replies, Func<TReply, string> textOf)
        where TReply : class
    {
        for (var i = 0; i < indices.Length; i++)
        {
            Count(replies[i].UsageByRole);
            var proposed = replies[i].Reply is { } reply ? FencedText.Extract(textOf(reply)) : null;
            var error = proposed is null ? replies[i].Error : Fault(proposed, current[indices[i]]);
            answers[indices[i]] = new(error is null ? proposed : null, error, replies[i].IsTooLong);
        }
    }

    private string? Fault(string proposed, string current) =>
        string.IsNullOrWhiteSpace(proposed) ? "The proposed text is empty."
        : ReflectionText.IsLonger(proposed, options.MaxTextTokens) ? $"The proposed text has more than {options.MaxTextTokens} tokens."
        : options.KeepPlaceholders && Placeholders.MissingIn(proposed, current) is { } missing ? $"The proposed text lacks the placeholder {missing}."
        : null;

    private void Count(ImmutableSortedDictionary<string, Usage> usage) => spending.Reflection = usage.Values.Aggregate(spending.Reflection, (sum, part) => sum + part);

    private static AskRequest<TRequest> Request<TSource, TRequest>(Question<TSource> question, TRequest request) =>
        new(question.Key, request) { Sample = question.Sample };

    private static string Listed(string[] texts) => string.Join("\n\n", texts.Select((text, i) => FormattableString.Invariant($"# Proposal {i + 1}\n{text}")));

    private sealed record ReflectionSource(string CurrentText, IReadOnlyList<ReflectionRecord> Records)
    {
        public ReflectedTool? Tool { get; init; }
    }

    private sealed record Question<TRequest>(string Key, TRequest Request, long Sample)
    {
        public bool IsShortened { get; init; }
    }

    private readonly record struct Answer(string? Text, string? Error, bool IsTooLong);
}
