#!/usr/bin/env python3
"""Top-1 of shared CIFAR models by method and width, means over calibration seeds, as a Markdown table.

    accuracy.py --cache DIR [--models resnet20] [--seeds 1 2 3 4 5] [--widths W4A8] [--methods GPTQ] [--list]

For developers. Every layer and the image are quantized, the image to as many bits as activations, batch norm folded, 256 calibration images from `train.yaml`,
1 000 test images. Each run of `lathe compare --json` is kept in DIR by the hash of program and recipe, so that a table
that was cut off goes on where it stopped, and another build makes its own. AdaRound takes a minute a run: `--slow-seeds`
says how many of the seeds it gets.
"""
import argparse
import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LATHE = Path(os.environ.get("LATHE_BINARY", ROOT / ".build/release/lathe"))
SHARED = Path(os.environ.get("LATHE_SHARED", ROOT.parent / "shared"))
MODELS = {
    "resnet20": SHARED / "models/vision/resnet20_cifar10-akamaster.onnx",
    "resnet56": SHARED / "models/vision/resnet56_cifar10-akamaster.onnx",
}
WIDTHS = ["W8A8", "W6A6", "W4A8", "W4A4", "W3A8", "W2A8"]
SLOW = "AdaRound"


def method(scale="max", rounding="nearest", corrections=(), source="data", symmetric=True):
    return {
        "scale": scale, "rounding": rounding, "corrections": ["fold-batch-norm", *corrections], "source": source,
        "symmetric": symmetric,
    }


METHODS = {
    "nearest, max": method(),
    "nearest, mse": method("mse"),
    "nearest, entropy": method("entropy"),
    "nearest, percentile-sweep": method("percentile-sweep"),
    "nearest, output-mse": method("output-mse"),
    "HQQ, max": method("max", "hqq"),
    "HQQ, affine": method("max", "hqq", symmetric=False),
    "max, cross-layer-equalization": method("max", corrections=["cross-layer-equalization"]),
    "max, smooth-quant": method("max", corrections=["smooth-quant"]),
    "max, bias-correction": method("max", corrections=["bias-correction"]),
    "mse, bias-correction": method("mse", corrections=["bias-correction"]),
    "output-mse, bias-correction": method("output-mse", corrections=["bias-correction"]),
    "max, analytic-bias-correction": method("max", corrections=["analytic-bias-correction"]),
    "mse, analytic-bias-correction": method("mse", corrections=["analytic-bias-correction"]),
    "max, batch-norm-re-estimation": method("max", corrections=["batch-norm-re-estimation"]),
    "mse, batch-norm-re-estimation": method("mse", corrections=["batch-norm-re-estimation"]),
    "output-mse, batch-norm-re-estimation": method("output-mse", corrections=["batch-norm-re-estimation"]),
    "GPTQ, max": method("max", "gptq"),
    "GPTQ, mse": method("mse", "gptq"),
    "GPTQ, mse, batch-norm-re-estimation": method("mse", "gptq", ["batch-norm-re-estimation"]),
    "GPTQ, output-mse": method("output-mse", "gptq"),
    "GPTQ, output-mse, batch-norm-re-estimation": method(
        "output-mse", "gptq", ["batch-norm-re-estimation"]),
    "nearest, max, synthetic": method(source="synthetic"),
    f"{SLOW}, mse": method("mse", "adaround"),
    f"{SLOW}, output-mse": method("output-mse", "adaround"),
}


def recipe(width, chosen, seed):
    weights, activations = map(int, re.fullmatch(r"W(\d+)A(\d+)", width).groups())
    corrections = ", ".join(chosen["corrections"])
    return (
        f"lathe: 1\nname: {width}\n"
        f"defaults: {{mode: static, weights: {{bits: {weights}, symmetric: {str(chosen['symmetric']).lower()}, "
        f"scale: {chosen['scale']}, method: {chosen['rounding']}}}, activations: {{bits: {activations}}}}}\n"
        f"inputs: {{bits: {activations}}}\n"
        f"calibration: {{samples: 256, seed: {seed}, source: {chosen['source']}}}\ncorrections: [{corrections}]\n")


class Runs:
    def __init__(self, cache, threads):
        self.cache, self.threads = Path(cache), threads
        self.cache.mkdir(parents=True, exist_ok=True)
        self.program = hashlib.sha256(LATHE.read_bytes()).hexdigest()

    def report(self, model, text):
        """What `compare` says of one recipe, from the cache where it has been asked before."""
        key = hashlib.sha256(f"{self.program}\n{model}\n{text}".encode()).hexdigest()[:20]
        path = self.cache / f"{model}-{key}.json"
        if not path.exists():
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "recipe.yaml"
                file.write_text(text)
                command = [
                    LATHE, "compare", MODELS[model], "--data", SHARED / "data/cifar10/test.yaml", "--train-data",
                    SHARED / "data/cifar10/train.yaml", "--recipe", file, "--threads", self.threads, "--json", "--quiet"]
                done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"{text}\n{done.stderr}")
            # A run cut off leaves no half file.
            part = path.with_suffix(".part")
            part.write_text(done.stdout)
            part.rename(path)
        return json.loads(path.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--models", nargs="+", default=["resnet20"], choices=MODELS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--slow-seeds", type=int, default=1)
    parser.add_argument("--widths", nargs="+", default=WIDTHS)
    parser.add_argument("--methods", nargs="+", default=[name for name in METHODS if not name.startswith(SLOW)],
                        help="names or their beginnings")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="list the methods")
    options = parser.parse_args()
    if options.list:
        print("\n".join(METHODS))
        return
    chosen = {name: value for name, value in METHODS.items() if name.startswith(tuple(options.methods))}
    runs = Runs(options.cache, options.threads)
    for model in options.models:
        print(f"\n{model}, top-1 of 1 000 images: mean of the seeds (lowest), {len(options.seeds)} seeds\n")
        print("| | " + " | ".join(options.widths) + " |\n|---|" + "---|" * len(options.widths))
        for name, value in chosen.items():
            seeds = options.seeds[:options.slow_seeds] if name.startswith(SLOW) else options.seeds
            cells = []
            for width in options.widths:
                found = [
                    100 * runs.report(model, recipe(width, value, seed))["candidates"][0]["top1"] for seed in seeds]
                cells.append(f"{statistics.mean(found):.1f} ({min(found):.1f})")
            count = "" if seeds == options.seeds else f" ({len(seeds)} seed{'s' * (len(seeds) > 1)})"
            print(f"| {name}{count} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
