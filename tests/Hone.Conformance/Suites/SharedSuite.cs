namespace Hone.Conformance;

/// <summary>Runs evaluators that a test project shares: each yields the id of a case and what is wrong with it, or null.</summary>
internal sealed class SharedSuite(string name, params Func<string, IEnumerable<(string Id, string? Failure)>>[] evaluators) : IVectorSuite
{
    public string Name => name;

    public IEnumerable<CaseResult> Run(string vectors) => evaluators
        .SelectMany(evaluate => evaluate(vectors))
        .Select(each => each.Failure is null ? CaseResult.Pass(each.Id) : CaseResult.Fail(each.Id, each.Failure));
}
