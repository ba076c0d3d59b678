"""`lathe diff` on files that ONNX Runtime's own tools quantized, checked by NumPy."""
import numpy as np
import onnx
import pytest
from conftest import SAMPLES, lathe, lathe_json, sqnr
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

MODEL = SAMPLES / "shapes.onnx"
SAMPLE = [MODEL, "--data", SAMPLES / "test.yaml", "--train-data", SAMPLES / "train.yaml"]


class Images(CalibrationDataReader):
    def __init__(self):
        generator = np.random.default_rng(1)
        self.left = [generator.random((1, 3, 24, 24), np.float32) for _ in range(8)]

    def get_next(self):
        return {"image": self.left.pop()} if self.left else None


def constants(path):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


def folded(weight, layer, values):
    """The weight with the batch norm after its layer folded in, as both sides of the comparison have it."""
    for node in onnx.load(MODEL).graph.node:
        if node.op_type == "BatchNormalization" and node.input[0] == layer:
            gamma, variance = values[node.input[1]], values[node.input[4]]
            epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
            factor = (gamma / np.sqrt(variance + epsilon)).reshape(-1, 1, 1, 1)
            return weight.astype(np.float64) * factor
    return weight.astype(np.float64)


def check(report, scales, codes):
    """Every weight's error against NumPy's, and its scales against the file's."""
    values = constants(MODEL)
    weights = [pair for pair in report["tensors"] if pair["role"] == "weight" and pair["b"]["is_quantized"]]
    assert len(weights) == len(codes)
    for pair in weights:
        name = f"{pair['layer']}/weight"
        scale = scales[name].astype(np.float64)
        stored = codes[name].astype(np.float64)
        axis = [-1] + [1] * (stored.ndim - 1)
        real = stored * (scale.reshape(axis) if scale.size > 1 else scale)
        original = folded(values[name], pair["layer"], values)
        expected = sqnr(original, folded(real, pair["layer"], values))
        assert pair["sqnr_db"] == pytest.approx(expected, abs=0.01), pair["layer"]
        assert pair["b"]["type"] == "int8" and pair["b"]["scales"] == scale.size
        assert pair["b"]["scale_max"] == pytest.approx(scale.max(), rel=1e-5)
        assert pair["b"]["bytes"] >= stored.size + 4 * scale.size
    return weights


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("form", [QuantFormat.QDQ, QuantFormat.QOperator])
def test_static_files(form, per_channel, tmp_path):
    path = tmp_path / "q.onnx"
    # As operators of codes, Gemm and Add would leave ONNX's own domain; batch norms stay float.
    only = form == QuantFormat.QOperator
    kinds = ["Conv"] if only else ["Conv", "Gemm", "Add", "GlobalAveragePool"]
    quantize_static(
        MODEL, path, Images(), quant_format=form, per_channel=per_channel, activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8, op_types_to_quantize=kinds)
    names = constants(path)
    weights = {n for n in constants(MODEL) if n.endswith("/weight") and f"{n}_quantized" in names}
    assert len(weights) == (17 if only else 18)
    report = lathe_json("diff", MODEL, path)
    check(report, {n: names[f"{n}_scale"] for n in weights}, {n: names[f"{n}_quantized"] for n in weights})
    assert {pair["matched_by"] for pair in report["tensors"] if pair["role"] == "weight"} == {"layer"}
    assert report["b"]["producer"] == "onnx.quantize" and report["b"]["encoded_activations"] > 10
    assert not report["only_in_a"]["constants"] and not report["only_in_b"]["constants"]


def test_dynamic_file(tmp_path):
    path = tmp_path / "q.onnx"
    quantize_dynamic(MODEL, path, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm", "Conv"])
    report = lathe_json("diff", MODEL, path)
    names = constants(path)
    weights = [pair for pair in report["tensors"] if pair["role"] == "weight"]
    quantized = [pair for pair in weights if pair["b"]["is_quantized"]]
    assert len(weights) == 18 and quantized and report["b"]["dynamic_activations"] > 0
    values = constants(MODEL)
    for pair in quantized:
        name = f"{pair['layer']}/weight"
        stored = name if f"{name}_quantized" in names else f"{name}_Transposed"
        real = names[f"{stored}_quantized"].astype(np.float64) * np.float64(names[f"{stored}_scale"])
        # Its batch norms are as they were, so the model's are not folded either.
        assert pair["sqnr_db"] == pytest.approx(sqnr(values[name], real if stored == name else real.T), abs=0.01)
        assert pair["matched_by"] == "layer"


def test_lathe_against_onnxruntime(tmp_path):
    """The same scheme by both: scales of the weights agree, and the bits per weight are those of the file."""
    quantize_static(
        MODEL, tmp_path / "ort.onnx", Images(), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    lathe("quantize", *SAMPLE, "--preset", "onnxruntime-qdq", "-o", tmp_path / "lathe.onnx", "--quiet")
    report = lathe_json("diff", tmp_path / "lathe.onnx", tmp_path / "ort.onnx")
    weights = [pair for pair in report["tensors"] if pair["role"] == "weight"]
    assert len(weights) == 18
    classifier = next(pair for pair in weights if pair["layer"] == "head/classifier")
    assert classifier["scale_max_relative_difference"] < 1e-5
    assert classifier["is_equal"] or classifier["sqnr_db"] > 50
    stored = constants(tmp_path / "lathe.onnx")
    total = sum(
        array.nbytes for name, array in stored.items()
        if "weight" in name and not name.endswith("scale_1") and "bias" not in name)
    assert report["a"]["weight_bytes"] == total
    assert report["a"]["bits_per_weight"] == pytest.approx(8 * total / report["a"]["weight_elements"])


def test_refusals(tmp_path):
    assert lathe("diff", MODEL, check=False).returncode == 64
    done = lathe("diff", MODEL, "nowhere.onnx", check=False)
    assert done.returncode == 1 and "nowhere.onnx" in done.stderr and done.stdout == ""
