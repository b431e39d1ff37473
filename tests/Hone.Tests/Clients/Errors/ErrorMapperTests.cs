using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Clients.Errors;

public sealed class ErrorMapperTests
{
    private static readonly FakeTimeProvider Time = new(new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));

    public static TheoryData<int, string?, Type, string, bool> Statuses => new()
    {
        { 400, null, typeof(LMInvalidRequestException), "invalid_request", false },
        { 400, "context_length_exceeded", typeof(ContextWindowExceededException), "context_window_exceeded", false },
        { 400, "unsupported_parameter", typeof(LMUnsupportedFeatureException), "unsupported_feature", false },
        { 400, "model_not_found", typeof(LMUnsupportedModelException), "unsupported_model", false },
        { 400, "content_policy_violation", typeof(LMInvalidRequestException), "invalid_request", false },
        { 401, null, typeof(LMAuthException), "auth", false },
        { 402, null, typeof(LMBillingException), "billing", false },
        { 403, null, typeof(LMAuthException), "auth", false },
        { 404, null, typeof(LMUnsupportedModelException), "unsupported_model", false },
        { 408, null, typeof(LMTimeoutException), "timeout", true },
        { 409, null, typeof(LMInvalidRequestException), "invalid_request", false },
        { 422, null, typeof(LMInvalidRequestException), "invalid_request", false },
        { 429, null, typeof(LMRateLimitException), "rate_limit", true },
        { 429, "insufficient_quota", typeof(LMBillingException), "billing", false },
        { 500, null, typeof(LMServerException), "server", true },
        { 503, null, typeof(LMServerException), "server", true },
        { 504, null, typeof(LMServerException), "server", true },
        { 529, null, typeof(LMServerException), "server", true },
        { 302, null, typeof(LMProviderException), "provider", false },
    };

    [Theory]
    [MemberData(nameof(Statuses))]
    public void Map_ByStatusAndCode(int status, string? code, Type type, string name, bool isRetryable)
    {
        var body = code is null ? """{"error":{"message":"no"}}""" : $$$"""{"error":{"message":"no","code":"{{{code}}}"}}""";
        var response = new FakeResponse(status, body, new() { ["x-request-id"] = "req_9", ["Retry-After"] = "12" });
        var error = Map(new ClientResultException(response));
        Assert.IsType(type, error);
        Assert.Equal((name, isRetryable), (error.Code, error.IsRetryable));
        Assert.Equal((status, "req_9", code, "gpt-x", "openai"), (error.Status, error.RequestId, error.ProviderCode, error.Model, error.Provider));
        Assert.Equal(TimeSpan.FromSeconds(12), error.RetryAfter);
        Assert.StartsWith("[gpt-x] ", error.Message, StringComparison.Ordinal);
        Assert.Equal(name, Map(new HttpRequestException("no", null, (HttpStatusCode)status)).Code, code is null ? StringComparer.Ordinal : Anything.Instance);
    }

    public static TheoryData<Exception, string> Types => new()
    {
        { new TaskCanceledException("The request was canceled due to the configured HttpClient.Timeout."), "timeout" },
        { new TimeoutException("late"), "timeout" },
        { new HttpRequestException(HttpRequestError.NameResolutionError, "no such host"), "transport" },
        { new HttpRequestException(HttpRequestError.UserAuthenticationError, "proxy says no"), "auth" },
        { new IOException("cut"), "transport" },
        { new SocketException((int)SocketError.ConnectionReset), "transport" },
        { new InvalidOperationException("wrapped", new IOException("cut")), "transport" },
        { new AggregateException(new InvalidOperationException("first"), new HttpRequestException("x", null, HttpStatusCode.TooManyRequests)), "rate_limit" },
        { new JsonException("not json"), "provider" },
        { new NotSupportedException("no tools here"), "unsupported_feature" },
        { new ModelDoesNotSupportToolsException(), "unsupported_feature" },
        { new FakeSdkRateLimitException(), "rate_limit" },
        { new FakeSdkException { StatusCode = HttpStatusCode.Unauthorized }, "auth" },
        { new InvalidOperationException("something else"), "unexpected" },
    };

    [Theory]
    [MemberData(nameof(Types))]
    public void Map_ByType(Exception error, string code) => Assert.Equal(code, Map(error).Code);

    [Theory]
    [InlineData("No API key was given. Set the environment variable OPENAI_API_KEY.", "not_configured")]
    [InlineData("This model's maximum context length is 4096 tokens.", "context_window_exceeded")]
    [InlineData("The operation timed out.", "timeout")]
    [InlineData("connection reset by peer", "transport")]
    [InlineData("object reference not set", "unexpected")]
    public void Map_ByWords_OnlyWhenThereIsNothingElse(string text, string code) => Assert.Equal(code, Map(new InvalidOperationException(text)).Code);

    [Theory]
    [InlineData("connection to your tool timed out: check the API key")]
    [InlineData("the network and the connection are fine, the request is not")]
    public void D44_BadRequestThatMentionsAConnection_IsAnInvalidRequest(string text)
    {
        var error = Map(new ClientResultException(new FakeResponse(400, $$$"""{"error":{"message":"{{{text}}}"}}""", [])));
        Assert.IsType<LMInvalidRequestException>(error);
        Assert.False(error.IsRetryable);
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("prompt is too long: 210000 tokens > 200000 maximum")]
    [InlineData("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.")]
    public void Map_ContextRefusalWithoutACode_IsRecognisedWithinItsStatus(string text)
    {
        Assert.IsType<ContextWindowExceededException>(Map(new ClientResultException(new FakeResponse(400, $$$"""{"error":{"message":"{{{text}}}"}}""", []))));
        Assert.IsType<LMServerException>(Map(new ClientResultException(new FakeResponse(500, $$$"""{"error":{"message":"{{{text}}}"}}""", []))));
    }

    [Fact]
    public void Map_HonesOwnErrors_StayAsTheyAre()
    {
        var own = new LMTimeoutException("mine");
        Assert.Same(own, ErrorMapper.Map(own, "m", null, Time));
        Assert.Same(own, ErrorMapper.Map(new InvalidOperationException("x", own), "m", null, Time));
    }

    [Theory]
    [InlineData("Incorrect API key provided: sk-proj-abcdefghij1234567890.", "sk-proj-abcdefghij1234567890")]
    [InlineData("Authorization: Bearer abcdef.ghijkl-mnop", "abcdef.ghijkl-mnop")]
    [InlineData("GET https://host/v1?key=AIzaSyA1234567890abcdef failed", "AIzaSyA1234567890abcdef")]
    [InlineData("{\\\"api_key\\\": \\\"hunter2hunter2\\\"}", "hunter2hunter2")]
    public void Map_Credentials_NeverReachTheMessage(string text, string secret)
    {
        var error = Map(new ClientResultException(new FakeResponse(401, $$$"""{"error":{"message":"{{{text}}}"}}""", [])));
        Assert.DoesNotContain(secret, error.Message, StringComparison.Ordinal);
        Assert.Contains("***", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, Map(new InvalidOperationException(text.Replace("\\", "", StringComparison.Ordinal))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "7", 7.0)]
    [InlineData(null, "0.5", 0.5)]
    [InlineData("250", "7", 0.25)]
    [InlineData(null, "Thu, 01 Jan 2026 12:00:30 GMT", 30.0)]
    [InlineData(null, "Thu, 01 Jan 2026 11:00:00 GMT", 0.0)]
    [InlineData(null, "soon", null)]
    [InlineData(null, "-3", null)]
    [InlineData(null, null, null)]
    public void ParseRetryAfter_SecondsMillisecondsAndDates(string? milliseconds, string? value, double? seconds) => Assert.Equal(
        seconds is { } number ? TimeSpan.FromSeconds(number) : null, ProviderError.ParseRetryAfter(milliseconds, value, Time));

    [Theory]
    [InlineData("""{"error":{"type":"rate_limit_error","message":"slow"}}""", "rate_limit_error", "slow")]
    [InlineData("""{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}""", "RESOURCE_EXHAUSTED", "slow")]
    [InlineData("""{"error":"model not found"}""", null, "model not found")]
    [InlineData("""{"detail":"nope"}""", null, "nope")]
    [InlineData("""{"error":[1]}""", null, null)]
    [InlineData("<html>", null, null)]
    [InlineData("{", null, null)]
    public void ReadBody_TakesEveryProvidersShape(string body, string? code, string? text) => Assert.Equal((code, text), ProviderError.ReadBody(body));

    private static LMException Map(Exception error) => Assert.IsAssignableFrom<LMException>(ErrorMapper.Map(error, "gpt-x", "openai", Time));

    private sealed class Anything : IEqualityComparer<string>
    {
        public static readonly Anything Instance = new();

        public bool Equals(string? x, string? y) => true;

        public int GetHashCode(string obj) => 0;
    }

    private sealed class ModelDoesNotSupportToolsException : Exception;

    private sealed class FakeSdkRateLimitException : Exception;

    private sealed class FakeSdkException : Exception
    {
        public HttpStatusCode StatusCode { get; init; }
    }

    private sealed class FakeResponse(int status, string body, Dictionary<string, string> headers) : PipelineResponse
    {
        public override int Status => status;

        public override string ReasonPhrase => "no";

        public override Stream? ContentStream { get; set; }

        public override BinaryData Content => BinaryData.FromString(body);

        protected override PipelineResponseHeaders HeadersCore => new FakeHeaders(headers);

        public override BinaryData BufferContent(CancellationToken cancellationToken = default) => Content;

        public override ValueTask<BinaryData> BufferContentAsync(CancellationToken cancellationToken = default) => new(Content);

        public override void Dispose()
        {
        }
    }

    private sealed class FakeHeaders(Dictionary<string, string> headers) : PipelineResponseHeaders
    {
        private readonly Dictionary<string, string> headers = new(headers, StringComparer.OrdinalIgnoreCase);

        public override IEnumerator<KeyValuePair<string, string>> GetEnumerator() => headers.GetEnumerator();

        public override bool TryGetValue(string name, out string? value) => headers.TryGetValue(name, out value);

        public override bool TryGetValues(string name, out IEnumerable<string>? values)
        {
            values = headers.TryGetValue(name, out var value) ? [value] : null;
            return values is not null;
        }
    }
}
