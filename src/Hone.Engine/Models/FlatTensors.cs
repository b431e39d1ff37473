namespace Hone.Engine;

/// <summary>One named tensor inside a flat buffer.</summary>
/// <param name="Name">Hugging Face (or PEFT) name.</param>
/// <param name="Offset">First element, in floats from the buffer's start.</param>
/// <param name="Shape">One dimension (bias, norm) or two, [rows, columns], row-major.</param>
/// <param name="Decays">Whether weight decay applies: matrices yes, biases and norms no.</param>
internal sealed record ParameterTensor(string Name, int Offset, int[] Shape, bool Decays)
{
    public int Rows => Shape.Length == 1 ? 1 : Shape[0];

    public int Columns => Shape[^1];

    public int Length => Rows * Columns;
}

/// <summary>Named tensors, one after another without gaps in one float32 buffer. The order is fixed by whoever built it.</summary>
internal abstract class FlatTensors : IDisposable
{
    private readonly Dictionary<string, ParameterTensor> _byName;

    private protected FlatTensors(IReadOnlyList<ParameterTensor> tensors)
    {
        Tensors = tensors;
        _byName = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        Buffer = new NativeBuffer(tensors.Count == 0 ? 0 : tensors[^1].Offset + (long)tensors[^1].Length);
    }

    public IReadOnlyList<ParameterTensor> Tensors { get; }

    /// <summary>All values; its length is the number of parameters.</summary>
    public Span<float> Values => Buffer.Span;

    internal NativeBuffer Buffer { get; }

    public ParameterTensor? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public ParameterTensor Tensor(string name) => Find(name)
        ?? throw new KeyNotFoundException($"There is no tensor '{name}' among {Tensors.Count} tensors ('{Tensors[0].Name}' … '{Tensors[^1].Name}').");

    /// <summary>The values of a tensor, row-major.</summary>
    public Span<float> Get(string name) => Slice(Tensor(name));

    public Span<float> Slice(ParameterTensor tensor) => Values.Slice(tensor.Offset, tensor.Length);

    public void Dispose() => Buffer.Dispose();

    internal unsafe float* Pointer(string name) => Buffer.Pointer + Tensor(name).Offset;

    /// <summary>Lays tensors out one after another.</summary>
    private protected sealed class Layout
    {
        private readonly List<ParameterTensor> _tensors = [];
        private long _offset;

        public IReadOnlyList<ParameterTensor> Tensors => _tensors;

        public void Add(string name, params int[] shape)
        {
            var length = shape.Aggregate(1L, (product, size) => product * size);
            if (_offset + length > int.MaxValue - NativeBuffer.Slack)
                throw new NotSupportedException(
                    $"The model has more than {int.MaxValue} parameters at tensor '{name}'; the engine holds at most that many.");
            _tensors.Add(new ParameterTensor(name, (int)_offset, shape, shape.Length > 1));
            _offset += length;
        }
    }
}
