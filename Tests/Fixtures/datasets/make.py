"""Writes the arrays here with NumPy and Python's own zip and gzip, as an independent check of our readers.

Every array is 2x3 with the values 0, 37, 74, 111, 148, 185 (unsigned, 8 bits kept), or -4, -1, 2, 5, 8, 11 (the other
types, floats plus a half), or the odd numbers of 0...5 (bool). The name says type, byte order and axis order.
"""

import gzip
import io
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
arrays = {}
for code in ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "b1"]:
    k = np.arange(6).reshape(2, 3)
    values = {"u": k * 37, "i": k * 3 - 4, "f": k * 3 - 3.5, "b": k % 2 == 1}[code[0]]
    for order, mark in [("little", "<"), ("big", ">")]:
        for axes in "CF":
            arrays[f"{code}-{order}-{axes}"] = np.array(values, dtype=mark + code, order=axes)
np.savez_compressed(HERE / "deflated.npz", **arrays)
np.savez(HERE / "stored.npz", **{k: v for k, v in arrays.items() if k.startswith(("f4", "u1"))},
         empty=np.zeros((0, 4), np.float32), scalar=np.float64(2.5))

for version in [(2, 0), (3, 0)]:
    with open(HERE / f"version{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, arrays["f4-little-C"], version=version)

images = (np.arange(2 * 3 * 4) * 11 % 256).astype(np.uint8).reshape(2, 3, 4)
idx = bytes([0, 0, 8, 3]) + np.array(images.shape, ">u4").tobytes() + images.tobytes()
(HERE / "images.idx3").write_bytes(idx)
(HERE / "images.idx3.gz").write_bytes(gzip.compress(idx, mtime=0))
(HERE / "two-members.idx3.gz").write_bytes(gzip.compress(idx[:10], mtime=0) + gzip.compress(idx[10:], mtime=0))
shorts = np.array([-2, 300, 7], ">i2")
(HERE / "shorts.idx1").write_bytes(bytes([0, 0, 0x0B, 1]) + np.array([3], ">u4").tobytes() + shorts.tobytes())
buffer = io.BytesIO()
np.save(buffer, arrays["i8-little-C"])
(HERE / "array.npy.gz").write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
