using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What a recursive language model is made of, whatever its inputs and outputs are called in code.</summary>
internal sealed class RlmCore
{
    public const string Variables = "variables_info";
    public const string Functions = "functions";
    public const string Steps = "repl_history";
    public const string Iteration = "iteration";
    public const string Reasoning = "reasoning";
    public const string Written = "code";
    public const string Prompt = "prompt";
    public const string Answer = "answer";
    public const string InnerQuery = "query";
    public const string InnerContext = "context";

    private static readonly Signature InnerTask = new(
        [
            new(InnerQuery, FieldType.String, FieldDirection.Input) { Description = "What is asked" },
            new(InnerContext, FieldType.Any, FieldDirection.Input) { Description = "What it is asked of" },
            new(Answer, FieldType.String, FieldDirection.Output),
        ],
        "Answer the query about the context.");

    /// <exception cref="HoneException">A field or a tool has a name or a type that cannot be.</exception>
    public RlmCore(Signature task, ICodeInterpreter interpreter, IEnumerable<AIFunction> tools, RlmOptions options)
    {
        ArgumentNullException.ThrowIfNull(interpreter);
        ArgumentNullException.ThrowIfNull(tools);
        (Task, Interpreter, Tools, Options) = (task, interpreter, [.. tools], options);
        CheckFields();
        CheckTools();
        Act = new(ActionSignature());
        Extract = new(ExtractSignature());
        Query = new(new(
            [
                new(Prompt, FieldType.String, FieldDirection.Input) { Description = "What is asked, with the text that it is asked of" },
                new(Answer, FieldType.String, FieldDirection.Output),
            ],
            "Do what the prompt asks, by the text that it holds and nothing else. Answer with what is asked for, without words around it."));
        Inner = Recurses ? new(InnerTask, interpreter, Tools, options with { MaxDepth = options.MaxDepth - 1 }) : null;
    }

    public Signature Task { get; }

    public ICodeInterpreter Interpreter { get; }

    /// <summary>The tools as they say of themselves.</summary>
    public ImmutableArray<AIFunction> Tools { get; }

    public RlmOptions Options { get; }

    /// <summary>Writes the next piece of code.</summary>
    public Predict Act { get; }

    /// <summary>Draws the outputs from the steps when the code did not submit them.</summary>
    public Predict Extract { get; }

    /// <summary>Answers what the code asks.</summary>
    public Predict Query { get; }

    /// <summary>The run that code can start on a part of its data; null at the last depth.</summary>
    public Rlm? Inner { get; }

    /// <summary>True when code may ask a model.</summary>
    public bool Asks => Options.MaxModelCalls > 0;

    private bool Recurses => Options.MaxDepth > 1 && Options.MaxModelCalls > 1;

    /// <summary>The outputs of a submission, typed and checked.</summary>
    /// <exception cref="AdapterParseException">One is missing or does not fit.</exception>
    public FieldMap ReadOutputs(FieldMap submitted)
    {
        var raw = new (bool Found, object? Value)[Task.Outputs.Length];
        for (var i = 0; i < raw.Length; i++)
            raw[i] = (submitted.TryGetValue(Task.Outputs[i].Name, out var value), value);
        return OutputReader.Read(CodeSessionOptions.SubmitFunction, Task, JsonText.Write(submitted), raw, isTyped: true);
    }

    private Signature ActionSignature() => new(
        [
            new(Variables, FieldType.String, FieldDirection.Input) { Description = "The inputs: type, length, how they begin and end" },
            new(Functions, FieldType.String, FieldDirection.Input) { Description = "What the code can call" },
            new(Steps, FieldType.String, FieldDirection.Input) { Description = "The steps so far: code, and what it gave" },
            new(Iteration, FieldType.String, FieldDirection.Input) { Description = "Which step this is, and what is left" },
            new(Reasoning, FieldType.Reasoning, FieldDirection.Output) { Description = "What is known, what is missing, what to do next" },
            new(Written, FieldType.CodeIn(Interpreter.Language), FieldDirection.Output) { Description = "The next piece of code" },
        ],
        Instructions(),
        Task.Name);

