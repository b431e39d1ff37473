// Causal grouped-query attention over packed prefix trees, after Dao et al. 2022 (algorithms 1 and 4), in float32. Rows of a tree lie in preorder, so
// that row q sees row k when k ≤ q < ends[k], where ends[k] is the end of k's subtree. A block of 16 × 16 threads works on a tile of rows of one head;
// a thread holds the elements (ty + 16 i, tx + 16 j) of every product. Compiled for one HEAD (width of a head) and TILE (rows of a tile, a multiple of
// 16). Sums are made in a fixed order.

typedef long long wide;

#define LD (HEAD % 4 == 0 ? HEAD + 4 : HEAD + 1) // rows of a tile in shared memory: padded, so that threads meet in different banks
#define LP (TILE + 4)
#define PER (TILE / 16)
#define WIDE ((HEAD + 15) / 16)
#define NONE __int_as_float(0xff800000)
#define COLUMN(c) (tx + 16 * (c))
#define HAS_COLUMN(c) (HEAD % 16 == 0 || COLUMN(c) < HEAD)

__device__ __forceinline__ float sum_of_sixteen(float value)
{
    for (int mask = 8; mask > 0; mask /= 2) value += __shfl_xor_sync(0xffffffffu, value, mask);
    return value;
}

__device__ __forceinline__ float maximum_of_sixteen(float value)
{
    for (int mask = 8; mask > 0; mask /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, mask));
    return value;
}

// Rows [first, first + TILE) of a column of heads; zeros past the last.
__device__ __forceinline__ void load_tile(float* tile, const float* source, wide stride, int first, int rows)
{
    for (int i = threadIdx.x; i < TILE * HEAD; i += 256)
    {
        int row = i / HEAD, column = i % HEAD;
        tile[row * LD + column] = first + row < rows ? source[(first + row) * stride + column] : 0.0f;
    }
}

// left · rightᵀ
__device__ __forceinline__ void multiply_transposed(const float* left, const float* right, float (&result)[PER][PER], int tx, int ty)
{
#pragma unroll
    for (int i = 0; i < PER; i++)
#pragma unroll
        for (int j = 0; j < PER; j++) result[i][j] = 0.0f;
#if HEAD % 4 == 0
#pragma unroll 2
    for (int k = 0; k < HEAD; k += 4)
    {
        float4 a[PER], b[PER];
#pragma unroll
        for (int i = 0; i < PER; i++) a[i] = *(const float4*)(left + (ty + 16 * i) * LD + k);
#pragma unroll
        for (int j = 0; j < PER; j++) b[j] = *(const float4*)(right + (tx + 16 * j) * LD + k);
#pragma unroll
        for (int i = 0; i < PER; i++)
#pragma unroll
            for (int j = 0; j < PER; j++)
                result[i][j] += a[i].x * b[j].x + a[i].y * b[j].y + a[i].z * b[j].z + a[i].w * b[j].w;
    }
#else
    for (int k = 0; k < HEAD; k++)
    {
        float a[PER], b[PER];
#pragma unroll
        for (int i = 0; i < PER; i++) a[i] = left[(ty + 16 * i) * LD + k];
#pragma unroll
        for (int j = 0; j < PER; j++) b[j] = right[(tx + 16 * j) * LD + k];
#pragma unroll
        for (int i = 0; i < PER; i++)
#pragma unroll
            for (int j = 0; j < PER; j++) result[i][j] += a[i] * b[j];
    }
#endif
}

// result += left [TILE, TILE] · right [TILE, HEAD]
__device__ __forceinline__ void multiply_add(const float* left, const float* right, float (&result)[PER][WIDE], int tx, int ty)
{
#pragma unroll 2
    for (int k = 0; k < TILE; k += 4)
    {
        float4 a[PER];
#pragma unroll
        for (int i = 0; i < PER; i++) a[i] = *(const float4*)(left + (ty + 16 * i) * LP + k);
#pragma unroll
        for (int c = 0; c < WIDE; c++)
        {
            if (!HAS_COLUMN(c)) continue;
            const float* b = right + k * LD + COLUMN(c);
#pragma unroll
            for (int i = 0; i < PER; i++) result[i][c] += a[i].x * b[0] + a[i].y * b[LD] + a[i].z * b[2 * LD] + a[i].w * b[3 * LD];
        }
    }
}

__device__ __forceinline__ void clear(float (&values)[PER][WIDE])
{
#pragma unroll
    for (int i = 0; i < PER; i++)
#pragma unroll
        for (int c = 0; c < WIDE; c++) values[i][c] = 0.0f;
}

