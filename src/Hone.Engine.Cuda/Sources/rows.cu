// Operations on the rows of a microbatch. Matrices are row-major float32; sums are made in a fixed order, so that results repeat.

typedef long long wide;

#define WARP 32
#define THREADS 256

__device__ __forceinline__ float warp_sum(float value)
{
    for (int mask = WARP / 2; mask > 0; mask /= 2) value += __shfl_xor_sync(0xffffffffu, value, mask);
    return value;
}

__device__ __forceinline__ float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

// A block per row, as wherever below a row is blockIdx.x.
extern "C" __global__ void copy_rows(int columns, const float* source, wide sourceStride, float* target, wide targetStride)
{
    source += blockIdx.x * sourceStride;
    target += blockIdx.x * targetStride;
    for (int i = threadIdx.x; i < columns; i += THREADS) target[i] = source[i];
}

extern "C" __global__ void add(float* target, const float* source, wide length)
{
    for (wide i = (wide)blockIdx.x * blockDim.x + threadIdx.x; i < length; i += (wide)gridDim.x * blockDim.x) target[i] += source[i];
}

// bfloat16, rounded to nearest even: dense [rows, columns] from rows a stride apart.
extern "C" __global__ void to_bfloat16(int columns, const float* source, wide stride, unsigned short* target)
{
    source += blockIdx.x * stride;
    target += (wide)blockIdx.x * columns;
    for (int i = threadIdx.x; i < columns; i += THREADS)
    {
        float value = source[i];
        unsigned int bits = __float_as_uint(value);
        target[i] = value != value ? 0x7fc0 : (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
    }
}

// Blocks of 32 × 8 threads; partial sums [splits, columns].
__device__ __forceinline__ void write_partial(float sum, int column, int columns, float* partial)
{
    __shared__ float sums[8][WARP + 1];
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && column < columns)
    {
        float total = 0.0f;
        for (int i = 0; i < 8; i++) total += sums[i][threadIdx.x];
        partial[(wide)blockIdx.y * columns + column] = total;
    }
}

extern "C" __global__ void column_sums(int rows, int columns, const float* source, wide stride, float* partial)
{
    int column = blockIdx.x * WARP + threadIdx.x;
    float sum = 0.0f;
    if (column < columns)
        for (int row = blockIdx.y * 8 + threadIdx.y; row < rows; row += gridDim.y * 8) sum += source[row * stride + column];
    write_partial(sum, column, columns, partial);
}

extern "C" __global__ void add_partials(int splits, int columns, const float* partial, float* target)
{
    int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    float sum = 0.0f;
    for (int split = 0; split < splits; split++) sum += partial[(wide)split * columns + column];
    target[column] += sum;
}

// A warp per vector.
extern "C" __global__ void rms_norm(
    int rows, int groups, int width, wide xStride, wide yStride, int inverseStride, const int* index, const float* x, const float* weight, float* y,
    float* inverses, float epsilon)
{
    int vector = blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    if (vector >= rows * groups) return;
    int row = vector / groups, group = vector % groups;
    const float* from = x + (index ? index[row] : row) * xStride + (wide)group * width;
    float* to = y + row * yStride + (wide)group * width;
    float sum = 0.0f;
    for (int i = lane; i < width; i += WARP) sum += from[i] * from[i];
    float inverse = 1.0f / sqrtf(warp_sum(sum) / width + epsilon);
    for (int i = lane; i < width; i += WARP) to[i] = from[i] * inverse * weight[i];
    if (lane == 0) inverses[(wide)row * inverseStride + group] = inverse;
}

