#!/usr/bin/env python3
"""Greedy continuations by the plain PyTorch forward pass of the shared reference: the numbers in
Tests/LanguageModelsTests/GreedyText.swift. Needs torch, safetensors and tokenizers.

usage: greedy.py SHARED"""
import os
import sys

import torch

shared = sys.argv[1]
sys.path.insert(0, os.path.join(shared, "peers"))
import llm_reference as reference  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

PROMPTS = ["Once upon a time, there was a little girl named Lily.", "The dog ran to the"]
TOKENS = 200


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    weights = load_file(reference.MODEL + "model.safetensors")
    weights["embed"] = weights["lm_head.weight"]
    tokenizer = Tokenizer.from_file(reference.MODEL + "tokenizer.json")
    for prompt in PROMPTS:
        ids = [1] + tokenizer.encode(prompt, add_special_tokens=False).ids
        text, closest = list(ids), float("inf")
        for _ in range(TOKENS):
            logits = reference.forward(weights, torch.tensor([text]))[0, -1]
            best = torch.topk(logits, 2).values
            closest = min(closest, float(best[0] - best[1]))
            text.append(int(logits.argmax()))
        print("prompt:", prompt)
        print("ids:", ids)
        print("continuation:", text[len(ids):])
        print("least distance between the two largest logits:", closest)
        print("text:", tokenizer.decode(text[len(ids):]))


main()
