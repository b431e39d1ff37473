"""Training tokens/s of PyTorch (eager) for the shapes of `--only gpu`: the same model, batch and optimizer.

    python3 bench/gpu/torch_train.py [1m,5m,15m,120m,500m]
"""
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

LENGTH, SEQUENCES, MICROBATCH = 224, 144, 36
# vocabulary, width, layers, heads, key/value heads, width of a head, feed-forward
SHAPES = {
    "1m": (1024, 128, 4, 4, 2, 32, 384),
    "5m": (2048, 256, 6, 4, 2, 64, 768),
    "15m": (4096, 384, 8, 6, 2, 64, 1152),
    "120m": (32768, 768, 12, 12, 4, 64, 2816),
    "500m": (151936, 896, 24, 14, 2, 64, 4864),
}


class Layer(nn.Module):
    def __init__(self, width, heads, kv, head, inner):
        super().__init__()
        self.heads, self.kv, self.head = heads, kv, head
        self.norm1, self.norm2 = nn.RMSNorm(width, eps=1e-6), nn.RMSNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, (heads + 2 * kv) * head)
        self.out = nn.Linear(heads * head, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def rotate(self, x, cos, sin):
        a, b = x.chunk(2, dim=-1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)

    def forward(self, x, cos, sin):
        b, t, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, -1, self.head).transpose(1, 2).split([self.heads, self.kv, self.kv], dim=1)
        q, k = self.rotate(q, cos, sin), self.rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(q, k.to(q.dtype), v.to(q.dtype), is_causal=True, enable_gqa=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, -1))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Model(nn.Module):
    def __init__(self, vocabulary, width, layers, heads, kv, head, inner):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.layers = nn.ModuleList(Layer(width, heads, kv, head, inner) for _ in range(layers))
        self.norm = nn.RMSNorm(width, eps=1e-6)
        angles = torch.outer(torch.arange(LENGTH), 10000.0 ** (-torch.arange(0, head, 2) / head))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens):
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return F.linear(self.norm(x), self.embed.weight)


def measure(name, precision):
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = precision != "Float32"
    model = Model(*SHAPES[name]).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    tokens = torch.randint(SHAPES[name][0], (SEQUENCES, LENGTH + 1), device="cuda")
    best = float("inf")
    for repetition in range(5):
        torch.cuda.synchronize()
        started = time.perf_counter()
        optimizer.zero_grad(set_to_none=False)
        for part in tokens.split(MICROBATCH):
            with torch.autocast("cuda", torch.bfloat16, enabled=precision == "BFloat16"):
                logits = model(part[:, :-1])
            loss = F.cross_entropy(logits.float().flatten(0, 1), part[:, 1:].flatten(), reduction="sum") / tokens[:, 1:].numel()
            loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        torch.cuda.synchronize()
        if repetition > 0:
            best = min(best, time.perf_counter() - started)
    print(f"torch_{precision}_train_{name}_tok_s {SEQUENCES * LENGTH / best:,.0f}", flush=True)


if __name__ == "__main__":
    for shape in sys.argv[1].split(",") if len(sys.argv) > 1 else SHAPES:
        for precision in ("Float32", "TensorFloat32", "BFloat16"):
            try:
                measure(shape, precision)
            except torch.OutOfMemoryError:
                print(f"torch_{precision}_train_{shape}: out of memory", flush=True)
            torch.cuda.empty_cache()
