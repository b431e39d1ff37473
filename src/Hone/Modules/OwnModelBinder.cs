using System.Collections.Immutable;

namespace Hone;

/// <summary>
/// Models that modules bring with them, as <see cref="RlmOptions.SubModel"/>, become named models of the program: what looks at a program's models (trainers, files,
/// identities of runs) then sees these, too, and can put others in their place.
/// </summary>
internal static class OwnModelBinder
{
    /// <summary>The state with the names filled in where it asks for no model by name, and the models by name: the path of the first predictor that has it.</summary>
    public static (ProgramState State, ImmutableDictionary<string, LM> Models) Bind(IReadOnlyList<FoundPredictor> predictors, ProgramState state)
    {
        var models = ImmutableDictionary<string, LM>.Empty;
        var names = new Dictionary<LM, string>(ReferenceEqualityComparer.Instance);
        foreach (var (path, _, model) in predictors)
        {
            if (model is null)
                continue;
            if (!names.TryGetValue(model, out var name))
            {
                names.Add(model, name = path);
                models = models.Add(name, model);
            }

            if (state[path].Model is null)
                state = state.With(path, state[path] with { Model = name });
        }

        return (state, models);
    }
}