__device__ __forceinline__ void store(const float (&values)[PER][WIDE], float* target, wide stride, int first, int rows, int tx, int ty)
{
#pragma unroll
    for (int i = 0; i < PER; i++)
    {
        int row = first + ty + 16 * i;
        if (row >= rows) continue;
#pragma unroll
        for (int c = 0; c < WIDE; c++)
            if (HAS_COLUMN(c)) target[row * stride + COLUMN(c)] = values[i][c];
    }
}

// roots: first row of the text that a tile's first row belongs to; tileEnds: largest of the tile's ends.
extern "C" __global__ void __launch_bounds__(256) attention_forward(
    const float* fused, float* output, float* logSums, const int* ends, const int* roots, const int* tileEnds, int rows, int heads, int keyHeads,
    float scale)
{
    extern __shared__ __align__(16) float shared[];
    float *q = shared, *kv = q + TILE * LD, *p = kv + TILE * LD;
    int tx = threadIdx.x % 16, ty = threadIdx.x / 16, tile = blockIdx.x, head = blockIdx.y, first = tile * TILE;
    int keyHead = head / (heads / keyHeads);
    wide stride = (wide)(heads + 2 * keyHeads) * HEAD;
    const float* keys = fused + (heads + keyHead) * HEAD;
    const float* values = fused + (heads + keyHeads + keyHead) * HEAD;
    float maxima[PER], sums[PER], s[PER][PER], result[PER][WIDE];
#pragma unroll
    for (int i = 0; i < PER; i++)
    {
        maxima[i] = NONE;
        sums[i] = 0.0f;
    }

    clear(result);
    load_tile(q, fused + head * HEAD, stride, first, rows);
    for (int other = roots[tile] / TILE; other <= tile; other++)
    {
        if (tileEnds[other] <= first) continue;
        __syncthreads();
        load_tile(kv, keys, stride, other * TILE, rows);
        __syncthreads();
        multiply_transposed(q, kv, s, tx, ty);
#pragma unroll
        for (int i = 0; i < PER; i++)
        {
            int row = first + ty + 16 * i;
            float maximum = NONE;
#pragma unroll
            for (int j = 0; j < PER; j++)
            {
                int key = other * TILE + tx + 16 * j;
                bool visible = row < rows && key <= row && ends[key] > row;
                s[i][j] = visible ? s[i][j] * scale : NONE;
                maximum = fmaxf(maximum, s[i][j]);
            }

            maximum = fmaxf(maxima[i], maximum_of_sixteen(maximum));
            float shift = maximum == NONE ? 0.0f : maximum, factor = expf(maxima[i] - shift), sum = 0.0f;
#pragma unroll
            for (int j = 0; j < PER; j++)
            {
                float e = expf(s[i][j] - shift);
                p[(ty + 16 * i) * LP + tx + 16 * j] = e;
                sum += e;
            }

            sums[i] = sums[i] * factor + sum_of_sixteen(sum);
            maxima[i] = maximum;
#pragma unroll
            for (int c = 0; c < WIDE; c++) result[i][c] *= factor;
        }

        __syncthreads();
        load_tile(kv, values, stride, other * TILE, rows);
        __syncthreads();
        multiply_add(p, kv, result, tx, ty);
    }

#pragma unroll
    for (int i = 0; i < PER; i++)
    {
        int row = first + ty + 16 * i;
        float inverse = 1.0f / sums[i];
#pragma unroll
        for (int c = 0; c < WIDE; c++) result[i][c] *= inverse;
        if (row < rows && tx == 0) logSums[(wide)row * heads + head] = maxima[i] + logf(sums[i]);
    }

    store(result, output + head * HEAD, (wide)heads * HEAD, first, rows, tx, ty);
}

// output · gradient of every row and head: a warp each.
extern "C" __global__ void attention_means(int count, const float* output, const float* outputGradient, float* means)
{
    int vector = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (vector >= count) return;
    float sum = 0.0f;
    for (int i = lane; i < HEAD; i += 32) sum += output[(wide)vector * HEAD + i] * outputGradient[(wide)vector * HEAD + i];
    for (int mask = 16; mask > 0; mask /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, mask);
    if (lane == 0) means[vector] = sum;
}

