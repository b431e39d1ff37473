namespace Hone.Testing;

/// <summary>The weights of a toy policy with their gradients: a row of logits for each choice, moved by plain gradient descent.</summary>
internal sealed class ToyModel
{
    public ToyModel(double[][] logits, double[][]? gradients = null, int version = 0)
    {
        Logits = Copy(logits);
        Gradients = gradients is { Length: > 0 } ? Copy(gradients) : Zeros(logits);
        Version = version;
    }

    /// <summary>Replaced by every step, so that what holds the rows keeps them as they were.</summary>
    public double[][] Logits { get; private set; }

    public double[][] Gradients { get; private set; }

    public int Version { get; private set; }

    public double LogProb(int row, int completion, double temperature = 1) => ToyPolicy.LogSoftmax(Logits[row], temperature)[completion];

    /// <summary>Adds the gradient of a loss whose derivative by one log-probability is known.</summary>
    public void AddSlope(int row, int completion, double slope, double temperature = 1)
    {
        // d/dz of log softmax(z / T)[o] is (onehot(o) - p) / T.
        var logProbs = ToyPolicy.LogSoftmax(Logits[row], temperature);
        for (var i = 0; i < logProbs.Length; i++)
            Gradients[row][i] += slope * ((i == completion ? 1 : 0) - Math.Exp(logProbs[i])) / temperature;
    }

    /// <summary>Moves the logits against the gradients and clears them; returns the gradients' norm.</summary>
    public double Step(double learningRate)
    {
        var norm = Math.Sqrt(Gradients.Sum(row => row.Sum(value => value * value)));
        Logits = [.. Logits.Select((row, i) => row.Select((value, j) => value - (learningRate * Gradients[i][j])).ToArray())];
        Gradients = Zeros(Logits);
        Version++;
        return norm;
    }

    public static double[][] Copy(double[][] rows) => [.. rows.Select(row => row.ToArray())];

    private static double[][] Zeros(double[][] shape) => [.. shape.Select(row => new double[row.Length])];
}
