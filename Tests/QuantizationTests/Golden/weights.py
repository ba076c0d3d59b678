#!/usr/bin/env python3
"""Scales and zero points of weight ranges and of half-quadratic quantization, computed with NumPy alone.

    python3 weights.py > weights.json

Written from the definitions, not from the program. Weights are `[4, 400]`, a scale for each row.
"""
import json
import numpy as np
import observers

ROWS, COLUMNS = 4, 400
PERCENTILES = [100, 99.99, 99.9, 99.5, 99, 98, 97, 95, 90, 80]


def values(kind):
    side = observers.uniform(ROWS * COLUMNS) - 0.5
    if kind == "uniform":
        x = side
    elif kind == "one-signed":
        x = np.maximum(side, 0)
    elif kind == "shifted":
        x = 0.25 + side
    else:
        # The largest of each row is a power of two, so that the bins of the program and of the definition agree.
        x = side / (0.505 - np.abs(side))
        x[::COLUMNS] = 128
    return x.astype(np.float32).reshape(ROWS, COLUMNS)


def codes(bits, symmetric):
    half = 2 ** (bits - 1)
    if not symmetric:
        return 0, 2 * half - 1
    return (-half + 1 if bits == 8 else -half), half - 1


def covering(low, high, bits, symmetric):
    """Scale and zero point over a range that is made to hold zero."""
    low, high = min(low, 0.0), max(high, 0.0)
    _, top = codes(bits, symmetric)
    if symmetric:
        return np.float32(max(-low, high) / top), 0
    scale = (high - low) / top
    return np.float32(scale), int(np.clip(np.rint(-low / scale), 0, top))


def rounded(w, scale, zero, bits, symmetric):
    low, high = codes(bits, symmetric)
    return np.clip(np.rint(w / scale), low - zero, high - zero)


def error(w, numbers, bits, symmetric, power=2.0):
    scale, zero = numbers
    back = rounded(w, scale, zero, bits, symmetric) * scale
    return float(np.sum(np.abs(w.astype(np.float64) - back) ** power))


def best(w, ranges, bits, symmetric):
    tries = [covering(low, high, bits, symmetric) for low, high in ranges]
    return min(tries, key=lambda t: error(w, t, bits, symmetric))


def mse(w, bits, symmetric):
    low, high = min(float(w.min()), 0), max(float(w.max()), 0)
    return best(w, [(low * f / 100, high * f / 100) for f in range(100, 29, -1)], bits, symmetric)


def percentile_range(w, share, symmetric):
    x, left = w.astype(np.float64), 1 - share / 100
    if symmetric:
        t = np.quantile(np.abs(x), 1 - left)
        return -t, t
    if x.min() >= 0:
        return 0.0, np.quantile(x, 1 - left)
    return np.quantile(x, left / 2), np.quantile(x, 1 - left / 2)


def percentile(w, bits, symmetric, share=98):
    return covering(*percentile_range(w, share, symmetric), bits, symmetric)


def sweep(w, bits, symmetric):
    return best(w, [percentile_range(w, p, symmetric) for p in PERCENTILES], bits, symmetric)


def entropy(w, bits, symmetric):
    return covering(*observers.entropy(w, bits, symmetric), bits, symmetric)


def hqq(w, bits, symmetric, power=0.7, beta=10.0, growth=1.01, iterations=20):
    low, high = codes(bits, symmetric)
    numbers = covering(float(w.min()), float(w.max()), bits, symmetric)
    found = (np.inf, numbers)
    for _ in range(iterations + 1):
        scale, zero = numbers
        lost = error(w, numbers, bits, symmetric, power)
        if lost < found[0]:
            found = (lost, numbers)
        q = rounded(w, scale, zero, bits, symmetric).astype(np.float64)
        x = (w - q * np.float64(scale)) / np.float64(scale)
        size = np.where(x == 0, 1, np.abs(x))
        e = np.where(x == 0, 0, np.sign(x) * np.maximum(size - size ** (power - 1) / beta, 0))
        target = w - e * scale
        code = q + zero
        if not symmetric:
            zero = int(np.clip(np.rint(np.mean(code - target / scale)), low, high))
        q = code - zero
        if np.sum(q * q) > 0 and np.sum(q * target) > 0:
            scale = np.float32(np.sum(q * target) / np.sum(q * q))
        numbers = (scale, zero)
        beta *= growth
    return found[1]


cases = []
for kind in ["uniform", "one-signed", "shifted", "heavy tail"]:
    weights = values(kind)
    for symmetric in (True, False):
        for bits in (8, 4, 2):
            for name, method in [
                ("mse", mse), ("percentile", percentile), ("percentile-sweep", sweep), ("entropy", entropy),
                ("hqq", hqq),
            ]:
                if name == "entropy" and kind != "heavy tail":
                    continue
                numbers = [method(row, bits, symmetric) for row in weights]
                power = 0.7 if name == "hqq" else 2.0
                cases.append({
                    "values": kind, "symmetric": symmetric, "bits": bits, "method": name,
                    "scales": [float(s) for s, _ in numbers], "zeroPoints": [z for _, z in numbers],
                    "errors": [error(w, n, bits, symmetric, power) for w, n in zip(weights, numbers)],
                })
print(json.dumps(cases, indent=None, separators=(",", ":")).replace("},{", "},\n{"))