extern "C" __global__ void rms_norm_backward(
    int rows, int groups, int width, wide xStride, wide yStride, int inverseStride, const int* index, const float* dy, const float* x,
    const float* weight, const float* inverses, float* dx, int accumulate)
{
    int vector = blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    if (vector >= rows * groups) return;
    int row = vector / groups, group = vector % groups, at = index ? index[row] : row;
    const float* gradient = dy + row * yStride + (wide)group * width;
    const float* from = x + at * xStride + (wide)group * width;
    float* to = dx + at * yStride + (wide)group * width;
    float inverse = inverses[(wide)row * inverseStride + group], sum = 0.0f;
    for (int i = lane; i < width; i += WARP) sum += gradient[i] * from[i] * weight[i];
    float projection = -warp_sum(sum) * inverse * inverse * inverse / width;
    for (int i = lane; i < width; i += WARP)
    {
        float value = gradient[i] * weight[i] * inverse + projection * from[i];
        to[i] = accumulate ? to[i] + value : value;
    }
}

// Partial sums over all vectors of dy · x · s. Blocks of 32 × 8 threads.
extern "C" __global__ void rms_norm_weight_sums(
    int rows, int groups, int width, wide xStride, wide yStride, int inverseStride, const int* index, const float* dy, const float* x,
    const float* inverses, float* partial)
{
    int column = blockIdx.x * WARP + threadIdx.x;
    float sum = 0.0f;
    if (column < width)
    {
        for (int vector = blockIdx.y * 8 + threadIdx.y; vector < rows * groups; vector += gridDim.y * 8)
        {
            int row = vector / groups, group = vector % groups;
            wide at = (wide)group * width + column;
            sum += dy[row * yStride + at] * x[(index ? index[row] : row) * xStride + at] * inverses[(wide)row * inverseStride + group];
        }
    }

    write_partial(sum, column, width, partial);
}

// (a, b) → (a cos − b sin, b cos + a sin) on halves of heads.
extern "C" __global__ void rotate(
    int heads, int width, float* x, wide stride, const int* positions, const float* cosines, const float* sines, float direction)
{
    int half = width / 2;
    wide entry = (wide)positions[blockIdx.x] * half;
    x += blockIdx.x * stride;
    for (int i = threadIdx.x; i < heads * half; i += THREADS)
    {
        int pair = i % half;
        float* first = x + i / half * width + pair;
        float a = first[0], b = first[half], cosine = cosines[entry + pair], sine = direction * sines[entry + pair];
        first[0] = a * cosine - b * sine;
        first[half] = b * cosine + a * sine;
    }
}

extern "C" __global__ void swiglu(int width, const float* gateUp, float* y)
{
    gateUp += (wide)blockIdx.x * 2 * width;
    y += (wide)blockIdx.x * width;
    for (int i = threadIdx.x; i < width; i += THREADS) y[i] = gateUp[i] * sigmoid(gateUp[i]) * gateUp[i + width];
}

extern "C" __global__ void swiglu_backward(int width, const float* gateUp, const float* dy, float* dGateUp)
{
    gateUp += (wide)blockIdx.x * 2 * width;
    dGateUp += (wide)blockIdx.x * 2 * width;
    dy += (wide)blockIdx.x * width;
    for (int i = threadIdx.x; i < width; i += THREADS)
    {
        float gate = gateUp[i], up = gateUp[i + width], gradient = dy[i], s = sigmoid(gate);
        dGateUp[i] = gradient * up * s * (1.0f + gate * (1.0f - s));
        dGateUp[i + width] = gradient * gate * s;
    }
}

extern "C" __global__ void gather(int width, const float* table, const int* tokens, float* target)
{
    table += (wide)tokens[blockIdx.x] * width;
    target += (wide)blockIdx.x * width;
    for (int i = threadIdx.x; i < width; i += THREADS) target[i] = table[i];
}

// A block per place in the order; the first of a token's adds all of its rows.
extern "C" __global__ void add_to_table(int count, int width, const int* tokens, const int* order, const float* source, float* table)
{
    int first = blockIdx.x, token = tokens[order[first]];
    if (first > 0 && tokens[order[first - 1]] == token) return;
    for (int column = threadIdx.x; column < width; column += blockDim.x)
    {
        float sum = table[(wide)token * width + column];
        for (int i = first; i < count && tokens[order[i]] == token; i++) sum += source[(wide)order[i] * width + column];
        table[(wide)token * width + column] = sum;
    }
}