// dQ = dS K with dS = P ∘ (dO Vᵀ − mean) · scale.
extern "C" __global__ void __launch_bounds__(256) attention_backward_queries(
    const float* fused, const float* outputGradient, const float* logSums, const float* means, float* fusedGradient, const int* ends,
    const int* roots, const int* tileEnds, int rows, int heads, int keyHeads, float scale)
{
    extern __shared__ __align__(16) float shared[];
    float *q = shared, *dO = q + TILE * LD, *k = dO + TILE * LD, *v = k + TILE * LD, *p = v + TILE * LD;
    int tx = threadIdx.x % 16, ty = threadIdx.x / 16, tile = blockIdx.x, head = blockIdx.y, first = tile * TILE;
    int keyHead = head / (heads / keyHeads);
    wide stride = (wide)(heads + 2 * keyHeads) * HEAD;
    float s[PER][PER], g[PER][PER], result[PER][WIDE], logSum[PER], mean[PER];
#pragma unroll
    for (int i = 0; i < PER; i++)
    {
        int row = first + ty + 16 * i;
        logSum[i] = row < rows ? logSums[(wide)row * heads + head] : 0.0f;
        mean[i] = row < rows ? means[(wide)row * heads + head] : 0.0f;
    }

    clear(result);
    load_tile(q, fused + head * HEAD, stride, first, rows);
    load_tile(dO, outputGradient + head * HEAD, (wide)heads * HEAD, first, rows);
    for (int other = roots[tile] / TILE; other <= tile; other++)
    {
        if (tileEnds[other] <= first) continue;
        __syncthreads();
        load_tile(k, fused + (heads + keyHead) * HEAD, stride, other * TILE, rows);
        load_tile(v, fused + (heads + keyHeads + keyHead) * HEAD, stride, other * TILE, rows);
        __syncthreads();
        multiply_transposed(q, k, s, tx, ty);
        multiply_transposed(dO, v, g, tx, ty);
#pragma unroll
        for (int i = 0; i < PER; i++)
        {
            int row = first + ty + 16 * i;
#pragma unroll
            for (int j = 0; j < PER; j++)
            {
                int key = other * TILE + tx + 16 * j;
                bool visible = row < rows && key <= row && ends[key] > row;
                p[(ty + 16 * i) * LP + tx + 16 * j] = visible ? expf(s[i][j] * scale - logSum[i]) * (g[i][j] - mean[i]) * scale : 0.0f;
            }
        }

        __syncthreads();
        multiply_add(p, k, result, tx, ty);
    }

    store(result, fusedGradient + head * HEAD, stride, first, rows, tx, ty);
}

// dV = Pᵀ dO and dK = dSᵀ Q, over all query heads of the group and all rows that see the tile.
extern "C" __global__ void __launch_bounds__(256) attention_backward_keys(
    const float* fused, const float* outputGradient, const float* logSums, const float* means, float* fusedGradient, const int* ends,
    const int* tileEnds, int rows, int heads, int keyHeads, float scale)
{
    extern __shared__ __align__(16) float shared[];
    float *k = shared, *v = k + TILE * LD, *q = v + TILE * LD, *dO = q + TILE * LD, *p = dO + TILE * LD;
    int tx = threadIdx.x % 16, ty = threadIdx.x / 16, tile = blockIdx.x, keyHead = blockIdx.y, first = tile * TILE;
    int group = heads / keyHeads;
    wide stride = (wide)(heads + 2 * keyHeads) * HEAD;
    float s[PER][PER], g[PER][PER], ofKeys[PER][WIDE], ofValues[PER][WIDE];
    int end[PER];
#pragma unroll
    for (int i = 0; i < PER; i++) end[i] = first + ty + 16 * i < rows ? ends[first + ty + 16 * i] : 0;
    clear(ofKeys);
    clear(ofValues);
    load_tile(k, fused + (heads + keyHead) * HEAD, stride, first, rows);
    load_tile(v, fused + (heads + keyHeads + keyHead) * HEAD, stride, first, rows);
    for (int head = keyHead * group; head < (keyHead + 1) * group; head++)
    {
        for (int other = tile; other * TILE < tileEnds[tile]; other++)
        {
            __syncthreads();
            load_tile(q, fused + head * HEAD, stride, other * TILE, rows);
            load_tile(dO, outputGradient + head * HEAD, (wide)heads * HEAD, other * TILE, rows);
            __syncthreads();
            multiply_transposed(k, q, s, tx, ty);
            multiply_transposed(v, dO, g, tx, ty);
#pragma unroll
            for (int j = 0; j < PER; j++)
            {
                int row = other * TILE + tx + 16 * j;
                float logSum = row < rows ? logSums[(wide)row * heads + head] : 0.0f;
                float mean = row < rows ? means[(wide)row * heads + head] : 0.0f;
#pragma unroll
                for (int i = 0; i < PER; i++)
                {
                    bool visible = first + ty + 16 * i <= row && row < end[i];
                    float probability = visible ? expf(s[i][j] * scale - logSum) : 0.0f;
                    p[(ty + 16 * i) * LP + tx + 16 * j] = probability;
                    g[i][j] = probability * (g[i][j] - mean) * scale;
                }
            }

            __syncthreads();
            multiply_add(p, dO, ofValues, tx, ty);
            __syncthreads();
#pragma unroll
            for (int i = 0; i < PER; i++)
#pragma unroll
                for (int j = 0; j < PER; j++) p[(ty + 16 * i) * LP + tx + 16 * j] = g[i][j];
            __syncthreads();
            multiply_add(p, q, ofKeys, tx, ty);
        }
    }

    store(ofKeys, fusedGradient + (heads + keyHead) * HEAD, stride, first, rows, tx, ty);
    store(ofValues, fusedGradient + (heads + keyHeads + keyHead) * HEAD, stride, first, rows, tx, ty);
}

