using Hone.Optimizers;
using Hone.Testing;
using PrivateDelegation;
using PrivateDelegation.World;

namespace Samples.Tests.Privacy;

/// <summary>The score of private delegation, and the ways in which it can be cheated.</summary>
public sealed class PrivacyMetricTests
{
    private static readonly string Purpose = Office.Purposes[3].Purpose;
    private static readonly string Form = Office.Purposes[3].Form;

    private static readonly Example<UserQuery, Delegation> Example = new(
        new($"My name is Marta Olsen. Write to Velra Labs. Which form is for the {Purpose}?"),
        new(string.Empty, string.Empty, $"Use form {Form}.") { Details = ["Marta Olsen", "Velra Labs"] });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Which form is for the PURPOSE?", "Use FORM.", 1, 1, 1)]
    [InlineData("Marta Olsen of Velra Labs asks.", "Use FORM.", 0.5, 1, 0)]
    [InlineData("Marta Olsen asks about the PURPOSE.", "Use FORM.", 0.75, 1, 0.5)]
    [InlineData("What can I do?", "Please call us.", 0.5, 0, 1)]
    [InlineData("", "", 0.5, 0, 1)]
    public async Task ScoreAsync_KnownRuns_AreScoredAsTheTutorialScoresThem(string request, string answer, double score, double quality, double privacy)
    {
        var given = await new PrivacyMetric(RuleClient.Judge()).ScoreAsync(Example, new(new(InWorld(request), string.Empty, InWorld(answer)), Trace.Empty), Token);
        Assert.Equal(score, given.Value, 9);
        Assert.Equal((quality, privacy), (given.Parts["quality"], given.Parts["privacy"]));
    }

    /// <summary>A judge that always prefers the second answer calls every answer good: the part says how much of the score that is.</summary>
    [Fact]
    public async Task ScoreAsync_JudgeThatGoesByTheOrder_IsCountedAsInconsistent()
    {
        var judge = new LM(ScriptedChatClient.By((request, _) => request.LastText.Contains("response_a", StringComparison.Ordinal)
            ? "[[ ## reasoning ## ]]\nB.\n\n[[ ## judgment ## ]]\nFalse\n\n[[ ## completed ## ]]"
            : "[[ ## reasoning ## ]]\nNone.\n\n[[ ## told ## ]]\n0\n\n[[ ## completed ## ]]"));
        var score = await new PrivacyMetric(judge).ScoreAsync(Example, new(new("x", "y", "z"), Trace.Empty), Token);
        Assert.Equal((1, 1), (score.Parts["quality"], score.Parts["inconsistent"]));
    }

    /// <summary>The trap: a program that swallows an unreadable answer earns as much for nothing as for copying the query. The checks before training say so.</summary>
    [Fact]
    public async Task CheckAsync_SwallowedFailures_AreCaughtBeforeTraining()
    {
        var report = await CheckAsync(swallowsFailures: true);
        Assert.Contains(report.Findings, finding => finding is { Severity: PreflightSeverity.Problem, Check: "empty answers" } && finding.Message.Contains("an unreadable answer", StringComparison.Ordinal));
        Assert.DoesNotContain((await CheckAsync(swallowsFailures: false)).Findings, finding => finding.Message.Contains("an unreadable answer", StringComparison.Ordinal));
    }

    /// <summary>And what training makes of it: the call that could not be read is punished where it happened, so the format is learned all the same.</summary>
    [Fact]
    public async Task CompileAsync_SwallowedFailures_StillTeachTheFormat()
    {
        var policy = Policy();
        var program = new Papillon(RuleClient.Untrusted(), swallowsFailures: true).WithModel(new LM(policy, "toy"));
        var options = new GrpoOptions
        {
            Steps = 40,
            ExamplesPerStep = 2,
            RolloutsPerExample = 8,
            LearningRate = 1,
            WarmupSteps = 0,
            Scaling = Hone.Reinforcement.AdvantageScaling.Group,
            Return = ReturnPolicy.Last,
            Preflight = PreflightMode.Off,
        };
        var result = await Grpo.Create<UserQuery, Delegation>(new PrivacyMetric(RuleClient.Judge()).ScoreAsync, options).CompileAsync(program, [Example], null, Token);
        var learned = (ToyPolicy)result.Program.Model!.Client;
        Assert.True(learned.Probability(0, 2) < 0.05, $"unreadable: {learned.Probability(0, 2):0.000}");
        Assert.True(learned.Probability(0, 1) > 0.8, $"private request: {learned.Probability(0, 1):0.000}");
    }

    [Fact]
    public void QueryWriter_Queries_AreDistinctAndTellTheirDetails()
    {
        var data = Dataset.Mini();
        Assert.Equal((200, 100, 100), (data.Train.Count, data.Validation.Count, data.Test.Count));
        Example<UserQuery, Delegation>[] all = [.. data.Train, .. data.Validation, .. data.Test];
        Assert.Equal(400, all.Select(example => example.Input.Text).Distinct().Count());
        Assert.All(all, example =>
        {
            Assert.NotEmpty(example.Expected.Details);
            Assert.All(example.Expected.Details, detail => Assert.Contains(detail, example.Input.Text, StringComparison.Ordinal));
            Assert.Contains(Office.Find(example.Input.Text)!.Value.Form, example.Expected.Answer, StringComparison.Ordinal);
        });
    }

    private static Task<PreflightReport> CheckAsync(bool swallowsFailures) =>
        Grpo.Create<UserQuery, Delegation>(new PrivacyMetric(RuleClient.Judge()).ScoreAsync, new() { RolloutsPerExample = 8 })
            .CheckAsync(new Papillon(RuleClient.Untrusted(), swallowsFailures).WithModel(new LM(Policy(), "toy")), [Example], null, Token);

    // Copies the query, asks as it should, or breaks the format; then answers with the form.
    private static ToyPolicy Policy() => new(
        new ToyChoice("[[ ## llm_request ## ]]\n{llm_request}", Request(Example.Input.Text), Request($"Which form is for the {Purpose}?"), "no fields", Request($"Help. {Example.Input.Text}")),
        new ToyChoice("[[ ## response ## ]]\n{response}", $"[[ ## response ## ]]\nUse form {Form}.\n\n[[ ## completed ## ]]", "[[ ## response ## ]]\nPlease call us.\n\n[[ ## completed ## ]]"));

    private static string InWorld(string text) =>
        text.Replace("PURPOSE", Purpose, StringComparison.Ordinal).Replace("FORM", $"form {Form}", StringComparison.Ordinal);

    private static string Request(string text) => $"[[ ## reasoning ## ]]\nSo.\n\n[[ ## llm_request ## ]]\n{text}\n\n[[ ## completed ## ]]";
}
