namespace Hone.Engine;

/// <summary>A tensor as a checkpoint stores it. The bytes are those of a mapped file.</summary>
internal sealed unsafe class StoredTensor(string name, WeightFormat format, int[] shape, byte* data)
{
    public string Name { get; } = name;

    public WeightFormat Format { get; } = format;

    /// <summary>The values as rows; a vector is one row.</summary>
    public StoredRows Rows => new(data, Format, shape.Length == 1 ? 1 : shape[0], shape[^1]);
}

/// <summary>
/// The weights of a checkpoint, left where they are: files mapped into memory, in their own number format. Beside them the panels for the matrix
/// kernels, made on first use in bfloat16 where the file has that, and shared by all that read them: samplers, trainers of adapters, references.
/// Counted: every <see cref="Retain"/> needs a <see cref="Dispose"/> of its own.
/// </summary>
internal sealed unsafe class FrozenWeights : IDisposable
{
    private readonly Dictionary<string, StoredTensor> _tensors;
    private readonly IReadOnlyList<IDisposable> _files;
    private readonly Dictionary<string, NativeBuffer> _copies = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private PackedWeights? _packed;
    private int _users = 1;

    /// <param name="config">The model.</param>
    /// <param name="tensors">All its tensors, by name and with the shapes that it needs.</param>
    /// <param name="files">What keeps their bytes in place; disposed with the weights.</param>
    public FrozenWeights(ModelConfig config, IEnumerable<StoredTensor> tensors, IReadOnlyList<IDisposable> files)
    {
        (Config, _files) = (config, files);
        _tensors = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        Format = _tensors[ParameterNames.Embedding].Format;
        PanelFormat = Matrices().All(tensor => tensor.Format == WeightFormat.BFloat16) ? PanelFormat.PairedHalves : PanelFormat.Single;
    }

    public ModelConfig Config { get; }

    /// <summary>Number format of the embedding, and as a rule of the rest.</summary>
    public WeightFormat Format { get; }

    /// <summary>How the matrices are held for the kernels: without loss.</summary>
    public PanelFormat PanelFormat { get; }

    /// <summary>The panels for the kernels of this machine.</summary>
    public PackedWeights Packed
    {
        get
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_users == 0, this);
                if (_packed is not null) return _packed;
                var packed = new PackedWeights(Config, VectorKernels.Best, PanelFormat, keepEmbedding: false);
                packed.Pack(this);
                return _packed = packed;
            }
        }
    }

    /// <summary>The same weights, for one more user.</summary>
    public FrozenWeights Retain()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_users == 0, this);
            _users++;
        }

        return this;
    }

    /// <summary>A tensor as it is stored.</summary>
    public StoredRows Rows(string name) => _tensors[name].Rows;

    /// <summary>
    /// The matrices of these names as right operands of dY · W: as they are stored, or a copy where kernels cannot read that (half precision, rows that
    /// do not fill whole panels).
    /// </summary>
    public StoredRows[] Readable(ReadOnlySpan<string> names)
    {
        var parts = new StoredRows[names.Length];
        lock (_lock)
        {
            for (var i = 0; i < names.Length; i++) parts[i] = Readable(names[i]);
        }

        return parts;
    }

    /// <summary>Copies rows of the embedding [rows, d].</summary>
    public void Gather(int rows, int* tokens, float* target)
    {
        var table = Rows(ParameterNames.Embedding);
        for (var row = 0; row < rows; row++, target += table.Columns) table.Read(tokens[row], target);
    }

    /// <summary>Reads a tensor as float32.</summary>
    public void Read(string name, Span<float> target) => StoredRows.Convert(Rows(name).Data, _tensors[name].Format, target);

    /// <summary>All weights in float32, to be changed.</summary>
    public ParameterSet Expand()
    {
        var weights = new ParameterSet(Config);
        foreach (var tensor in weights.Tensors) Read(tensor.Name, weights.Slice(tensor));
        return weights;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_users == 0 || --_users > 0) return;
        }

        _packed?.Dispose();
        foreach (var copy in _copies.Values) copy.Dispose();
        foreach (var file in _files) file.Dispose();
    }

    private IEnumerable<StoredTensor> Matrices() =>
        ParameterSet.Describe(Config).Where(tensor => tensor.Shape.Length == 2).Select(tensor => _tensors[tensor.Name]);

    private StoredRows Readable(string name)
    {
        const int WidestPanel = 32;
        var rows = Rows(name);
        var isHalf = PanelFormat != PanelFormat.Single;
        if (rows.Format != WeightFormat.Float16 && rows.Columns % WidestPanel == 0 && isHalf == (rows.Format == WeightFormat.BFloat16)) return rows;
        var length = (long)rows.Rows * rows.Columns;
        if (!_copies.TryGetValue(name, out var copy))
        {
            copy = new NativeBuffer(isHalf ? (length + 1) / 2 : length);
            if (isHalf) Buffer.MemoryCopy(rows.Data, copy.Pointer, length * sizeof(ushort), length * sizeof(ushort));
            else StoredRows.Convert(rows.Data, rows.Format, copy.Span);
            _copies[name] = copy;
        }

        return new StoredRows((byte*)copy.Pointer, isHalf ? WeightFormat.BFloat16 : WeightFormat.Float32, rows.Rows, rows.Columns);
    }
}
