"""The files Lathe writes are ONNX by ONNX's own checker, with shapes inferred strictly."""
import onnx
import pytest
from conftest import lathe, classifier, needs_shared

RECIPE = """
lathe: 1
name: every form
defaults: {mode: static, weights: {bits: 8}, activations: {bits: 8}}
rules:
  - {match: {operator: Gemm}, mode: weight-only, weights: {bits: 4, granularity: {group: 32}}}
calibration: {samples: 16, seed: 1}
"""


@needs_shared
@pytest.mark.parametrize("name", ["resnet8", "resnet20", "mnist", "magika"])
@pytest.mark.parametrize("preset", ["float", "static-int8", "dynamic-int8", "weight-int4"])
def test_checker_accepts(name, preset, tmp_path):
    model, data, _ = classifier(name)
    file = tmp_path / "written.onnx"
    lathe("quantize", model, "--preset", preset, "--data", data, "-o", file, "--quiet")
    onnx.checker.check_model(str(file), full_check=True)
    written = onnx.load(str(file))
    original = onnx.load(str(model))
    assert [i.name for i in written.graph.output] == [i.name for i in original.graph.output]


@needs_shared
def test_forms_of_one_file(tmp_path):
    """Static convolutions beside a 4-bit layer in groups: int8 per channel, int32 biases, int4 in blocks."""
    model, data, _ = classifier("resnet20")
    recipe, file = tmp_path / "recipe.yaml", tmp_path / "written.onnx"
    recipe.write_text(RECIPE)
    lathe("quantize", model, "--recipe", recipe, "--data", data, "-o", file, "--quiet")
    onnx.checker.check_model(str(file), full_check=True)
    graph = onnx.load(str(file)).graph
    types = {c.name: c.data_type for c in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}
    blocks = 0
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        weight = producers[node.input[1]]
        assert weight.op_type == "DequantizeLinear"
        if node.op_type == "Conv":
            assert types[weight.input[0]] == onnx.TensorProto.INT8
            assert producers[node.input[0]].op_type == "DequantizeLinear"
            if len(node.input) > 2:
                assert types[producers[node.input[2]].input[0]] == onnx.TensorProto.INT32
        else:
            assert types[weight.input[0]] == onnx.TensorProto.INT4
            assert {a.name: a.i for a in weight.attribute}["block_size"] == 32
            blocks += 1
    assert blocks == 1
