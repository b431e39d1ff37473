namespace Hone.Conformance;

/// <summary>The arguments of a run.</summary>
internal sealed record CommandLine(string Vectors, string? Only)
{
    public static bool TryParse(string[] args, out CommandLine options, out string problem)
    {
        (options, problem) = (null!, string.Empty);
        string? vectors = Environment.GetEnvironmentVariable("HONE_VECTORS");
        string? only = null;
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 >= args.Length)
            {
                problem = $"The argument '{args[i]}' has no value.";
                return false;
            }

            switch (args[i])
            {
                case "--vectors":
                    vectors = args[i + 1];
                    break;
                case "--only":
                    only = args[i + 1];
                    break;
                default:
                    problem = $"There is no argument '{args[i]}'.";
                    return false;
            }
        }

        problem = vectors is null ? "The folder of the recorded cases is missing." : Directory.Exists(vectors) ? string.Empty : $"There is no folder '{vectors}'.";
        options = new CommandLine(vectors ?? string.Empty, only);
        return problem.Length == 0;
    }

    public static int Refuse(string problem, TextWriter errors)
    {
        errors.WriteLine(problem);
        errors.WriteLine("Usage: --vectors DIR [--only NAME]");
        return 2;
    }
}
