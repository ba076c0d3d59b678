#!/usr/bin/env python3
"""Tiny decoders of every architecture, and their logits by Hugging Face transformers in float32.

Writes Decoders/NAME.json: the configuration as transformers saves it, names and shapes of the tensors, tokens, and the
logits of some positions. Weights are not written: both sides compute them, from the tensor's name.

    pip install torch transformers safetensors numpy
    python3 decoders.py [FOLDER to keep the models in]
"""
import json
import os
import sys
import tempfile

import numpy as np
import torch
import transformers
from safetensors import safe_open
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
LENGTH, ROWS = 24, [0, 7, 15, 23]
SIZES = dict(vocab_size=96, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             intermediate_size=96, max_position_embeddings=32, bos_token_id=1, eos_token_id=2, pad_token_id=None)


def rope(kind, **more):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 10000.0, **more}}


LONG = dict(short_factor=[1.0, 1.1, 1.2, 1.3, 1.5, 1.7, 2.0, 2.5], long_factor=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
# name: (model type, changes of SIZES, positions of the graph)
CASES = {
    "llama": ("llama", dict(tie_word_embeddings=True), None),
    "llama-bias": ("llama", dict(attention_bias=True, mlp_bias=True, head_dim=24), None),
    "llama-linear": ("llama", rope("linear", factor=4.0), None),
    "llama-dynamic": ("llama", dict(max_position_embeddings=16, **rope("dynamic", factor=4.0)), LENGTH),
    "llama-3": ("llama", rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                              original_max_position_embeddings=16), None),
    "llama-yarn": ("llama", rope("yarn", factor=4.0, original_max_position_embeddings=8), None),
    "mistral": ("mistral", dict(sliding_window=5), None),
    "qwen2": ("qwen2", dict(), None),
    "qwen2-window": ("qwen2", dict(use_sliding_window=True, sliding_window=5, max_window_layers=1), None),
    "qwen3": ("qwen3", dict(head_dim=24), None),
    "gemma2": ("gemma2", dict(sliding_window=5, head_dim=24, query_pre_attn_scalar=20, attn_logit_softcapping=2.0,
                              final_logit_softcapping=10.0), None),
    "gemma3": ("gemma3_text", dict(num_hidden_layers=3, sliding_window=5, head_dim=24, query_pre_attn_scalar=20,
                                   layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                                   rope_parameters={
                                       "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
                                       "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}}),
               None),
    "phi3": ("phi3", dict(sliding_window=7), None),
    "phi3-long": ("phi3", dict(max_position_embeddings=64, original_max_position_embeddings=16,
                               **rope("longrope", original_max_position_embeddings=16, **LONG)), LENGTH),
    "gpt2": ("gpt2", dict(n_positions=32), None),
    "gpt-neox": ("gpt_neox", dict(hidden_act="gelu", **rope("default", partial_rotary_factor=0.5)), None),
    "gpt-neox-sequential": ("gpt_neox", dict(use_parallel_residual=False, hidden_act="gelu"), None),
}


def numbers(name, shape, scale, offset):
    """offset + scale · u with u in [−1, 1), from SplitMix64 seeded with the FNV-1a hash of the name."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & (2**64 - 1)
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1
    return (offset + scale * u).astype(np.float32).reshape(shape)


def law(name, shape, model_type):
    """Scale and offset of a tensor's numbers: activations stay near 1, norms differ from 1."""
    if len(shape) == 1:
        is_norm = name.endswith(".weight")
        return 0.3, (0.0 if model_type.startswith("gemma") else 1.0) if is_norm else 0.0
    return (1.0 if shape[0] == SIZES["vocab_size"] else 0.3), 0.0


def make(name, keep):
    model_type, changes, positions = CASES[name]
    sizes = {**SIZES, **changes}
    if model_type == "gpt2":
        sizes = {**sizes, "n_embd": sizes["hidden_size"], "n_layer": sizes["num_hidden_layers"],
                 "n_head": sizes["num_attention_heads"]}
        for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
                    "intermediate_size", "max_position_embeddings"):
            sizes.pop(key, None)
    config = transformers.AutoConfig.for_model(model_type, **sizes)
    folder = os.path.join(keep, name)
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    path = os.path.join(folder, "model.safetensors")
    with safe_open(path, "np") as file:
        shapes = {key: list(file.get_slice(key).get_shape()) for key in sorted(file.keys())}
    laws = {key: law(key, shape, model_type) for key, shape in shapes.items()}
    save_file({key: numbers(key, shape, *laws[key]) for key, shape in shapes.items()}, path,
              metadata={"format": "pt"})
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokens = [(7 * i * i + 3 * i + 1) % SIZES["vocab_size"] for i in range(LENGTH)]
    with torch.no_grad():
        logits = model(torch.tensor([tokens]), use_cache=False).logits[0, ROWS]
    config = json.load(open(os.path.join(folder, "config.json")))
    fixture = {
        "made by": f"decoders.py, transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}",
        "config": config, "positions": positions, "tokens": tokens, "rows": ROWS,
        "tensors": [{"name": key, "shape": shape, "scale": laws[key][0], "offset": laws[key][1]}
                    for key, shape in shapes.items()],
        "logits": [[float(f"{x:.7g}") for x in row] for row in logits.tolist()],
    }
    with open(os.path.join(HERE, "Decoders", name + ".json"), "w") as file:
        json.dump(fixture, file, separators=(",", ":"))
        file.write("\n")
    print(f"{name}: logits {logits.min():.3f} … {logits.max():.3f}, deviation {logits.std():.3f}")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        keep = sys.argv[1] if len(sys.argv) > 1 else scratch
        for name in CASES:
            make(name, keep)


if __name__ == "__main__":
    main()
