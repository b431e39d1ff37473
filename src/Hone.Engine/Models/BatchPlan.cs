using System.Runtime.InteropServices;

namespace Hone.Engine;

/// <summary>What the kernels need to know of a batch, in their memory: tokens, positions, targets and the rotary table.</summary>
internal sealed unsafe class BatchPlan(ModelConfig config, IKernels kernels) : IDisposable
{
    private readonly RotaryTable _rotary = RopeFrequencies.TableOf(config);
    private PackedBatch? _batch;
    private FloatBuffer? _numbers, _cosines, _sines;
    private int _positions;

    /// <summary>Token of every row.</summary>
    public int* Tokens => (int*)_numbers!.Pointer;

    /// <summary>Position of every row.</summary>
    public int* Positions => Tokens + Rows;

    /// <summary>Rows that predict something, ascending.</summary>
    public int* TargetRows => Positions + Rows;

    public TokenRows TokenRows => new(Tokens, kernels.IsHost ? null : TargetTokens + Targets, Rows);

    public float* Cosines => kernels.IsHost ? _rotary.Cosines(0) : _cosines!.Pointer;

    public float* Sines => kernels.IsHost ? _rotary.Sines(0) : _sines!.Pointer;

    // Slots and tokens of the targets, ordered by slot.
    private int* TargetSlots => TargetRows + _batch!.TargetRows.Length;

    private int* TargetTokens => TargetSlots + Targets;

    private int Rows => _batch!.RowCount;

    private int Targets => _batch!.Targets.Count;

    public void Bind(PackedBatch batch)
    {
        _batch = batch;
        int[] all =
        [
            .. batch.Tokens, .. batch.Positions, .. batch.TargetRows, .. batch.TargetOrder.Select(index => batch.TargetSlots[index]),
            .. batch.TargetOrder.Select(index => batch.Targets[index].Token), .. kernels.IsHost ? [] : OrderByToken(batch.Tokens),
        ];
        if (_numbers is null || _numbers.Capacity < all.Length)
        {
            _numbers?.Dispose();
            _numbers = kernels.Allocate(all.Length + all.Length / 4);
        }

        kernels.CopyIn(MemoryMarshal.Cast<int, float>(all), _numbers.Pointer);
        if (batch.RowCount > 0) EnsureRotary(batch.Positions.Max() + 1);
    }

    /// <summary>The targets of rows [from, to) of <see cref="TargetRows"/>, and how many come before them.</summary>
    public (int Start, TargetList Targets) TargetsOf(int from, int to)
    {
        var (start, end) = (CountBelow(from), CountBelow(to));
        return (start, new TargetList(TargetSlots + start, TargetTokens + start, end - start, from));
    }

    public void Dispose()
    {
        _rotary.Dispose();
        _numbers?.Dispose();
        _cosines?.Dispose();
        _sines?.Dispose();
    }

    private static int[] OrderByToken(int[] tokens)
    {
        var order = new int[tokens.Length];
        for (var row = 0; row < order.Length; row++) order[row] = row;
        Array.Sort(order, (left, right) => (tokens[left], left).CompareTo((tokens[right], right)));
        return order;
    }

    private void EnsureRotary(int positions)
    {
        _rotary.Ensure(positions);
        if (kernels.IsHost || _positions == _rotary.Positions) return;
        _positions = _rotary.Positions;
        var length = _positions * _rotary.Half;
        _cosines?.Dispose();
        _sines?.Dispose();
        (_cosines, _sines) = (kernels.Allocate(length), kernels.Allocate(length));
        kernels.CopyIn(new ReadOnlySpan<float>(_rotary.Cosines(0), length), _cosines.Pointer);
        kernels.CopyIn(new ReadOnlySpan<float>(_rotary.Sines(0), length), _sines.Pointer);
    }

    // Number of targets whose slot is below; their order is by slot.
    private int CountBelow(int slot)
    {
        var (low, high) = (0, Targets);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_batch!.TargetSlots[_batch.TargetOrder[middle]] < slot) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