// A page of keys and values of a text's past; see the kernels' interface for the layout.
struct Page
{
    wide address;
    int position, count;
};

#define PAGE_WARPS 4
#define SLICES ((HEAD + 31) / 32)
#define HAS_LANE(s) (HEAD % 32 == 0 || lane + 32 * (s) < HEAD)

// A block per row.
extern "C" __global__ void store_in_pages(const float* fused, const Page* places, int layer, int heads, int keyHeads, int blockPositions)
{
    Page place = places[blockIdx.x];
    const float* source = fused + ((wide)blockIdx.x * (heads + 2 * keyHeads) + heads) * HEAD;
    for (int i = threadIdx.x; i < keyHeads * HEAD; i += blockDim.x)
    {
        float* keys = (float*)place.address + ((wide)layer * keyHeads + i / HEAD) * 2 * blockPositions * HEAD + place.position * HEAD + i % HEAD;
        keys[0] = source[i];
        keys[blockPositions * HEAD] = source[keyHeads * HEAD + i];
    }
}

// A block of four warps per row (x) and query head (y). Each warp takes every fourth position, with a softmax of its own; they are joined at the end.
extern "C" __global__ void __launch_bounds__(128) attend_to_pages(
    const float* fused, float* output, const int* positions, const int* firstPages, const int* pageCounts, const Page* pages, int layer, int heads,
    int keyHeads, int blockPositions, float scale)
{
    __shared__ float parts[PAGE_WARPS][HEAD + 2];
    int row = blockIdx.x, head = blockIdx.y, warp = threadIdx.x / 32, lane = threadIdx.x % 32, end = positions[row] + 1;
    const float* from = fused + ((wide)row * (heads + 2 * keyHeads) + head) * HEAD;
    wide offset = ((wide)layer * keyHeads + head / (heads / keyHeads)) * 2 * blockPositions * HEAD;
    float query[SLICES], result[SLICES], maximum = NONE, sum = 0.0f;
#pragma unroll
    for (int s = 0; s < SLICES; s++)
    {
        query[s] = HAS_LANE(s) ? from[lane + 32 * s] * scale : 0.0f;
        result[s] = 0.0f;
    }

    const Page* page = pages + firstPages[row];
    for (int i = 0; i < pageCounts[row]; i++, page++)
    {
        const float* keys = (const float*)page->address + offset;
        const float* values = keys + blockPositions * HEAD;
        int count = page->count < end - page->position ? page->count : end - page->position;
        for (int k = warp; k < count; k += PAGE_WARPS)
        {
            float score = 0.0f;
#pragma unroll
            for (int s = 0; s < SLICES; s++)
                if (HAS_LANE(s)) score += query[s] * keys[k * HEAD + lane + 32 * s];
            for (int mask = 16; mask > 0; mask /= 2) score += __shfl_xor_sync(0xffffffffu, score, mask);
            float above = fmaxf(maximum, score), factor = expf(maximum - above), weight = expf(score - above);
            maximum = above;
            sum = sum * factor + weight;
#pragma unroll
            for (int s = 0; s < SLICES; s++)
                if (HAS_LANE(s)) result[s] = result[s] * factor + weight * values[k * HEAD + lane + 32 * s];
        }
    }

#pragma unroll
    for (int s = 0; s < SLICES; s++)
        if (HAS_LANE(s)) parts[warp][lane + 32 * s] = result[s];
    if (lane == 0)
    {
        parts[warp][HEAD] = maximum;
        parts[warp][HEAD + 1] = sum;
    }

    __syncthreads();
    float top = parts[0][HEAD], total = 0.0f;
    for (int w = 1; w < PAGE_WARPS; w++) top = fmaxf(top, parts[w][HEAD]);
    for (int w = 0; w < PAGE_WARPS; w++) total += parts[w][HEAD + 1] * expf(parts[w][HEAD] - top);
    for (int i = threadIdx.x; i < HEAD; i += blockDim.x)
    {
        float value = 0.0f;
        for (int w = 0; w < PAGE_WARPS; w++) value += parts[w][i] * expf(parts[w][HEAD] - top);
        output[((wide)row * heads + head) * HEAD + i] = value / total;
    }
}
