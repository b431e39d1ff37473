using System.Collections.Immutable;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>
/// Which weights of a program are trained: usually those of its one model; with several models, or with weights of their own for the predictors, more
/// sets side by side. Knows how to put policies and finished weights into the program.
/// </summary>
internal sealed class GrpoStudents<TIn, TOut>
{
    private readonly Program<TIn, TOut> program;
    private readonly ImmutableArray<Student> students;

    private GrpoStudents(Program<TIn, TOut> program, ImmutableArray<Student> students) => (this.program, this.students) = (program, students);

    /// <summary>Paths of the predictors that are trained, in the program's order.</summary>
    public IReadOnlyList<string> Predictors => [.. program.Predictors.Select(entry => entry.Key).Where(path => students.Any(student => student.Predictors.Contains(path)))];

    /// <summary>Names of the models that are trained.</summary>
    public IReadOnlySet<string> ModelNames => students.Select(student => student.Model.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>Predictors that stay as they are, because their model cannot be trained.</summary>
    public IReadOnlyList<string> Frozen => [.. program.Predictors.Select(entry => entry.Key).Except(Predictors)];

    /// <exception cref="HoneException">The program has no predictor, a predictor no model, or no model can be trained.</exception>
    public static GrpoStudents<TIn, TOut> Of(Program<TIn, TOut> program, bool multitask)
    {
        if (program.Predictors.IsEmpty)
            throw new HoneException($"Module {program.Module.GetType().Name} has no predictor: there is nothing to train.");
        var byPredictor = program.Predictors.Select(entry => (Path: entry.Key, Model: ModelOf(program, entry.Key))).ToArray();
        var trainable = byPredictor.Where(entry => entry.Model.Model.GetService<ITrainableModel>() is not null).ToArray();
        if (trainable.Length == 0)
            throw new HoneException(
                $"The model '{byPredictor[0].Model.Model.Name}' cannot be trained here. Use a local one (Hone.Engine) or a training service's client.");
        var own = OwnName(program);
        return new(program, multitask
            ? [.. trainable.GroupBy(entry => entry.Model.Name ?? string.Empty).Select(group =>
                new Student(group.Key.Length == 0 ? own : group.Key, group.Key.Length == 0 ? null : group.Key, group.First().Model.Model, group.Select(entry => entry.Path).ToHashSet(StringComparer.Ordinal)))]
            : [.. trainable.Select(entry => new Student(entry.Path, entry.Path, entry.Model.Model, new HashSet<string>([entry.Path], StringComparer.Ordinal)))]);
    }

    /// <summary>Which trained predictors sample otherwise than the loss assumes, and what to do; null when none does.</summary>
    public string? SamplingConflict(GrpoOptions options)
    {
        string[] conflicts = [.. program.Predictors
            .Select(entry => (entry.Key, Student: students.FirstOrDefault(student => student.Predictors.Contains(entry.Key))))
            .Where(entry => entry.Student is not null)
            .Select(entry => SamplerAgreement.Conflict(
                entry.Key, entry.Student!.Model.Options.Overlay(options.Sampling).Overlay(program.State[entry.Key].Options), options.Loss.Temperature))
            .Where(conflict => conflict is not null)!];
        return conflicts.Length == 0
            ? null
            : $"Trained predictors sample otherwise than the loss assumes, which makes every ratio wrong: {string.Join("; ", conflicts)}. "
            + "Take these options off the model and off the program's state, or make Sampling and Loss.Temperature agree with them.";
    }

    /// <summary>Most tokens of an answer of a trained predictor, and which setting says so, as a call would find it; null where nothing limits it.</summary>
    public (int Tokens, string Setting)? AnswerLimitOf(string path, GrpoOptions options, TrainingCapabilities capabilities)
    {
        var model = students.First(student => student.Predictors.Contains(path)).Model;
        return program.State[path].Options?.MaxOutputTokens is { } own ? (own, $"MaxOutputTokens of '{path}' in the program's state")
            : options.Sampling.MaxOutputTokens is { } sampling ? (sampling, "Sampling.MaxOutputTokens")
            : model.Options.MaxOutputTokens is { } common ? (common, $"Options.MaxOutputTokens of the model '{model.Name}'")
            : capabilities.DefaultAnswerTokens is { } session ? (session, "what the training session allows where a call sets no limit")
            : model.Capabilities.MaxOutputTokens is { } most ? (most, $"Capabilities.MaxOutputTokens of the model '{model.Name}'")
            : null;
    }

    /// <summary>Starts a session for each set of weights; more than one are joined.</summary>
    public async Task<ITrainingSession> StartAsync(GrpoOptions options, SeedStream seed, bool hasTeachers, CancellationToken cancellationToken)
    {
        var routes = new List<TrainingRoute>();
        try
        {
            foreach (var (student, index) in students.Select((student, index) => (student, index)))
            {
                // The first adapter starts as the only one of a single model would.
                var start = index == 0 ? seed.Derive("adapter") : seed.Derive("adapter", index);
                var session = await student.Model.GetService<ITrainableModel>()!.StartTrainingAsync(
                    new()
                    {
                        Lora = options.Lora,
                        Seed = start.Seed,
                        KeepReference = options.Loss.Beta > 0,
                        Sampling = student.Model.Options,
                        Plan = options.Plan with { HasTeachers = hasTeachers },
                    },
                    cancellationToken).ConfigureAwait(false);
                routes.Add(new(student.Name, session, student.Predictors));
            }

            return routes.Count == 1 && routes[0].Predictors.Count == program.Predictors.Length ? routes[0].Session : new RoutedTrainingSession(routes);
        }
        catch (Exception)
        {
            // What the first ones hold, memory here or GPUs elsewhere, must not outlive a run that never began.
            foreach (var route in routes)
                await route.Session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The program on the weights under training. A policy changes with every step: no answer of it may come from a cache, or from another model.</summary>
    public Program<TIn, TOut> OnPolicy(IChatClient policy) => Replace(student => student.Model with { Client = policy, Cache = null, Failover = [] });

    /// <summary>The program with a model that says nothing in the place of every set of weights, and by its name: nobody pays for it. Other models stay.</summary>
    public Program<TIn, TOut> OnSilence(LM silent) => Replace(student => silent with { Name = student.Model.Name });

    /// <summary>A teacher whose answers come from its models each time, as the policy's do: equal rollouts of a cache teach nothing.</summary>
    public Program<TIn, TOut> Uncached(Program<TIn, TOut> teacher)
    {
        var models = Predictors.Select(path => teacher.State[path].Model).ToHashSet();
        var uncached = models.Contains(null) && teacher.Model is { } own ? teacher.WithModel(own with { Cache = null }) : teacher;
        foreach (var name in models.Where(name => name is not null && teacher.NamedModels.ContainsKey(name)))
            uncached = uncached.WithNamedModel(name!, teacher.NamedModels[name!] with { Cache = null });
        return uncached;
    }

    /// <summary>The program on finished weights, as a snapshot gave them.</summary>
    public Program<TIn, TOut> OnSnapshot(LM snapshot)
    {
        var models = (snapshot.Client as RoutedChatClient)?.Models;
        return Replace(student => (models is null ? snapshot : models[student.Name]) with { Options = student.Model.Options });
    }

    private Program<TIn, TOut> Replace(Func<Student, LM> model)
    {
        var replaced = program;
        foreach (var student in students)
        {
            if (student.NamedModel is not { } name)
            {
                replaced = replaced.WithModel(model(student));
                continue;
            }

            replaced = replaced.WithNamedModel(name, model(student));
            foreach (var path in student.Predictors.Where(path => replaced.State[path].Model != name))
                replaced = replaced.With(replaced.State.With(path, replaced.State[path] with { Model = name }));
        }

        return replaced;
    }

    // Sets of weights are told apart by name, in saved states as well: the program's own must not be called as a named one is.
    private static string OwnName(Program<TIn, TOut> program)
    {
        var name = "model";
        while (program.NamedModels.ContainsKey(name))
            name = $"own-{name}";
        return name;
    }

    private static (string? Name, LM Model) ModelOf(Program<TIn, TOut> program, string path)
    {
        if (program.State[path].Model is not { } name)
            return (null, program.Model ?? throw new HoneException("The program has no model. Set one for the whole program with WithModel."));
        return (name, program.NamedModels.GetValueOrDefault(name)
            ?? throw new HoneException($"Predictor '{path}' asks for the model '{name}', which the program does not have. Add it with Program.WithNamedModel."));
    }

    /// <param name="Name">Name of the set of weights.</param>
    /// <param name="NamedModel">The named model that holds it in the program; null for the program's own.</param>
    /// <param name="Model">The model it starts from.</param>
    /// <param name="Predictors">Paths of its predictors.</param>
    private sealed record Student(string Name, string? NamedModel, LM Model, IReadOnlySet<string> Predictors);
}
