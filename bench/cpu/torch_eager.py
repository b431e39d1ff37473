"""Decoding and training of PyTorch (libtorch, eager) beside `--only eager`: the same shapes, batches and optimizer.

    python3 bench/cpu/torch_eager.py [1m,5m,15m] [cores]

On one core by processor time, so that other work counts little; on several by the clock, which wants a quiet machine. The best of several repetitions.
Works from PyTorch 1.13 on.
"""
import os
import sys
import time

CORES = int(sys.argv[2]) if len(sys.argv) > 2 else 1
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(CORES)

import torch
import torch.nn.functional as F
from torch import nn

PROMPT, NEW, LENGTH = 150, 60, 224
# vocabulary, width, layers, heads, key/value heads, width of a head, feed-forward; sequences of a training step
SHAPES = {
    "1m": ((1024, 128, 4, 4, 2, 32, 384), 16),
    "5m": ((2048, 256, 6, 4, 2, 64, 768), 16),
    "15m": ((4096, 384, 8, 6, 2, 64, 1152), 16),
}
BATCHES = (1, 8, 32, 64)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * self.weight


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Layer(nn.Module):
    def __init__(self, width, heads, kv, head, inner):
        super().__init__()
        self.heads, self.kv, self.head = heads, kv, head
        self.norm1, self.norm2 = Norm(width), Norm(width)
        self.qkv = nn.Linear(width, (heads + 2 * kv) * head)
        self.out = nn.Linear(heads * head, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def project(self, x, cos, sin):
        b, t, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, -1, self.head).transpose(1, 2).split([self.heads, self.kv, self.kv], dim=1)
        return rotate(q, cos, sin), rotate(k, cos, sin), v

    def finish(self, x, y):
        x = x + self.out(y)
        gate, up = self.gate_up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)

    def forward(self, x, cos, sin, mask):
        b, t, _ = x.shape
        q, k, v = self.project(x, cos, sin)
        q = q.reshape(b, self.kv, -1, self.head)  # Heads of a group one below the other.
        scores = q @ k.transpose(2, 3) * self.head ** -0.5 + mask
        y = scores.softmax(-1) @ v
        return self.finish(x, y.view(b, self.heads, t, self.head).transpose(1, 2).reshape(b, t, -1))

    def step(self, x, cos, sin, keys, values, position):
        b = x.shape[0]
        q, k, v = self.project(x, cos, sin)
        keys[:, :, position], values[:, :, position] = k[:, :, 0], v[:, :, 0]
        q = q.reshape(b, self.kv, -1, self.head)
        scores = q @ keys[:, :, : position + 1].transpose(2, 3) * self.head ** -0.5
        y = scores.softmax(-1) @ values[:, :, : position + 1]
        return self.finish(x, y.reshape(b, 1, -1))


class Model(nn.Module):
    def __init__(self, vocabulary, width, layers, heads, kv, head, inner):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.layers = nn.ModuleList(Layer(width, heads, kv, head, inner) for _ in range(layers))
        self.norm = Norm(width)
        angles = torch.outer(torch.arange(LENGTH), 10000.0 ** (-torch.arange(0, head, 2) / head))
        self.cos, self.sin = angles.cos(), angles.sin()
        self.mask = torch.full((LENGTH, LENGTH), float("-inf")).triu(1).repeat(heads // kv, 1)

    def forward(self, tokens):
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin, self.mask)
        return F.linear(self.norm(x), self.embed.weight)

    def step(self, tokens, caches, position):
        x = self.embed(tokens)[:, None]
        cos, sin = self.cos[position], self.sin[position]
        for layer, (keys, values) in zip(self.layers, caches):
            x = layer.step(x, cos, sin, keys, values, position)
        return F.linear(self.norm(x), self.embed.weight)


def best(work, repetitions):
    clock = time.process_time if CORES == 1 else time.perf_counter
    least = float("inf")
    for _ in range(repetitions):
        started = clock()
        work()
        least = min(least, clock() - started)
    return least


def decode(model, shape, batch):
    vocabulary, _, _, _, kv, head, _ = shape
    caches = [tuple(torch.randn(batch, kv, PROMPT + NEW, head) for _ in range(2)) for _ in model.layers]
    tokens = torch.randint(vocabulary, (NEW, batch))

    def run():
        with torch.inference_mode():
            for i in range(NEW):
                model.step(tokens[i], caches, PROMPT + i)

    return batch * NEW / best(run, 5)


def train(model, shape, sequences):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    tokens = torch.randint(shape[0], (sequences, LENGTH + 1))

    def run():
        optimizer.zero_grad()
        for part in tokens.split(2):
            loss = F.cross_entropy(model(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten(), reduction="sum") / tokens[:, 1:].numel()
            loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    run()
    return sequences * LENGTH / best(run, 5)


if __name__ == "__main__":
    torch.set_num_threads(CORES)
    torch.manual_seed(1)
    print(f"PyTorch {torch.__version__}", flush=True)
    for name in sys.argv[1].split(",") if len(sys.argv) > 1 else SHAPES:
        shape, sequences = SHAPES[name]
        model = Model(*shape)
        for batch in BATCHES:
            print(f"torch_decode_{name}_b{batch} {decode(model, shape, batch):,.0f} tokens/s", flush=True)
        print(f"torch_train_{name} {train(model, shape, sequences):,.0f} tokens/s", flush=True)
