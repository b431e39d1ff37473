using CsCheck;

namespace Hone.Engine.Tests.Kernels;

public sealed unsafe class GemmTests
{
    public static TheoryData<string> Sets => [.. VectorKernels.Supported.Select(kernels => kernels.Name)];

    private static VectorKernels Find(string name) => VectorKernels.Supported.Single(kernels => kernels.Name == name);

    [Theory]
    [MemberData(nameof(Sets))]
    public void Multiply_AnyShape_EqualsDoubleReference(string set)
    {
        var kernels = Find(set);
        var shapes = Gen.Select(Gen.Int[1, 40], Gen.Int[1, 150], Gen.Int[1, 70], Gen.Int[0, 2], Gen.Int[0, 1_000_000]);
        shapes.Sample(
            (rows, columns, depth, initial, seed) =>
            {
                using var problem = new Problem(kernels, rows, columns, depth, seed);
                Assert.True(problem.WorstForward(initial) < 1e-5);
                Assert.True(problem.WorstTransposedLeft() < 1e-5);
                Assert.True(problem.WorstRowMajorRight() < 1e-5);
            },
            iter: 60, threads: 1);
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Multiply_DepthOfSeveralBlocks_EqualsDoubleReference(string set)
    {
        using var problem = new Problem(Find(set), 101, 37, 700, 5);
        Assert.True(problem.WorstForward(1) < 1e-5);
        Assert.True(problem.WorstTransposedLeft() < 1e-5);
        Assert.True(problem.WorstRowMajorRight() < 1e-5);
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Multiply_RowsInAnyCompany_BitwiseEqual(string set)
    {
        var kernels = Find(set);
        using var whole = new Problem(kernels, 29, 75, 300, 7);
        var expected = whole.Forward(0, 29);
        for (var count = 1; count <= 29; count++)
        {
            for (var first = 0; first + count <= 29; first += 5)
            {
                var part = whole.Forward(first, count);
                Assert.Equal(expected[(first * 75)..((first + count) * 75)], part);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Multiply_RowMajorRightInManyRows_BitwiseEqualToFewRows(string set)
    {
        // Many rows gather the right operand first, in parts of 1,024 columns; few read it in place.
        using var problem = new Problem(Find(set), 230, 270, 1100, 3);
        var expected = Enumerable.Range(0, 5).SelectMany(part => problem.Back(46 * part, 46)).ToArray();
        Assert.Equal(expected, problem.Back(0, 230));
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Multiply_WhatFollowsIsFetched_BitwiseEqual(string set)
    {
        // Whole and ragged panels; the operand that is named lies before and behind this one.
        using var problem = new Problem(Find(set), 13, 141, 70, 11);
        for (var count = 1; count <= 13; count++)
        {
            Assert.Equal(problem.Forward(0, count), problem.Forward(0, count, fetches: true));
            Assert.Equal(problem.Back(0, count), problem.Back(0, count, fetches: true));
        }
    }

    /// <summary>X [rows, depth], W [columns, depth] and what their products should be.</summary>
    private sealed class Problem : IDisposable
    {
        private readonly VectorKernels _kernels;
        private readonly int _rows, _columns, _depth;
        private readonly NativeBuffer _x, _w, _panels, _initial, _y;

        public Problem(VectorKernels kernels, int rows, int columns, int depth, int seed)
        {
            (_kernels, _rows, _columns, _depth) = (kernels, rows, columns, depth);
            var random = new Random(seed);
            NativeBuffer Filled(long length)
            {
                var buffer = new NativeBuffer(length);
                foreach (ref var value in buffer.Span) value = random.NextSingle() - 0.5f;
                return buffer;
            }

            (_x, _w, _initial) = (Filled((long)rows * depth), Filled((long)columns * depth), Filled((long)rows * columns));
            _panels = new NativeBuffer(kernels.PackedLength(columns, depth));
            _y = new NativeBuffer((long)Math.Max(rows, columns) * Math.Max(columns, depth));
            kernels.PackTransposed(_w.Pointer, depth, columns, depth, _panels.Pointer);
        }

        public float[] Forward(int first, int count, bool fetches = false)
        {
            var panels = _kernels.Packed(_panels.Pointer, _depth);
            _kernels.Multiply(
                count, _columns, _depth, new MatrixView(_x.Pointer + first * _depth, _depth), fetches ? panels.Before(_w.Pointer) : panels, _y.Pointer,
                _columns, _initial.Pointer);
            return _y.Span[..(count * _columns)].ToArray();
        }

        /// <summary>1 + Y W with Y = rows of the initial matrix.</summary>
        public float[] Back(int first, int count, bool fetches = false)
        {
            var result = _y.Span[..(count * _depth)];
            result.Fill(1f);
            var right = _kernels.RowMajor(_w.Pointer, _depth);
            _kernels.Multiply(
                count, _depth, _columns, new MatrixView(_initial.Pointer + first * _columns, _columns), fetches ? right.Before(_panels.Pointer) : right,
                _y.Pointer, _depth, _y.Pointer, _depth);
            return result.ToArray();
        }

        /// <summary>Initial value 0, a bias in every row, or another matrix.</summary>
        public double WorstForward(int initial)
        {
            _y.Span.Fill(float.NaN);
            _kernels.Multiply(
                _rows, _columns, _depth, new MatrixView(_x.Pointer, _depth), _kernels.Packed(_panels.Pointer, _depth), _y.Pointer, _columns,
                initial == 0 ? null : _initial.Pointer, initial == 1 ? 0 : _columns);
            return Worst(_rows, _columns, (i, j) =>
            {
                var sum = initial == 0 ? 0.0 : _initial.Span[(initial == 1 ? 0 : i * _columns) + j];
                for (var k = 0; k < _depth; k++) sum += (double)_x.Span[i * _depth + k] * _w.Span[j * _depth + k];
                return sum;
            });
        }

        /// <summary>Yᵀ X with Y = the initial matrix [rows, columns], accumulated: the gradient of a weight.</summary>
        public double WorstTransposedLeft()
        {
            _y.Span.Fill(1f);
            _kernels.Multiply(
                _columns, _depth, _rows, new MatrixView(_initial.Pointer, 1, _columns), _kernels.RowMajor(_x.Pointer, _depth), _y.Pointer, _depth,
                _y.Pointer, _depth);
            return Worst(_columns, _depth, (i, j) =>
            {
                var sum = 1.0;
                for (var k = 0; k < _rows; k++) sum += (double)_initial.Span[k * _columns + i] * _x.Span[k * _depth + j];
                return sum;
            });
        }

        /// <summary>Y W with row-major W: the gradient of an input.</summary>
        public double WorstRowMajorRight()
        {
            _y.Span.Fill(float.NaN);
            _kernels.Multiply(_rows, _depth, _columns, new MatrixView(_initial.Pointer, _columns), _kernels.RowMajor(_w.Pointer, _depth), _y.Pointer,
                _depth);
            return Worst(_rows, _depth, (i, j) =>
            {
                var sum = 0.0;
                for (var k = 0; k < _columns; k++) sum += (double)_initial.Span[i * _columns + k] * _w.Span[k * _depth + j];
                return sum;
            });
        }

        public void Dispose()
        {
            foreach (var buffer in new[] { _x, _w, _panels, _initial, _y }) buffer.Dispose();
        }

        private double Worst(int rows, int columns, Func<int, int, double> expected)
        {
            var worst = 0.0;
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j++)
                {
                    var difference = Math.Abs(expected(i, j) - _y.Span[i * columns + j]);
                    worst = double.IsNaN(difference) ? double.PositiveInfinity : Math.Max(worst, difference);
                }
            }

            return worst;
        }
    }
}
