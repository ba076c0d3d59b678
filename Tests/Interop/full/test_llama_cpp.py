"""Files Lathe quantizes, beside those llama.cpp makes of the same model: the same types, and both run."""
import ctypes
import json

import llama_cpp
import numpy as np
import pytest
from conftest import SHARED, needs_shared
from gguf import GGUFReader
from test_weight_files import path

MODEL = SHARED / "models/llm/tinystories-656K/tinystories-656K-f16.gguf"
MIXTURES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_S": 11, "Q3_K_M": 12,
    "Q3_K_L": 13, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25, "BF16": 32}
TOKENS = [1] + list(range(300, 430, 2))


def types(file):
    return {t.name: t.tensor_type.name for t in GGUFReader(file).tensors}


def quantized(folder, file_type, model=MODEL):
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread = file_type, 1
    target = folder / f"{file_type}.gguf"
    assert llama_cpp.llama_model_quantize(str(model).encode(), str(target).encode(), ctypes.byref(params)) == 0
    return target


def logits(file):
    model = llama_cpp.Llama(str(file), n_ctx=128, n_threads=1, logits_all=True, verbose=False)
    model.eval(TOKENS)
    return np.array(model.scores[:len(TOKENS)], np.float64)


def distance(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


@needs_shared
@pytest.mark.parametrize("name", MIXTURES)
def test_types_are_those_llama_cpp_chooses(name, tmp_path):
    assert types(path(f"mixtures/{name}.gguf")) == types(quantized(tmp_path, MIXTURES[name]))


@needs_shared
@pytest.mark.parametrize("name", MIXTURES)
def test_opens_and_is_no_more_wrong(name, tmp_path):
    exact = logits(MODEL)
    ours = distance(logits(path(f"mixtures/{name}.gguf")), exact)
    theirs = distance(logits(quantized(tmp_path, MIXTURES[name])), exact)
    print(f"{name}: relative error of the logits {ours:.5f}, llama.cpp {theirs:.5f}")
    assert ours <= 1.1 * theirs + 1e-3


@pytest.mark.parametrize("name", ["plain", "grouped", "fused", "experts", "narrow"])
def test_types_of_made_models(name, tmp_path):
    plans = json.loads(path(f"made/{name}.json").read_text())
    assert len(plans) == len(MIXTURES)
    for mixture, plan in plans.items():
        file = quantized(tmp_path, plan["file_type"], path(f"made/{name}.gguf"))
        assert types(file) == plan["types"], mixture
