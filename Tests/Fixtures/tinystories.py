#!/usr/bin/env python3
"""Logits of the shared language model and of its GGUF files, by the plain PyTorch forward of the shared peers.

Writes tinystories.json: tokens, and the logits of the last one for each file.

    pip install torch safetensors gguf numpy tokenizers
    python3 tinystories.py SHARED
"""
import importlib.util
import json
import os
import sys

import torch
from safetensors.torch import load_file


def main():
    shared = sys.argv[1]
    spec = importlib.util.spec_from_file_location("llm_reference", os.path.join(shared, "peers/llm_reference.py"))
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    folder = os.path.join(shared, "models/llm/tinystories-656K")
    weights = load_file(os.path.join(folder, "model.safetensors"))
    weights["embed"] = weights["lm_head.weight"]
    tokens = [1] + [(7 * i * i + 3 * i + 5) % 2048 for i in range(47)]
    logits = {}
    with torch.no_grad():
        logits["."] = reference.forward(weights, torch.tensor([tokens]))[0, -1].tolist()
        for kind in ("f16", "q8_0", "q4_0"):
            name = f"tinystories-656K-{kind}.gguf"
            decoded, _ = reference.gguf_weights(os.path.join(folder, name), weights)
            logits[name] = reference.forward(decoded, torch.tensor([tokens]))[0, -1].tolist()
    result = {"made by": f"tinystories.py, torch {torch.__version__.split('+')[0]}", "tokens": tokens,
              "logits": {name: [float(f"{x:.6g}") for x in row] for name, row in logits.items()}}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tinystories.json"), "w") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
