namespace Hone;

/// <summary>Carries the path of a misfit up to the public surface; never leaves the assembly.</summary>
internal sealed class PathException(string message) : Exception(message)
{
    public string Path { get; set; } = string.Empty;

    /// <summary>Reads a part; a misfit inside it is reported under the part's path.</summary>
    public static object? Within(string segment, Func<object?, object?> read, object? value)
    {
        try
        {
            return read(value);
        }
        catch (PathException exception)
        {
            exception.Path = segment + exception.Path;
            throw;
        }
    }
}
