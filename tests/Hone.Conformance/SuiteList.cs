using Hone.Engine.Tests;
using Hone.Engine.Tests.Vectors;

namespace Hone.Conformance;

/// <summary>Every suite, in the order of the report.</summary>
internal static class SuiteList
{
    public static IReadOnlyList<IVectorSuite> All { get; } =
    [
        new SignatureSuite(),
        new FormatSuite(),
        new ParseSuite("chat_parse", ChatParseDifferences.Format, ChatParseDifferences.Rules),
        new ParseSuite("json_parse", JsonParseDifferences.Format, JsonParseDifferences.Rules),
        new JsonRepairSuite(),
        new ParseSuite("xml_parse", XmlParseDifferences.Format, XmlParseDifferences.Rules),
        new MetricsSuite(),
        new MajoritySuite(),
        new Bm25Suite(),
        new GrpoSuite(),
        new SavedStateSuite(),
        new UsageSuite(),
        new ProgramsSuite(),

        // The engine's suites are shared with its tests: static classes in tests/Hone.Engine.Tests/Vectors.
        new SharedSuite(
            "engine",
            LossVectors.Run,
            vectors => EngineVectors.Forward(Path.Combine(vectors, "engine")),
            vectors => EngineVectors.Gradients(Path.Combine(vectors, "engine")),
            StepVectors.GrpoSteps,
            StepVectors.SupervisedSteps),
        new SharedSuite("tokenizers", TokenizerVectors.Run),
    ];
}
