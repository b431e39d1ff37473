using System.Runtime.InteropServices;

namespace Hone.Engine.Cuda;

/// <summary>Matrix products, column-major as cuBLAS has it.</summary>
internal static unsafe partial class CuBlas
{
    public const int NotTransposed = 0, Transposed = 1;
    public const int Float32 = 0, BFloat16 = 14;
    public const int ComputeFloat32 = 68, ComputeTensorFloat32 = 77;

    private const int DefaultAlgorithm = -1;
    private const string Library = CudaLibraries.CuBlas;

    static CuBlas() => CudaLibraries.Register();

    public static nint Create(nint stream)
    {
        nint handle;
        Check(cublasCreate_v2(&handle), "cublasCreate");
        Check(cublasSetStream_v2(handle, stream), "cublasSetStream");
        return handle;
    }

    public static void Destroy(nint handle) => _ = cublasDestroy_v2(handle);

    /// <summary>C [m, n] = alpha · op(A) · op(B) + beta · C, column-major.</summary>
    public static void Multiply(
        nint handle, int opA, int opB, int m, int n, int k, float alpha, void* a, int type, int lda, void* b, int ldb, float beta, float* c, int ldc,
        int compute) =>
        Check(
            cublasGemmEx(
                handle, opA, opB, m, n, k, &alpha, a, type, lda, b, type, ldb, &beta, c, Float32, ldc, compute, DefaultAlgorithm), "cublasGemmEx");

    private static void Check(int code, string call)
    {
        if (code != 0) throw new CudaException($"cuBLAS: {call} failed with status {code}.");
    }

    [LibraryImport(Library)]
    private static partial int cublasCreate_v2(nint* handle);

    [LibraryImport(Library)]
    private static partial int cublasDestroy_v2(nint handle);

    [LibraryImport(Library)]
    private static partial int cublasSetStream_v2(nint handle, nint stream);

    [LibraryImport(Library)]
    private static partial int cublasGemmEx(
        nint handle, int opA, int opB, int m, int n, int k, void* alpha, void* a, int typeA, int lda, void* b, int typeB, int ldb, void* beta,
        void* c, int typeC, int ldc, int compute, int algorithm);
}
