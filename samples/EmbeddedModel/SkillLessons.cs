namespace EmbeddedModel;

/// <summary>
/// Short copy and look-up tasks over signatures made up on the spot: without them a model this small learns the format by heart and never to
/// copy, and it learns one signature instead of the format.
/// </summary>
internal sealed class SkillLessons(Encyclopedia world)
{
    private static readonly string[] TextNames = ["text", "question", "topic", "note", "phrase", "title", "name", "entry", "request", "subject", "claim", "query"];
    private static readonly string[] ListNames = ["items", "names", "facts", "passages", "rows", "entries", "results", "key_facts", "search_results", "documents"];
    private static readonly string[] OutputNames = ["answer", "result", "copy", "value", "reply", "output", "query", "summary", "found", "response"];
    private static readonly string[] OutputListNames = ["answers", "results", "copies", "facts", "sentences", "new_key_facts", "found_items", "quotes"];

    /// <summary>A random task.</summary>
    /// <param name="formSeed">Decides what sort of task it is and the words of its signature: equal seeds give lessons with equal system turns.</param>
    /// <param name="random">Decides the values.</param>
    public Lesson Next(int formSeed, Random random)
    {
        var form = new Random(formSeed);
        var draft = form.Next(16) switch
        {
            0 or 1 => CopyText(form, random),
            2 => CopyList(form, random),
            3 or 4 => LookUpValue(form, random),
            5 or 6 or 7 => QuoteSentence(form, random),
            8 or 9 or 10 => LastEntity(form, random),
            11 => TitleOf(form, random),
            12 => ItemAt(form, random),
            13 => CountOrContains(form, random),
            14 => EntityOfSentence(form, random),
            _ => CopyOneOfTwo(form, random),
        };
        return draft.Build(form, random);
    }

    private static Draft CopyText(Random form, Random random)
    {
        var text = random.Next(3) == 0 ? Name(random) : Words(random, 1, 8);
        return new Draft(Pick(["Copy the text.", "Repeat the text.", "Write the same again."], form))
            .Input(Pick(TextNames, form), text).Output(Pick(OutputNames, form), text);
    }

    private static Draft CopyOneOfTwo(Random form, Random random)
    {
        var (first, second) = (Words(random, 1, 4), Words(random, 1, 4));
        var takeFirst = form.Next(2) == 0;
        return new Draft(takeFirst ? "Copy the first input." : "Copy the second input.")
            .Input(Pick(TextNames, form), first).Input(Pick(TextNames, form), second).Output(Pick(OutputNames, form), takeFirst ? first : second);
    }

    private static Draft CopyList(Random form, Random random)
    {
        var items = Many(random, 0, 3, () => Words(random, 1, 4));
        return new Draft(Pick(["Copy the list.", "Repeat all items."], form))
            .Input(Pick(ListNames, form), items).Output(Pick(OutputListNames, form), items);
    }

    private static Draft LookUpValue(Random form, Random random)
    {
        var names = Many(random, 2, 4, () => Name(random)).Distinct().ToArray();
        var values = names.Select(_ => random.Next(2) == 0 ? Name(random) : Words(random, 1, 2)).ToArray();
        var index = random.Next(names.Length);
        return new Draft(Pick(["Give the value that belongs to the name.", "Look up the name."], form))
            .Input(Pick(ListNames, form), names.Zip(values, (name, value) => $"{name} | {value}").ToArray())
            .Input(Pick(TextNames, form), names[index])
            .Output(Pick(OutputNames, form), values[index]);
    }

    // The words that a claim uses for a relation, beside the sentence that states it.
    private Draft QuoteSentence(Random form, Random random)
    {
        var task = RandomTask(random);
        var (entity, fact) = random.Next(2) == 0 ? (task.First, task.FirstFact) : (task.Second, task.SecondFact);
        var articles = new[] { world.Find(entity), RandomArticle(random) };
        random.Shuffle(articles);
        var words = RelationWords.First(pair => fact.Contains(pair.Sentence, StringComparison.Ordinal)).Question;
        return new Draft(Pick(["Quote the sentence about the topic.", "Quote the fact that answers."], form))
            .Input(Pick(TextNames, form), $"{words} {entity}")
            .Input(Pick(ListNames, form), articles.Select(article => $"{article.Title} | {article.Text}").ToArray())
            .Output(Pick(OutputListNames, form), new[] { fact });
    }

    private Draft LastEntity(Random form, Random random)
    {
        var task = RandomTask(random);
        var useFirst = random.Next(2) == 0;
        var (fact, entity) = useFirst ? (task.FirstFact, task.Second) : (task.SecondFact, task.Third);
        var before = useFirst || random.Next(2) == 0 ? Array.Empty<string>() : [task.FirstFact];
        var draft = new Draft(Pick(["Name what the last fact leads to.", "Look up what the last fact ends with."], form))
            .Input(Pick(ListNames, form), before.Append(fact).ToArray());
        if (form.Next(2) == 0)
            draft.Output("reasoning", $"Look up {entity}.");
        return draft.Output(Pick(OutputNames, form), entity);
    }

