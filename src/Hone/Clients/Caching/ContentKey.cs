using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What a message's part adds to a request's key.</summary>
internal static class ContentKey
{
    /// <summary>Adds a part; gives the reason when it has no stable form.</summary>
    public static string? Add(ref KeyBuffer buffer, AIContent content)
    {
        var isStable = true;
        switch (content)
        {
            case TextContent text:
                buffer.Tag('t');
                buffer.Text(text.Text);
                break;
            case TextReasoningContent thought:
                buffer.Tag('h');
                buffer.Text(thought.Text);
                buffer.Optional('p', thought.ProtectedData);
                break;
            case DataContent data:
                buffer.Tag('b');
                buffer.Text(data.MediaType);
                buffer.Optional('n', data.Name);
                buffer.Bytes(data.Data.Span);
                break;
            case UriContent uri:
                buffer.Tag('u');
                buffer.Text(uri.MediaType);
                buffer.Text(uri.Uri.OriginalString);
                break;
            case FunctionCallContent call:
                buffer.Tag('c');
                buffer.Text(call.CallId);
                buffer.Text(call.Name);
                isStable = buffer.Value(call.Arguments);
                break;
            case FunctionResultContent result:
                buffer.Tag('r');
                buffer.Text(result.CallId);
                isStable = buffer.Value(result.Result);
                buffer.Optional('e', result.Exception?.Message);
                break;
            case HostedFileContent file:
                buffer.Tag('f');
                buffer.Text(file.FileId);
                break;
            case HostedVectorStoreContent vectors:
                buffer.Tag('v');
                buffer.Text(vectors.VectorStoreId);
                break;
            case ErrorContent error:
                buffer.Tag('e');
                buffer.Optional('c', error.ErrorCode);
                buffer.Optional('m', error.Message);
                buffer.Optional('d', error.Details);
                break;
            case UsageContent:
                return null; // says nothing to the model
            default:
                return $"a message holds {content.GetType().Name}";
        }

        return isStable && RequestKey.AddProperties(ref buffer, content.AdditionalProperties)
            ? null
            : $"a message's {content.GetType().Name} has a value without a stable form";
    }
}
