"""Weight files Lathe writes, opened by the packages they are for; and blocks read by Lathe, decoded by gguf-py.

`swift test` leaves the files in .build/interop, and beside them the float32 values that must be found.
"""
import json

import numpy as np
import pytest
from conftest import ROOT, SHARED, needs_shared
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors import safe_open
from safetensors.numpy import load_file

FILES = ROOT / ".build/interop"
MODEL = SHARED / "models/llm/tinystories-656K"


def path(name):
    assert (FILES / name).exists(), f"{FILES / name} is missing: run swift test first"
    return FILES / name


def values(name, shape):
    return np.fromfile(path(name), np.float32).reshape(shape)


def test_gguf_metadata_of_every_type():
    reader = GGUFReader(path("values.gguf"))
    found = [field.contents() for name, field in reader.fields.items() if name.startswith("key.")]
    expected = [
        200, -100, 60000, -30000, 4000000000, -2000000000, 2**64 - 1, -2**63, np.float32(-0.1), 1e300, True,
        "naïve ✓", "", [1, 255], [-1, 127], [1], [-1], [7, 8], [-7], [2**64 - 1], [-2**63], [1.5, -np.inf],
        [np.pi], [True, False], ["a", "", "ü"]]
    assert [name for name in reader.fields if name.startswith("key.")] == [f"key.{27 - i}" for i in range(27)]
    for i, value in enumerate(expected):
        assert found[i] == value, i


def test_gguf_tensors():
    tensors = {t.name: t for t in GGUFReader(path("values.gguf")).tensors}
    expected = (np.arange(24, dtype=np.float32) / np.float32(3)).reshape(2, 3, 4)
    assert np.array_equal(tensors["f32"].data, expected)
    assert np.array_equal(tensors["f16"].data, expected.astype(np.float16))


def test_importance_matrix():
    reader = GGUFReader(path("imatrix.gguf"))
    assert reader.fields["general.type"].contents() == "imatrix"
    assert reader.fields["imatrix.datasets"].contents() == ["a.txt", "b.txt"]
    assert reader.fields["imatrix.chunk_count"].contents() == 2
    assert reader.fields["imatrix.chunk_size"].contents() == 128
    tensors = {t.name: t.data for t in reader.tensors}
    assert tensors["blk.0.attn_q.weight.in_sum2"].tolist() == [[2, 4, 8]]
    assert tensors["blk.0.attn_q.weight.counts"].tolist() == [[2]]


@needs_shared
@pytest.mark.parametrize("kind", ["q4_0", "q8_0"])
def test_blocks_decode_as_in_gguf_py(kind):
    for tensor in GGUFReader(MODEL / f"tinystories-656K-{kind}.gguf").tensors:
        expected = dequantize(tensor.data, tensor.tensor_type)
        found = values(f"decoded-{kind}/{tensor.name}.f32", expected.shape)
        assert np.array_equal(found, expected), tensor.name


def test_safetensors_of_every_type():
    with safe_open(path("types.safetensors"), "np") as file:
        assert file.metadata() == {"format": "pt", "made by": "lathe ✓"}
        names = set(file.keys())
        for name in names:
            assert file.get_slice(name).get_shape() == [2, 3], name
        for kind in ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16",
                     "float32", "float64"]:
            found = file.get_tensor(f"t.{kind}")
            assert found.dtype == np.dtype(kind) and found.tolist() == [[0, 1, 1], [0, 1, 0]]
    assert {"t.bfloat16", "t.float8e4m3fn", "t.float8e5m2", "t.float8e8m0"} <= names


def unpacked(words, count, bits, axis=1):
    """The signed codes of rows (axis 1) or columns (axis 0) packed as one stream of bits each."""
    words = words if axis == 1 else words.T
    stream = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=1, bitorder="little")
    stream = stream[:, :count * bits].reshape(len(words), count, bits)
    codes = (stream << np.arange(bits)).sum(2) - 2 ** (bits - 1)
    return codes if axis == 1 else codes.T


@needs_shared
def test_compressed_tensors_by_the_published_layout():
    folder = path("compressed")
    config = json.loads((folder / "config.json").read_text())["quantization_config"]
    assert config["quant_method"] == "compressed-tensors" and config["format"] == "mixed-precision"
    tensors = load_file(folder / "model.safetensors")
    original = load_file(MODEL / "model.safetensors")
    assert (folder / "tokenizer.json").read_bytes() == (MODEL / "tokenizer.json").read_bytes()
    seen = 0
    for group in config["config_groups"].values():
        weights = group["weights"]
        bits = weights["num_bits"]
        for module in group["targets"]:
            scale = tensors[f"{module}.weight_scale"]
            zero = tensors.get(f"{module}.weight_zero_point")
            assert (zero is None) == weights["symmetric"]
            if group["format"] == "int-quantized":
                codes = tensors[f"{module}.weight"]
                assert codes.dtype == np.int8
            else:
                shape = tensors[f"{module}.weight_shape"]
                codes = unpacked(tensors[f"{module}.weight_packed"], shape[1], bits)
                if zero is not None:
                    zero = unpacked(zero, shape[0], bits, axis=0)
            assert codes.shape == original[f"{module}.weight"].shape
            repeat = codes.shape[1] // scale.shape[-1]
            spread = (lambda x: np.repeat(x, repeat, axis=1)) if scale.ndim == 2 else (lambda x: x)
            real = codes.astype(np.float32)
            if zero is not None:
                real = real - spread(zero.astype(np.float32))
            assert np.array_equal(real * spread(scale), values(f"compressed-values/{module}.f32", codes.shape)), module
            seen += 1
    assert seen == 13
    untouched = set(original) & set(tensors) - {f"{m}.weight" for g in config["config_groups"].values() for m in g["targets"]}
    for name in untouched:
        assert np.array_equal(original[name], tensors[name])