    private Draft EntityOfSentence(Random form, Random random)
    {
        var task = RandomTask(random);
        var fact = random.Next(2) == 0 ? task.FirstFact : task.SecondFact;
        var entity = fact == task.FirstFact ? task.First : task.Second;
        return new Draft(Pick(["Name what the fact is about.", "Who or what is the fact about?"], form))
            .Input(Pick(TextNames, form), fact).Output(Pick(OutputNames, form), entity);
    }

    private Draft TitleOf(Random form, Random random)
    {
        var articles = Enumerable.Range(0, 2).Select(_ => RandomArticle(random)).DistinctBy(article => article.Title).ToArray();
        var article = articles[random.Next(articles.Length)];
        return new Draft(Pick(["Give the title of the passage with this sentence.", "Find the title."], form))
            .Input(Pick(ListNames, form), articles.Select(each => $"{each.Title} | {each.Text}").ToArray())
            .Input(Pick(TextNames, form), Pick(article.Sentences, random))
            .Output(Pick(OutputNames, form), article.Title);
    }

    private static Draft ItemAt(Random form, Random random)
    {
        var items = Many(random, 2, 4, () => Words(random, 1, 2));
        var last = form.Next(2) == 0;
        return new Draft(last ? "Give the last item." : "Give the first item.").Input(Pick(ListNames, form), items).Output(Pick(OutputNames, form), last ? items[^1] : items[0]);
    }

    private static Draft CountOrContains(Random form, Random random)
    {
        var items = Many(random, 1, 4, () => Name(random));
        if (form.Next(2) == 0)
            return new Draft("Count the items.").Input(Pick(ListNames, form), items).Output(Pick(OutputNames, form), (long)items.Length);
        var item = random.Next(2) == 0 ? Pick(items, random) : Name(random);
        return new Draft("Say whether the list has the item.")
            .Input(Pick(ListNames, form), items).Input(Pick(TextNames, form), item).Output(Pick(OutputNames, form), items.Contains(item));
    }

    private static readonly (string Sentence, string Question)[] RelationWords =
    [
        ("works for", "works for"), ("was born in", "born in"), ("studied at", "studied at"), ("based in", "based in"), ("founded by", "founded by"),
        ("located in", "located in"), ("named after", "named after"), ("written by", "written by"), ("published by", "published by"),
    ];

    private ResearchTask RandomTask(Random random) => Pick(world.Tasks[Region.Train], random);

    private Article RandomArticle(Random random) => Pick(world.Articles, random);

    private static string[] Many(Random random, int least, int most, Func<string> next) => [.. Enumerable.Range(0, random.Next(least, most + 1)).Select(_ => next())];

    private static string Words(Random random, int least, int most) => string.Join(' ', Many(random, least, most, () => Word(random)));

    private static string Word(Random random) => Pick(random.Next(3) == 0 ? Vocabulary.SecondWords : Vocabulary.FirstWords, random);

    private static string Name(Random random)
    {
        IReadOnlyList<string>[] ends = [Vocabulary.SecondWords, Vocabulary.SecondWords, Vocabulary.CompanySuffixes, Vocabulary.SchoolSuffixes, Vocabulary.CitySuffixes];
        return $"{Pick(Vocabulary.FirstWords, random)} {Pick(Pick(ends, random), random)}";
    }

    private static T Pick<T>(IReadOnlyList<T> items, Random random) => items[random.Next(items.Count)];

    private sealed class Draft(string instructions)
    {
        private readonly List<(SignatureField Field, object Value)> inputs = [];
        private readonly List<(SignatureField Field, object Value)> outputs = [];

        public Draft Input(string name, object value) => Add(inputs, name, value, FieldDirection.Input);

        public Draft Output(string name, object value) => Add(outputs, name, value, FieldDirection.Output);

        public Lesson Build(Random form, Random random)
        {
            // An input that does not matter, now and then.
            if (form.Next(5) == 0)
                Input(Pick(TextNames, form), Words(random, 1, 3));
            return new(
                new Signature(inputs.Concat(outputs).Select(entry => entry.Field), instructions),
                FieldMap.Create(inputs.Select(entry => KeyValuePair.Create(entry.Field.Name, (object?)entry.Value))),
                FieldMap.Create(outputs.Select(entry => KeyValuePair.Create(entry.Field.Name, (object?)entry.Value))));
        }

        private Draft Add(List<(SignatureField Field, object Value)> fields, string name, object value, FieldDirection direction)
        {
            var free = name;
            for (var number = 2; inputs.Concat(outputs).Any(entry => entry.Field.Name == free); number++)
                free = $"{name}_{number}";
            fields.Add(value switch
            {
                string[] items => (new(free, FieldType.ListOf(FieldType.String), direction), Lesson.ListOf(items)),
                long => (new(free, FieldType.Integer, direction), value),
                bool => (new(free, FieldType.Boolean, direction), value),
                _ => (new(free, FieldType.String, direction), value),
            });
            return this;
        }
    }
}
