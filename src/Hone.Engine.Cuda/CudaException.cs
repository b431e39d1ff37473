namespace Hone.Engine.Cuda;

/// <summary>The GPU, its driver or a library of CUDA is missing or failed; the message says which and what to do.</summary>
public sealed class CudaException : HoneException
{
    /// <summary>Creates the error.</summary>
    public CudaException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
