"""Writes blocks.npz: rows of weights, and what llama.cpp's encoders make of them.

    python make.py LIBGGML_BASE        libggml-base.so of llama-cpp-python 0.3.36

`x` has four rows of normal weights, four heavy-tailed ones (Student's t, 4 degrees of freedom) and four of special
values; `importance` counts the squared errors of a row. `TYPE` and `TYPE-weighted` are rows of blocks without and with
importance. `NF4` is computed here: bitsandbytes' levels, the nearest one to x / max|x|.
"""

import ctypes
import pathlib
import sys

import numpy as np

TYPES = {  # ggml number, weights and bytes of a block, whether importance changes anything
    "Q4_0": (2, 32, 18, True), "Q4_1": (3, 32, 20, True), "Q5_0": (6, 32, 22, True), "Q5_1": (7, 32, 24, True),
    "Q8_0": (8, 32, 34, False), "Q2_K": (10, 256, 84, True), "Q3_K": (11, 256, 110, True),
    "Q4_K": (12, 256, 144, True), "Q5_K": (13, 256, 176, True), "Q6_K": (14, 256, 210, True),
    "IQ4_NL": (20, 32, 18, True), "IQ4_XS": (23, 256, 136, True),
    "MXFP4": (39, 32, 17, False),
}
NF4 = np.array([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0])

rng = np.random.default_rng(7)
columns = 512
x = np.zeros((12, columns), np.float32)
x[0:4] = rng.standard_normal((4, columns)) * 0.02
x[4:8] = rng.standard_t(4, (4, columns)) * 0.02
x[8] = np.where(np.arange(columns) % 2 == 0, 0.5, -0.5)  # both extremes have the largest magnitude
x[9] = np.arange(columns) % 33 / 32 - 0.5                # many halves between codes
x[10, :256] = -0.3
importance = np.exp(1.5 * rng.standard_normal(columns)).astype(np.float32)

library = ctypes.CDLL(sys.argv[1])
library.ggml_quantize_chunk.restype = ctypes.c_size_t
library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + 3 * [ctypes.c_int64] + [
    ctypes.c_void_p]


def encoded(name, weights):
    number, elements, size, _ = TYPES[name]
    blocks = np.zeros((len(x), columns // elements * size), np.uint8)
    library.ggml_quantize_chunk(
        number, x.ctypes.data, blocks.ctypes.data, 0, len(x), columns, None if weights is None else weights.ctypes.data)
    return blocks


def nf4():
    groups = x.reshape(-1, 64)
    largest = np.abs(groups).max(axis=1, keepdims=True)
    scaled = np.divide(groups, largest, out=np.zeros_like(groups), where=largest > 0)
    codes = np.abs(scaled[:, :, None] - NF4).argmin(axis=2).astype(np.uint8)
    packed = codes[:, 0::2] << 4 | codes[:, 1::2]
    return np.concatenate([largest.astype(np.float32).view(np.uint8), packed], axis=1).reshape(len(x), -1)


arrays = {"x": x, "importance": importance, "NF4": nf4()}
for name, (_, _, _, weighted) in TYPES.items():
    arrays[name] = encoded(name, None)
    if weighted:
        arrays[name + "-weighted"] = encoded(name, importance)
np.savez_compressed(pathlib.Path(__file__).parent / "blocks.npz", **arrays)
