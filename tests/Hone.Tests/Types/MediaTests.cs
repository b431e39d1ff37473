using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Types;

public sealed class MediaTests
{
    private static readonly byte[] Bytes = [1, 2, 3];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://x.y/a.png", "image/png")]
    [InlineData("https://x.y/a.JPG?size=2", "image/jpeg")]
    [InlineData("https://x.y/picture", "image/*")]
    [InlineData("https://x.y/a.pdf", "image/*")]
    [InlineData("gs://bucket/a.webp", "image/webp")]
    public void FromUri_Image_KeepsTheAddressAndGuessesTheType(string address, string mediaType)
    {
        var image = Image.FromUri(new Uri(address));

        Assert.Equal(mediaType, image.MediaType);
        Assert.Equal(address, image.Address!.OriginalString);
        Assert.IsType<UriContent>(image.Content);
        Assert.True(image.Data.IsEmpty);
    }

    [Fact]
    public void FromUri_FileAddress_NamesFromFileAsync() =>
        Assert.Contains("Image.FromFileAsync", Assert.Throws<HoneException>(() => Image.FromUri(new Uri("file:///etc/passwd"))).Message, StringComparison.Ordinal);

    [Fact]
    public void FromUri_DataUri_IsInline() => Assert.Equal(Image.FromBytes(Bytes, "image/png"), Image.FromUri(new Uri("data:image/png;base64,AQID")));

    [Fact]
    public void FromBytes_ArrayChangedAfterwards_ValueStays()
    {
        var bytes = Bytes.ToArray();
        var audio = Audio.FromBytes(bytes, "audio/wav");
        bytes[0] = 9;

        Assert.Equal(Bytes, audio.Data.ToArray());
    }