    private Signature ExtractSignature() => new(
        [
            new(Variables, FieldType.String, FieldDirection.Input) { Description = "The inputs: type, length, how they begin and end" },
            new(Steps, FieldType.String, FieldDirection.Input) { Description = "The steps: code, and what it gave" },
            .. Task.Outputs,
        ],
        $"{Task.Instructions}\n\nCode was run for this, step by step, and ended before it handed over its result. Give {Outputs} now, by what the steps gave.".TrimStart(),
        Task.Name);

    private string Outputs => CodeText.Names(Task.Outputs.Select(output => output.Name));

    private string Instructions()
    {
        var asking = Asks
            ? " Let code do what code does well: finding, cutting, counting, comparing. For what must be read and understood, call "
            + $"`{RlmFunction.Query}` and put the text into its prompt: it sees nothing else. Ask about many pieces at once with `{RlmFunction.QueryBatched}`, and let "
            + "one prompt hold as much as belongs together: the number of prompts is limited."
            : string.Empty;
        var deeper = Recurses
            ? $" When a part is itself too much for one prompt, give it to `{RlmFunction.Run}`: it works on it as you do here, with code of its own."
            : string.Empty;
        return ($"{Task.Instructions}\n\nYou solve this task by code, step by step. The inputs are variables of your code and may be far longer than what you can read: you "
            + $"are shown their types, their lengths, how they begin and how they end. In each step write one piece of code; you are shown what it gives before the next. "
            + $"{Interpreter.Guidance} Look first: print lengths and samples until you know how the data is built. Then take small steps; variables stay from step to step. Of a "
            + $"long output only the beginning and the end are shown, so print little.{asking}{deeper} Keep long values in variables and do not write them out again. When you "
            + $"have seen that the result is right, call `{CodeSessionOptions.SubmitFunction}` with {Outputs}, in a step of its own: that ends the task.").TrimStart();
    }

    private void CheckFields()
    {
        if (Task.Outputs.IsEmpty)
            throw new HoneException($"{nameof(Rlm)} {Task.Shape} has no outputs. Declare at least one.");
        foreach (var input in Task.Inputs)
        {
            CodeValues.CheckName(input.Name, "The input");
            if (RlmFunction.Names.Contains(input.Name, StringComparer.Ordinal))
                throw new HoneException($"The input '{input.Name}' of {Task.Shape} has the name of a function that {nameof(Rlm)} gives the code. Call it something else.");
            if (input.Type.IsMedia || TypeHints.Bare(input.Type).Kind is FieldTypeKind.Tool or FieldTypeKind.History)
                throw new HoneException(
                    $"The input '{input.Name}' of {Task.Shape} is of type {TypeNames.Of(input.Type)}, which code cannot hold. {nameof(Rlm)} takes text, numbers, lists, records and "
                    + "dictionaries; pass the text of a document, and tools as tools.");
        }

        foreach (var output in Task.Outputs)
        {
            CodeValues.CheckName(output.Name, "The output");
            if (output.Name is Variables or Steps)
                throw new HoneException($"The output '{output.Name}' of {Task.Shape} has a name that {nameof(Rlm)} needs for itself. Call it something else.");
        }
    }

    private void CheckTools()
    {
        foreach (var tool in Tools)
        {
            if (tool is null)
                throw new HoneException($"A tool of {nameof(Rlm)} {Task.Shape} is null.");
            CodeValues.CheckName(tool.Name, "The tool");
            if (tool.GetService<ApprovalRequiredAIFunction>() is not null && Options.ApproveAsync is null)
                throw new HoneException($"The tool '{tool.Name}' needs approval, but nobody is asked. Set {nameof(RlmOptions)}.{nameof(RlmOptions.ApproveAsync)}.");
            if (Task.Inputs.Any(input => input.Name == tool.Name))
                throw new HoneException($"The tool '{tool.Name}' and an input of {Task.Shape} have the same name. Rename one.");
        }
    }
}
