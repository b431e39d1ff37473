// Softmax over logits [rows, width], a block of 256 threads per row; the optimizer.

typedef long long wide;

#define WARP 32
#define THREADS 256

// The same sum, or maximum, in every thread of the block.
__device__ float block_sum(float value)
{
    __shared__ float sums[THREADS];
    __syncthreads();
    sums[threadIdx.x] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2)
    {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }

    return sums[0];
}

__device__ float block_maximum(float value)
{
    __shared__ float values[THREADS];
    __syncthreads();
    values[threadIdx.x] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2)
    {
        if (threadIdx.x < half) values[threadIdx.x] = fmaxf(values[threadIdx.x], values[threadIdx.x + half]);
        __syncthreads();
    }

    return values[0];
}

extern "C" __global__ void softmax_statistics(int width, const float* logits, float scale, float* logSums, float* entropies)
{
    const float* row = logits + (wide)blockIdx.x * width;
    float maximum = row[0] * scale;
    for (int i = threadIdx.x; i < width; i += THREADS) maximum = fmaxf(maximum, row[i] * scale);
    maximum = block_maximum(maximum);
    float sum = 0.0f, weighted = 0.0f;
    for (int i = threadIdx.x; i < width; i += THREADS)
    {
        float z = row[i] * scale - maximum, e = expf(z);
        sum += e;
        weighted += e * z;
    }

    sum = block_sum(sum);
    weighted = block_sum(weighted);
    if (threadIdx.x == 0)
    {
        logSums[blockIdx.x] = maximum + logf(sum);
        entropies[blockIdx.x] = logf(sum) - weighted / sum;
    }
}

extern "C" __global__ void pick_log_probs(
    int count, const int* rows, const int* tokens, int firstRow, int width, const float* logits, float scale, const float* logSums, float* logProbs)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    int row = rows[i] - firstRow;
    logProbs[i] = logits[(wide)row * width + tokens[i]] * scale - logSums[row];
}

extern "C" __global__ void softmax_gradient(int width, float* logits, float scale, const float* logSums, const float* weights)
{
    float* row = logits + (wide)blockIdx.x * width;
    float logSum = logSums[blockIdx.x], factor = -weights[blockIdx.x] * scale;
    for (int i = threadIdx.x; i < width; i += THREADS) row[i] = factor * expf(row[i] * scale - logSum);
}

// Targets are ordered by row; the first of a row's adds all of them.
extern "C" __global__ void add_at_targets(
    int count, const int* rows, const int* tokens, int firstRow, int width, float* logits, float scale, const float* values)
{
    int first = blockIdx.x * blockDim.x + threadIdx.x;
    if (first >= count || (first > 0 && rows[first - 1] == rows[first])) return;
    float* row = logits + (wide)(rows[first] - firstRow) * width;
    for (int i = first; i < count && rows[i] == rows[first]; i++) row[tokens[i]] += values[i] * scale;
}

extern "C" __global__ void sum_of_squares(const float* values, wide length, double* partial)
{
    __shared__ double sums[THREADS];
    double sum = 0.0;
    for (wide i = (wide)blockIdx.x * THREADS + threadIdx.x; i < length; i += (wide)gridDim.x * THREADS) sum += (double)values[i] * values[i];
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2)
    {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }

    if (threadIdx.x == 0) partial[blockIdx.x] = sums[0];
}

extern "C" __global__ void adamw(
    float* weights, const float* gradients, float* firstMoments, float* secondMoments, wide length, float rate, float beta1, float beta2,
    float epsilon, float keep, float gradientScale, float correction2)
{
    for (wide i = (wide)blockIdx.x * blockDim.x + threadIdx.x; i < length; i += (wide)gridDim.x * blockDim.x)
    {
        float g = gradients[i] * gradientScale;
        float m = firstMoments[i] * beta1 + g * (1.0f - beta1);
        float v = secondMoments[i] * beta2 + g * g * (1.0f - beta2);
        firstMoments[i] = m;
        secondMoments[i] = v;
        weights[i] = weights[i] * keep - m * rate / (sqrtf(v * correction2) + epsilon);
    }
}
