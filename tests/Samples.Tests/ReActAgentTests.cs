using Samples.Tests.Tutorials;

namespace Samples.Tests;

/// <summary>The agent's sample: what happens without leave to book.</summary>
public sealed class ReActAgentTests
{
    [Fact]
    public async Task WithoutApproval_NothingIsBooked()
    {
        var (exitCode, output, errors) = await SampleProcess.RunAsync("ReActAgent", [], cancellationToken: TestContext.Current.CancellationToken);

        Assert.True(exitCode == 0, output + errors);
        Assert.Contains("  error: The call of 'book' was not approved.", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Booked", output, StringComparison.Ordinal);
    }
}
