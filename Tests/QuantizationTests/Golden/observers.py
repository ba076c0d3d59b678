#!/usr/bin/env python3
"""Thresholds of the entropy, percentile and MSE observers, computed from the values themselves with NumPy alone.

    python3 observers.py > observers.json

Written from the definitions, not from the program: every histogram is made at once from all values, each candidate of a
search is tried the long way.
"""
import json
import numpy as np

COUNT = 20_000


def uniform(count):
    """Arithmetic that every language rounds alike, so that a test makes the same values: 0…1."""
    state, u = 12345, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        u.append((state >> 11) / 2**53)
    return np.array(u)


def values(kind):
    u = uniform(COUNT)
    side = u - 0.5
    tail = side / (0.505 - np.abs(side))
    return {
        "uniform": side,
        "one-signed": np.maximum(side, 0) * 4,
        "heavy tail": tail,
        # The largest is a power of two, so that the bins of the program and of the definition have the same edges.
        "aligned heavy tail": np.concatenate([[128.0], tail[1:]]),
        "shifted heavy tail": 1 + u / (1.002 - u),
    }[kind].astype(np.float32)


def entropy(x, bits, symmetric=False):
    x = x.astype(np.float64)
    two_sided = x.min() < 0 < x.max() or symmetric
    levels, top = 2 ** (bits - 1 if two_sided else bits), np.abs(x).max()
    h = np.histogram(np.abs(x), 2048, (0, top))[0].astype(np.float64)
    best = (np.inf, 2048)
    for i in range(2048, max(128, levels) - 1, -1):
        p, q = h[:i].copy(), np.zeros(i)
        p[-1] += h[i:].sum()
        for k in range(levels):
            a, b = k * i // levels, (k + 1) * i // levels
            filled = h[a:b] > 0
            if filled.any():
                q[a:b][filled] = h[a:b].sum() / filled.sum()
        if q.sum() == 0:
            break
        p, q = [(1 - 1e-4) * v / v.sum() + 1e-4 / i for v in (p, q)]
        kl = float(np.sum(p * np.log(p / q)))
        if kl < best[0] - 1e-12:
            best = (kl, i)
    t = top * best[1] / 2048
    return [max(-t, x.min()), min(t, x.max())]


def percentile(x, share):
    left = (100 - share) / 100
    if x.min() >= 0:
        return [0, np.quantile(x.astype(np.float64), 1 - left, method="inverted_cdf")]
    return [np.quantile(x.astype(np.float64), q, method="inverted_cdf") for q in (left / 2, 1 - left / 2)]


def mse(x, bits):
    x = x.astype(np.float64)
    low, high, best = min(x.min(), 0), max(x.max(), 0), (np.inf, None)
    for step in range(100, 9, -1):
        a, b = low * step / 100, high * step / 100
        scale = (b - a) / (2**bits - 1)
        zero = np.rint(-a / scale)
        codes = np.clip(np.rint(x / scale) + zero, 0, 2**bits - 1)
        error = float(np.sum((x - (codes - zero) * scale) ** 2))
        if error < best[0]:
            best = (error, [x.min() * step / 100, x.max() * step / 100])
    return best[1]


if __name__ == "__main__":
    cases = []
    for kind in ["uniform", "one-signed", "heavy tail", "aligned heavy tail", "shifted heavy tail"]:
        x = values(kind)
        for bits in (8, 4):
            cases.append({"values": kind, "observer": "entropy", "bits": bits, "range": entropy(x, bits)})
            cases.append({"values": kind, "observer": "mse", "bits": bits, "range": mse(x, bits)})
        for share in (99, 99.9):
            cases.append(
                {"values": kind, "observer": "percentile", "share": share, "bits": 8, "range": percentile(x, share)}
            )
    for case in cases:
        case["range"] = [float(v) for v in case["range"]]
    print(json.dumps(cases, indent=1))
