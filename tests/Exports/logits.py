"""Logits of exported models by plain PyTorch, a second time and from the description of the architectures alone: RMS norms, rotary embeddings with
their scalings, grouped heads, SwiGLU, norms of queries and keys, tied heads, PEFT adapters. One sequence at a time, in float64, without a cache.

    python3 logits.py JOBS.json     (needs torch, nothing else)

JOBS.json: a list of {"directory", "adapter" or null, "tokens"}. Prints a list of logits [position][token], as JSON."""

import json
import math
import os
import sys

import torch

KINDS = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def read_tensors(path):
    """Eight bytes of length, a JSON header, and the values one after another."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + length].decode("utf-8"))
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        values = torch.frombuffer(content[first:last], dtype=KINDS[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).to(torch.float64)
    return tensors


def read_weights(directory):
    index = os.path.join(directory, "model.safetensors.index.json")
    if not os.path.exists(index):
        return read_tensors(os.path.join(directory, "model.safetensors"))
    place, weights = read_json(index)["weight_map"], {}
    for file in sorted(set(place.values())):
        for name, tensor in read_tensors(os.path.join(directory, file)).items():
            assert place[name] == file, f"{name} is in {file}, and not in {place[name]} as the index says"
            weights[name] = tensor
    assert weights.keys() == place.keys()
    return weights


def add_adapter(weights, directory):
    """W + scale B A for every pair of the adapter, by the names that PEFT gives them."""
    settings = read_json(directory, "adapter_config.json")
    rank = settings["r"]
    scale = settings["lora_alpha"] / (math.sqrt(rank) if settings.get("use_rslora") else rank)
    pairs = read_tensors(os.path.join(directory, "adapter_model.safetensors"))
    downs = [name for name in pairs if name.endswith(".lora_A.weight")]
    assert len(downs) * 2 == len(pairs) > 0
    for name in downs:
        target = name[len("base_model.model."):-len(".lora_A.weight")]
        assert name.startswith("base_model.model.") and target.split(".")[-1] in settings["target_modules"], name
        down, up = pairs[name], pairs[name.replace("lora_A", "lora_B")]
        assert down.shape[0] == rank == up.shape[1]
        weights[target + ".weight"] = weights[target + ".weight"] + scale * (up @ down)


def rotation(config, width):
    """Frequencies of the pairs of channels, and what cosines and sines are multiplied by."""
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    theta = scaling.get("rope_theta") or config.get("rope_theta", 10000.0)
    frequencies = torch.tensor([theta ** -(2 * i / width) for i in range(width // 2)], dtype=torch.float64)
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind == "default":
        return frequencies, 1.0
    factor = scaling["factor"]
    if kind == "linear":
        return frequencies / factor, 1.0
    before = scaling.get("original_max_position_embeddings") or config["max_position_embeddings"]
    if kind == "llama3":
        turns = before * frequencies / (2 * math.pi)
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        keep = ((turns - low) / (high - low)).clamp(0, 1)
        return frequencies * (keep + (1 - keep) / factor), 1.0
    assert kind == "yarn", kind
    # The (fractional) pair that makes so many turns over the original context.
    pair = lambda turns: width * math.log(before / (2 * math.pi * turns)) / (2 * math.log(theta))
    first, last = pair(scaling.get("beta_fast") or 32), pair(scaling.get("beta_slow") or 1)
    if scaling.get("truncate", True):
        first, last = math.floor(first), math.ceil(last)
    first, last = max(first, 0), min(last, width - 1)
    ramp = ((torch.arange(width // 2, dtype=torch.float64) - first) / (last - first or 0.001)).clamp(0, 1)
    sharpen = scaling.get("attention_factor") or 0.1 * math.log(factor) + 1
    return frequencies * (1 - ramp) + frequencies / factor * ramp, sharpen


def logits(config, weights, tokens):
    heads, groups = config["num_attention_heads"], config.get("num_key_value_heads") or config["num_attention_heads"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    epsilon, length = config["rms_norm_eps"], len(tokens)

    def norm(x, name):
        return x / (x.pow(2).mean(-1, keepdim=True) + epsilon).sqrt() * weights[name + ".weight"]

    def linear(x, name):
        y = x @ weights[name + ".weight"].T
        return y + weights[name + ".bias"] if name + ".bias" in weights else y

    frequencies, sharpen = rotation(config, width)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * frequencies
    cosine, sine = sharpen * angles.cos(), sharpen * angles.sin()

    def rotate(x):
        a, b = x.chunk(2, dim=-1)
        return torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1)

    hidden = torch.full((length, length), float("-inf"), dtype=torch.float64).triu(1)
    x = weights["model.embed_tokens.weight"][tokens]
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        y = norm(x, at + "input_layernorm")
        split = lambda name, count: linear(y, at + "self_attn." + name).reshape(length, count, width).transpose(0, 1)
        query, key, value = split("q_proj", heads), split("k_proj", groups), split("v_proj", groups)
        if config["model_type"] == "qwen3":
            query, key = norm(query, at + "self_attn.q_norm"), norm(key, at + "self_attn.k_norm")
        query, key = rotate(query), rotate(key)
        key, value = (each.repeat_interleave(heads // groups, dim=0) for each in (key, value))
        weight = (query @ key.transpose(1, 2) / math.sqrt(width) + hidden).softmax(-1)
        x = x + linear((weight @ value).transpose(0, 1).reshape(length, heads * width), at + "self_attn.o_proj")
        y = norm(x, at + "post_attention_layernorm")
        gate = linear(y, at + "mlp.gate_proj")
        x = x + linear(gate * gate.sigmoid() * linear(y, at + "mlp.up_proj"), at + "mlp.down_proj")
    tied = config.get("tie_word_embeddings", False)
    assert tied != ("lm_head.weight" in weights)
    return norm(x, "model.norm") @ weights["model.embed_tokens.weight" if tied else "lm_head.weight"].T


def main():
    results = []
    for job in read_json(sys.argv[1]):
        config, weights = read_json(job["directory"], "config.json"), read_weights(job["directory"])
        if job["adapter"]:
            add_adapter(weights, job["adapter"])
        results.append(logits(config, weights, job["tokens"]).tolist())
    json.dump(results, sys.stdout)


main()
