namespace Hone.Tests;
public sealed class SmokeTests { [Fact] public void Runs() => Assert.NotEmpty("a"); }
