using Lucene.Net.Documents;
using Lucene.Net.Index;

namespace Hone.Retrieval;

/// <summary>
/// How a document lies in the index. One set of fields is filled again and again: for every new field Lucene makes a token stream and tables of its attributes, which is
/// more than what it holds. For one thread at a time.
/// </summary>
internal sealed class DocumentFields
{
    public const string Content = "content";
    public const string Id = "id";
    private const string TitleField = "title";
    private const string TextField = "text";

    // No query asks for places of words: without them an index is smaller and faster to make.
    private static readonly Lucene.Net.Documents.FieldType ContentType = new(Lucene.Net.Documents.TextField.TYPE_NOT_STORED) { IndexOptions = IndexOptions.DOCS_AND_FREQS };

    private readonly Lucene.Net.Documents.Document filled;
    private readonly StringField id = new(Id, string.Empty, Field.Store.YES);
    private readonly StoredField title = new(TitleField, string.Empty);
    private readonly StoredField text = new(TextField, string.Empty);
    private readonly Field content = new(Content, string.Empty, ContentType);

    public DocumentFields() => filled = [id, title, text, content];

    /// <summary>The fields of a document, until the next one is asked for.</summary>
    public Lucene.Net.Documents.Document Of(SearchDocument document, string called)
    {
        id.SetStringValue(called);
        title.SetStringValue(document.Title);
        text.SetStringValue(document.Text);
        content.SetStringValue($"{document.Title} | {document.Text}");
        return filled;
    }

    /// <summary>The document of stored fields.</summary>
    public static SearchDocument Read(Lucene.Net.Documents.Document stored) => new(stored.Get(TitleField), stored.Get(TextField), stored.Get(Id));
}
