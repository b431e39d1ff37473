using Hone.Conformance;

// Compares Hone with recorded cases: dotnet run -- --vectors DIR [--only NAME]. Exit code 0: nothing failed, 1: something did, 2: bad arguments.
return CommandLine.TryParse(args, out var options, out var problem) ? Runner.Run(options, Console.Out) : CommandLine.Refuse(problem, Console.Error);
