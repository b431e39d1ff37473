using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace Hone.Engine.Tests.Exports;

/// <summary>Programs that are not ours, in processes of their own. Tests are skipped, with the reason, where they are not installed.</summary>
internal static class OtherTools
{
    private const string Install = "npm install --prefix tests/Exports --ignore-scripts --omit=optional --no-package-lock";

    private static readonly Lazy<string?> Torch = new(FindTorch);

    private static string Scripts { get; } = Path.Combine(FindCheckout(), "tests", "Exports");

    /// <summary>What Hugging Face's JavaScript packages read, a result a job. HONE_REQUIRE_EXPORTS makes their absence a failure.</summary>
    public static async Task<JsonElement[]> ReadAsync(string directory, IReadOnlyList<object> jobs)
    {
        var isInstalled = Directory.Exists(Path.Combine(Scripts, "node_modules", "@huggingface", "tokenizers")) && Runs("node", "--version");
        var isRequired = Environment.GetEnvironmentVariable("HONE_REQUIRE_EXPORTS") is { Length: > 0 };
        Assert.SkipUnless(isInstalled || isRequired, $"Node.js or Hugging Face's JavaScript packages are not installed. Install the packages with: {Install}");
        return await RunAsync("node", "read.mjs", directory, jobs);
    }

    /// <summary>Logits [job][position][token] by PyTorch.</summary>
    public static async Task<float[][][]> LogitsAsync(string directory, IReadOnlyList<object> jobs)
    {
        Assert.SkipWhen(Torch.Value is null, "No Python with torch was found (HONE_TORCH_PYTHON names one; Debian's is python3-torch).");
        var results = await RunAsync(Torch.Value, "logits.py", directory, jobs);
        return [.. results.Select(result => result.Deserialize<float[][]>()!)];
    }

    private static async Task<JsonElement[]> RunAsync(string program, string script, string directory, IReadOnlyList<object> jobs)
    {
        var file = Path.Combine(directory, "jobs.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(jobs, JsonSerializerOptions.Web), TestContext.Current.CancellationToken);
        using var process = Start(program, Path.Combine(Scripts, script), file);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{script} ended with {process.ExitCode}: {await errors}");
        return JsonSerializer.Deserialize<JsonElement[]>(await output)!;
    }

    private static string? FindTorch() =>
        new[] { Environment.GetEnvironmentVariable("HONE_TORCH_PYTHON"), "/usr/bin/python3", "python3" }
            .FirstOrDefault(program => program is { Length: > 0 } && Runs(program, "-c", "import torch"));

    private static bool Runs(string program, params string[] arguments)
    {
        try
        {
            using var process = Start(program, arguments);
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            // There is no such program.
            return false;
        }
    }

    private static Process Start(string program, params string[] arguments) => Process.Start(
        new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static string FindCheckout()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Hone.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests must run from a checkout of the repository: Hone.slnx was not found above them.");
    }
}
