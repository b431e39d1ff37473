using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Hone.Tests.Modules;

public sealed class HoneServiceTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AddProgram_Resolves_WithClientServicesAndState()
    {
        var file = Path.GetTempFileName();
        try
        {
            await new Greeter(new Greeting("x")).WithModel(ScriptedChatClient.InSequence())
                .With(ProgramState.Default.With("greet", new() { Instructions = "Greet LOUDLY." })).SaveAsync(file, Token);
            var client = ScriptedChatClient.By((request, _) => request.SystemText.Contains("LOUDLY", StringComparison.Ordinal) ? "[[ ## answer ## ]]\nHELLO" : "no");
            await using var services = new ServiceCollection()
                .AddSingleton<IChatClient>(client)
                .AddSingleton(new Greeting("dear "))
                .AddHone(options => options.Model = lm => lm with { Role = "greeter" })
                .AddProgram<Greeter, string, string>(options => options.StateFile = file)
                .BuildServiceProvider();
            var program = services.GetRequiredService<Program<string, string>>();
            Assert.Same(program, services.GetRequiredService<Program<string, string>>());
            var run = await program.RunAsync("Ann", null, Token);
            Assert.Equal("HELLO dear Ann", run.Value);
            Assert.Equal("greeter", run.Trace.Calls[0].Role);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void AddProgram_WithoutAClient_SaysHowToAddOne()
    {
        using var services = new ServiceCollection().AddSingleton(new Greeting("")).AddProgram<Greeter, string, string>().BuildServiceProvider();
        var error = Assert.Throws<LMNotConfiguredException>(() => services.GetRequiredService<Program<string, string>>());
        Assert.Contains("AddSingleton<IChatClient>", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddProgram_WithKeys_KeepsProgramsAndClientsApart()
    {
        await using var services = new ServiceCollection()
            .AddSingleton(new Greeting(""))
            .AddKeyedSingleton<IChatClient>("small", ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\nhi"))
            .AddKeyedSingleton<IChatClient>("large", ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\nHI"))
            .AddProgram<Greeter, string, string>(options => (options.Key, options.ClientKey) = ("a", "small"))
            .AddProgram<Greeter, string, string>(options => (options.Key, options.ClientKey) = ("b", "large"))
            .BuildServiceProvider();
        Assert.Equal("hi Ann", await services.GetRequiredKeyedService<Program<string, string>>("a").CallAsync("Ann", Token));
        Assert.Equal("HI Ann", await services.GetRequiredKeyedService<Program<string, string>>("b").CallAsync("Ann", Token));
    }

    [Fact]
    public async Task AddProgram_WithAFactory_MakesTheModuleOfServices_AndConfiguresTheProgram()
    {
        var made = 0;
        await using var services = new ServiceCollection()
            .AddSingleton<IChatClient>(ScriptedChatClient.By((request, _) => $$"""{"answer": "{{request.Path}}"}"""))
            .AddKeyedSingleton<IChatClient>("large", ScriptedChatClient.By((_, _) => """{"answer": "large"}"""))
            .AddSingleton(new Greeting("Dr. "))
            .AddProgram(
                provider =>
                {
                    made++;
                    return new Greeter(provider.GetRequiredService<Greeting>());
                },
                options => options.Configure = (provider, program) => program.WithAdapter(JsonAdapter.Default)
                    .WithNamedModel("large", new LM(provider.GetRequiredKeyedService<IChatClient>("large")))
                    .With(program.State.With("greet", new() { Model = "large" })))
            .AddProgram<FieldMap, FieldMap>(_ => Predict.Parse("question -> answer"), options => options.Configure = (_, program) => program.WithAdapter(JsonAdapter.Default))
            .BuildServiceProvider();

        var program = services.GetRequiredService<Program<string, string>>();
        Assert.Same(program, services.GetRequiredService<Program<string, string>>());
        Assert.Equal(1, made);
        Assert.Equal("large Dr. Ann", await program.CallAsync("Ann", Token));
        Assert.Equal("self", (await services.GetRequiredService<Program<FieldMap, FieldMap>>().CallAsync(FieldMap.Of(("question", "q")), Token))["answer"]);
    }

    public sealed record Greeting(string Title);

    public sealed class Greeter(Greeting greeting) : Module<string, string>
    {
        private readonly Predict greet = Predict.Parse("name -> answer");

        protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken) =>
            $"{(await greet.CallAsync(FieldMap.Of(("name", input)), cancellationToken))["answer"]} {greeting.Title}{input}";
    }
}
