namespace Hone.Optimizers;

/// <summary>A teacher's calls become the student's demos: both need the same predictors.</summary>
internal static class TeacherCheck
{
    /// <exception cref="HoneException">The teacher has other predictors, or other fields.</exception>
    public static void SamePredictors<TIn, TOut>(Program<TIn, TOut> student, Program<TIn, TOut>? teacher)
    {
        if (teacher is null)
            return;
        foreach (var ((path, own), (otherPath, other)) in student.Predictors.Zip(teacher.Predictors))
        {
            if (path != otherPath || !own.Fields.Select(field => (field.Name, field.Direction)).SequenceEqual(other.Fields.Select(field => (field.Name, field.Direction))))
                throw new HoneException($"The teacher's predictor '{otherPath}' ({other.Shape}) is not the student's '{path}' ({own.Shape}): both need the same predictors and fields.");
        }

        if (student.Predictors.Length != teacher.Predictors.Length)
            throw new HoneException($"The teacher has {teacher.Predictors.Length} predictors and the student {student.Predictors.Length}: both need the same.");
    }
}
