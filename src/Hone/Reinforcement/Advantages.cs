namespace Hone.Reinforcement;

/// <summary>What the difference from the group's mean is divided by.</summary>
public enum AdvantageScaling
{
    /// <summary>Nothing (Dr. GRPO, arXiv 2503.20783).</summary>
    None,

    /// <summary>The group's sample standard deviation + 1e-4 (GRPO, arXiv 2402.03300).</summary>
    Group,

    /// <summary>The sample standard deviation of the whole batch + 1e-4.</summary>
    Batch,
}

/// <summary>Group-relative advantages: how much better a completion did than its group.</summary>
public static class Advantages
{
    private const double Epsilon = 1e-4;

    /// <summary>Advantages of every member of every group. A null reward gives 0 and leaves the statistics alone; so does a group without spread.</summary>
    public static double[][] Compute(IReadOnlyList<IReadOnlyList<double?>> groups, AdvantageScaling scaling)
    {
        var batchDeviation = scaling == AdvantageScaling.Batch ? SampleDeviation([.. groups.SelectMany(Known)]) : 0;
        return [.. groups.Select(group => OfGroup(group, scaling, batchDeviation))];
    }

    /// <summary>
    /// Weighted sum of z-scored reward components, z-scored over the batch (GDPO): keeps one loud component from drowning the others. A member without any
    /// component gets 0 and leaves the statistics alone.
    /// </summary>
    /// <param name="components">Per group, per member, one reward a component.</param>
    /// <param name="weights">One weight a component.</param>
    public static double[][] NormalizeThenSum(IReadOnlyList<IReadOnlyList<IReadOnlyList<double?>>> components, IReadOnlyList<double> weights)
    {
        var sums = components.Select(group => new double[group.Count]).ToArray();
        for (var component = 0; component < weights.Count; component++)
        {
            var index = component;
            var scaled = Compute([.. components.Select(group => group.Select(member => member[index]).ToArray())], AdvantageScaling.Group);
            for (var group = 0; group < sums.Length; group++)
            {
                for (var member = 0; member < sums[group].Length; member++)
                    sums[group][member] += weights[component] * scaled[group][member];
            }
        }

        double[] all = [.. sums.SelectMany((group, index) => group.Where((_, member) => IsKnown(components[index][member])))];
        var mean = all.Length == 0 ? 0 : all.Average();
        var deviation = SampleDeviation(all);
        return [.. sums.Select((group, index) => group.Select((value, member) => IsKnown(components[index][member]) ? (value - mean) / (deviation + Epsilon) : 0).ToArray())];
    }

    private static bool IsKnown(IReadOnlyList<double?> components) => components.Any(component => component is not null);

    /// <summary>Sample standard deviation (n - 1); 0 for fewer than two values.</summary>
    internal static double SampleDeviation(IReadOnlyList<double> values)
    {
        if (values.Count < 2)
            return 0;
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
    }

    private static IEnumerable<double> Known(IReadOnlyList<double?> rewards) => rewards.Where(reward => reward is not null).Select(reward => reward!.Value);

    private static double[] OfGroup(IReadOnlyList<double?> rewards, AdvantageScaling scaling, double batchDeviation)
    {
        double[] known = [.. Known(rewards)];
        if (known.Length == 0)
            return new double[rewards.Count];
        var mean = known.Average();
        var divisor = scaling switch
        {
            AdvantageScaling.Group => SampleDeviation(known) + Epsilon,
            AdvantageScaling.Batch => batchDeviation + Epsilon,
            _ => 1,
        };
        return [.. rewards.Select(reward => reward is null ? 0 : (reward.Value - mean) / divisor)];
    }
}
