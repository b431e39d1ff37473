using Hone;

namespace Packages;

/// <summary>Works only if the source generator came with the package.</summary>
internal sealed partial class Triage : Module<string, string>
{
    [Predict("Name the department.", Output = "label")]
    private partial Task<string> Name(string message, CancellationToken cancellationToken);

    protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => Name(input, cancellationToken);
}
