#!/usr/bin/env python3
"""Tokens per second of a Llama-shaped model with random weights, in Lathe and in llama.cpp, as a Markdown table.

    llm_speed.py --cache DIR [--threads 2] [--rounds 5] [--types F32 Q8_0 Q4_0] [--prompt 512] [--tokens 64]

For developers. DIR gets the model (507 million parameters, 2 GB as float32). Lathe quantizes it by a recipe, llama.cpp into files of its own.
The programs take turns, one run of each a round; a figure is the median over rounds, a ratio the median of the rounds'
ratios. The prompt is the same tokens in both. Needs gguf, numpy and llama-cpp-python (built for this machine).
"""
import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
LATHE = Path(os.environ.get("LATHE_BINARY", ROOT / ".build/release/lathe"))
VOCABULARY, WIDTH, FEED_FORWARD, BLOCKS, HEADS, KV_HEADS, SIZE, CONTEXT = 32000, 1280, 3584, 24, 20, 4, 64, 2048
TYPES = {"F32": None, "Q8_0": 7, "Q4_0": 2}
# Every token that is a word of the prompt, so that both tokenizers agree on it.
WORD = "\u2581a"


def write_model(path):
    import gguf

    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("random")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(SIZE)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(VOCABULARY)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)] + ["\u2581", "a", WORD]
    tokens += [f"\u2581w{i}" for i in range(VOCABULARY - len(tokens))]
    types = [2, 3, 3] + [6] * 256 + [1] * (VOCABULARY - 259)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * 259 + [-float(i) for i in range(VOCABULARY - 259)])
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)

    def add(name, *shape):
        scale = np.float32(1 / np.sqrt(shape[-1])) if len(shape) > 1 else None
        weights = random.standard_normal(shape, np.float32) * scale if scale else np.ones(shape, np.float32)
        writer.add_tensor(name, weights)

    add("token_embd.weight", VOCABULARY, WIDTH)
    for block in range(BLOCKS):
        at = f"blk.{block}."
        add(at + "attn_norm.weight", WIDTH)
        add(at + "attn_q.weight", HEADS * SIZE, WIDTH)
        add(at + "attn_k.weight", KV_HEADS * SIZE, WIDTH)
        add(at + "attn_v.weight", KV_HEADS * SIZE, WIDTH)
        add(at + "attn_output.weight", WIDTH, HEADS * SIZE)
        add(at + "ffn_norm.weight", WIDTH)
        add(at + "ffn_gate.weight", FEED_FORWARD, WIDTH)
        add(at + "ffn_up.weight", FEED_FORWARD, WIDTH)
        add(at + "ffn_down.weight", WIDTH, FEED_FORWARD)
    add("output_norm.weight", WIDTH)
    add("output.weight", VOCABULARY, WIDTH)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def models(cache, types, threads):
    import llama_cpp

    cache.mkdir(parents=True, exist_ok=True)
    source = cache / "random-F32.gguf"
    if not source.exists():
        write_model(cache / "part.gguf")
        (cache / "part.gguf").rename(source)
    paths = {}
    for name in types:
        paths[name] = cache / f"random-{name}.gguf"
        if paths[name].exists():
            continue
        parameters = llama_cpp.llama_model_quantize_default_params()
        parameters.ftype = TYPES[name]
        parameters.nthread = threads
        parameters.pure = True
        if llama_cpp.llama_model_quantize(str(source).encode(), str(paths[name]).encode(), parameters):
            raise SystemExit(f"llama.cpp does not quantize to {name}")
    return paths


class Llama:
    """llama.cpp on one file: the prompt evaluated in one batch, then tokens one by one, the first of equal logits."""

    def __init__(self, path, threads, prompt, tokens):
        import llama_cpp

        self.model = llama_cpp.Llama(
            str(path), n_ctx=prompt + tokens + 8, n_batch=512, n_ubatch=512, n_threads=threads,
            n_threads_batch=threads, verbose=False)
        self.tokens = tokens
        self.prompt = [1] + self.model.tokenize((" a" * (prompt - 1)).encode(), add_bos=False)[: prompt - 1]

    def run(self):
        self.model.reset()
        start = time.perf_counter()
        self.model.eval(self.prompt)
        read = time.perf_counter()
        token = self.model.sample(temp=0)
        for _ in range(self.tokens - 1):
            self.model.eval([token])
            token = self.model.sample(temp=0)
        written = time.perf_counter()
        return len(self.prompt) / (read - start), (self.tokens - 1) / (written - read)


def lathe(model, name, cache, threads, prompt, tokens):
    command = [
        LATHE, "generate", model, "--prompt", "a" + " a" * (prompt - 2), "--tokens", tokens, "--threads", threads,
        "--context", prompt + tokens + 8, "--ignore-end", "--json", "--quiet",
    ]
    if name != "F32":
        recipe = cache / f"{name}.yaml"
        recipe.write_text(f"lathe: 1\nname: {name}\ndefaults: {{mode: weight-only, weights: {{format: {name}}}}}\n")
        command += ["--recipe", recipe, "--only-candidates"]
    result = json.loads(subprocess.run([str(x) for x in command], check=True, capture_output=True).stdout)
    text = result["texts"][0]
    return text["prompt_tokens_per_second"], text["tokens_per_second"], result["prompt_tokens"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--types", nargs="+", choices=TYPES, default=list(TYPES))
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--tokens", type=int, default=64)
    a = parser.parse_args()
    print(f"{a.threads} threads, {a.rounds} rounds in turn, a prompt of {a.prompt} tokens, {a.tokens} written")
    print("\n| type | prompt: Lathe | llama.cpp | ratio | one by one: Lathe | llama.cpp | ratio |\n|---|--:|--:|--:|--:|--:|--:|")
    for name, path in models(a.cache, a.types, a.threads).items():
        theirs = Llama(path, a.threads, a.prompt, a.tokens)
        rounds = []
        for _ in range(a.rounds):
            ours = lathe(a.cache / "random-F32.gguf", name, a.cache, a.threads, a.prompt, a.tokens)
            if ours[2] != len(theirs.prompt):
                raise SystemExit(f"Lathe reads {ours[2]} tokens, llama.cpp {len(theirs.prompt)}")
            rounds.append((ours[:2], theirs.run()))
        cells = []
        for figure in range(2):
            mine = statistics.median(r[0][figure] for r in rounds)
            other = statistics.median(r[1][figure] for r in rounds)
            ratio = statistics.median(r[0][figure] / r[1][figure] for r in rounds)
            cells += [f"{mine:.1f}", f"{other:.1f}", f"{ratio:.2f}"]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