    [Theory]
    [InlineData("audio/wav", "must start with 'image/'")]
    [InlineData("png", "no media type")]
    public void FromBytes_WrongType_Throws(string mediaType, string reason) =>
        Assert.Contains(reason, Assert.Throws<HoneException>(() => Image.FromBytes(Bytes, mediaType)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("data:image/png;base64,%%%")]
    [InlineData("nonsense")]
    [InlineData("data:audio/wav;base64,AQID")]
    public void FromDataUri_NotOne_Throws(string text) => Assert.Throws<HoneException>(() => Image.FromDataUri(text));

    [Fact]
    public async Task FromFileAsync_File_HasTypeAndName()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.pdf");
        await File.WriteAllBytesAsync(path, Bytes, Cancellation);
        try
        {
            var file = await Attachment.FromFileAsync(path, cancellationToken: Cancellation);
            var document = await Document.FromFileAsync(path, cancellationToken: Cancellation);

            Assert.Equal("application/pdf", file.MediaType);
            Assert.Equal(Path.GetFileName(path), file.Name);
            Assert.Equal(Path.GetFileName(path), document.Title);
            Assert.Equal(Bytes, document.Data.ToArray());
            Assert.Contains("image/", (await Assert.ThrowsAsync<HoneException>(() => Image.FromFileAsync(path, cancellationToken: Cancellation))).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("missing.png", "cannot read")]
    [InlineData("missing.unknown", "media type")]
    public async Task FromFileAsync_Missing_Throws(string name, string reason) => Assert.Contains(
        reason, (await Assert.ThrowsAsync<HoneException>(() => Image.FromFileAsync(name, cancellationToken: Cancellation))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task DownloadAsync_Answer_IsRead()
    {
        using var client = new HttpClient(new Answers(Bytes, "image/png"));

        Assert.Equal(Image.FromBytes(Bytes, "image/png"), Image.FromBytes((await Image.DownloadAsync(client, new("http://x.y/z"), cancellationToken: Cancellation)).Data, "image/png"));
        Assert.Equal("a.png", (await Attachment.DownloadAsync(client, new("http://x.y/a.png"), cancellationToken: Cancellation)).Name);
    }

    [Theory]
    [InlineData("text/plain", true)]
    [InlineData("text/markdown", true)]
    [InlineData("text/csv; charset=utf-8", true)]
    [InlineData("application/json", true)]
    [InlineData("application/ld+json", true)]
    [InlineData("application/XML", true)]
    [InlineData("application/atom+xml", true)]
    [InlineData("application/yaml", true)]
    [InlineData("application/pdf", false)]
    [InlineData("application/vnd.openxmlformats-officedocument.wordprocessingml.document", false)]
    public void Document_OfText_IsTextForEveryClient(string mediaType, bool isText)
    {
        byte[] bytes = [.. Encoding.UTF8.Preamble, .. "Größe: 3"u8];
        Document[] documents =
        [
            Document.FromBytes(bytes, mediaType), Document.FromContent(new DataContent(bytes, mediaType)),
            Document.FromDataUri($"data:{mediaType.Replace(" ", "", StringComparison.Ordinal)};base64,{Convert.ToBase64String(bytes)}"),
        ];
        foreach (var document in documents)
        {
            if (isText)
                Assert.Equal("Größe: 3", Assert.IsType<TextContent>(document.Content).Text);
            else
                Assert.IsType<DataContent>(document.Content);
        }

        Assert.IsType<DataContent>(Attachment.FromBytes(bytes, mediaType).Content);
    }

    [Fact]
    public async Task DownloadAsync_Refused_SaysWhy()
    {
        using var client = new HttpClient(new Answers(Bytes, "text/html"));
        using var failing = new HttpClient(new Answers(Bytes, "image/png", HttpStatusCode.NotFound));

        async Task Fails(string reason, HttpClient with, string address, MediaDownloadOptions? options = null) => Assert.Contains(
            reason,
            (await Assert.ThrowsAsync<HoneException>(() => Image.DownloadAsync(with, new(address), options, Cancellation))).Message,
            StringComparison.Ordinal);

        await Fails("must start with 'image/'", client, "http://x.y/z");
        await Fails("longer than 2 bytes", client, "http://x.y/z", new() { MaximumBytes = 2, MediaType = "image/png" });
        await Fails("Allow refuses", client, "http://x.y/z", new() { Allow = address => address.Host == "good" });
        await Fails("http and https", client, "ftp://x.y/z");
        await Fails("404", failing, "http://x.y/z");
    }

    [Fact]
    public void FromContent_Part_BecomesTheRightKind()
    {
        Assert.IsType<Image>(Media.FromContent(new DataContent(Bytes, "image/png")));
        Assert.IsType<Audio>(Media.FromContent(new UriContent("http://x.y/z", "audio/mpeg")));
        Assert.IsType<Attachment>(Media.FromContent(new DataContent(Bytes, "application/pdf")));
        Assert.IsType<Attachment>(Media.FromContent(new HostedFileContent("file-1")));
        Assert.IsType<Document>(Media.FromContent(new TextContent("text")));
        Assert.Throws<HoneException>(() => Media.FromContent(new FunctionCallContent("1", "f")));
        Assert.Throws<HoneException>(() => Image.FromContent(new DataContent(Bytes, "audio/wav")));
    }

    [Fact]
    public void Equals_IsStructural()
    {
        Assert.Equal(Image.FromBytes(Bytes, "image/png"), Image.FromDataUri("data:image/png;base64,AQID"));
        Assert.Equal(Image.FromBytes(Bytes, "image/png").GetHashCode(), Image.FromDataUri("data:image/png;base64,AQID").GetHashCode());
        Assert.NotEqual<Media>(Image.FromBytes(Bytes, "image/png"), Attachment.FromBytes(Bytes, "image/png"));
        Assert.NotEqual(Document.FromText("a", "x"), Document.FromText("a", "y"));
        Assert.Equal(Document.FromText("a", "x"), Document.FromText("a", "x"));
    }

    [Fact]
    public void ToString_InlineData_ShowsItsSizeOnly()
    {
        Assert.Equal("image (image/png, 3 bytes)", Image.FromBytes(Bytes, "image/png").ToString());
        Assert.Equal("file (file id f1)", Attachment.FromFileId("f1").ToString());
    }

    [Fact]
    public void FromSamples_Sound_IsAWaveFile()
    {
        var audio = Audio.FromSamples([0, 1, -1, 2], 8000);

        Assert.Equal("audio/wav", audio.MediaType);
        Assert.Equal(44 + 8, audio.Data.Length);
        Assert.Equal("RIFF"u8.ToArray(), audio.Data[..4].ToArray());
        Assert.Equal([0, 0, 0xFF, 0x7F, 0x01, 0x80, 0xFF, 0x7F], audio.Data[44..].ToArray());
    }

    private sealed class Answers(byte[] body, string mediaType, HttpStatusCode status = HttpStatusCode.OK) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
            return Task.FromResult(new HttpResponseMessage(status) { Content = content, RequestMessage = request });
        }
    }
}
