namespace Hone.Conformance;

/// <summary>Answers one file (or folder) of recorded cases. To add one: write a class, list it in <see cref="SuiteList"/>.</summary>
internal interface IVectorSuite
{
    string Name { get; }

    IEnumerable<CaseResult> Run(string vectors);
}
