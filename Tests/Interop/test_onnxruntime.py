"""float32 and quantized models beside ONNX Runtime."""
import numpy as np
import pytest
from conftest import CLASSIFIERS, SATURATES, SHARED, classifier, inputs_of, lathe, needs_shared, run_lathe, run_onnxruntime, sqnr


@needs_shared
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_float32_equals_onnxruntime(name, tmp_path):
    model, data, samples = classifier(name)
    arrays, _ = inputs_of(model, data, samples)
    theirs = run_onnxruntime(model, arrays)
    ours = run_lathe(model, arrays, tmp_path)
    assert set(ours) == set(theirs)
    for output in theirs:
        error = np.abs(ours[output] - theirs[output]).max() / np.abs(theirs[output]).max()
        assert error <= 1e-3, output
        assert (ours[output].argmax(-1) != theirs[output].argmax(-1)).sum() <= 1, output


PRESETS = ["static-int8", "dynamic-int8", "weight-int8", "weight-int4"]
# Model and samples to compare on; the large ones have fewer, to keep the whole run short.
EXPORTED = {"resnet8": 1000, "resnet20": 500, "mobilenet_v1": 100, "squeezenet": 60, "mnist": 500, "magika": 200, "minilm": 60, "resnet56": 200, "mobilenet_v2": 40}


# dB between ONNX Runtime's two runs of a static-int8 file, less 1, where integers are exact.
APART = {"mobilenet_v2": 32}


@needs_shared
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", EXPORTED)
def test_exported_model_agrees(name, preset, tmp_path):
    exported_model_agrees(name, preset, [], tmp_path)


@needs_shared
@pytest.mark.parametrize("name, preset, corrections", [
    ("mobilenet_v1", "static-int8", ["cross-layer-equalization", "smooth-quant", "bias-correction"]),
    ("resnet20", "static-int8", ["cross-layer-equalization", "bias-absorption"]),
    ("minilm", "static-int8", ["smooth-quant"]),
    ("minilm", "weight-int4", ["awq"]),
])
def test_reshaped_model_agrees(name, preset, corrections, tmp_path):
    exported_model_agrees(name, preset, corrections, tmp_path)


def exported_model_agrees(name, preset, corrections, tmp_path):
    """ONNX Runtime opens the file; few predictions differ from our integer run, and far less than from float32."""
    model, data, _ = classifier(name)
    arrays, _ = inputs_of(model, data, EXPORTED[name])
    recipe = tmp_path / "recipe.yaml"
    text = lathe("presets", preset).stdout
    text = text.replace("[fold-batch-norm]", f"[{', '.join(['fold-batch-norm', *corrections])}]")
    recipe.write_text(text.replace("samples: 256", "samples: 64"))
    quantized = tmp_path / "quantized.onnx"
    lathe("quantize", model, "--recipe", recipe, "--data", data, "-o", quantized, "--quiet")
    float32 = run_lathe(model, arrays, tmp_path)
    ours = run_lathe(model, arrays, tmp_path, "--recipe", recipe, "--data", data)
    # A range found at run time is over what runs together: samples are apart here, so they must be there.
    batch = 1 if preset == "dynamic-int8" else 25
    optimized = run_onnxruntime(quantized, arrays, batch=batch)
    plain = run_onnxruntime(quantized, arrays, optimize=False, batch=batch)
    for output in float32:
        faithful = plain if SATURATES else optimized
        differing = (ours[output].argmax(-1) != faithful[output].argmax(-1)).sum()
        if SATURATES and preset == "dynamic-int8":
            # Both its runs saturate: all there is to see is that it runs the file, and mostly answers as we do.
            assert differing <= len(ours[output]) // 4, output
            continue
        assert differing <= max(3, len(ours[output]) // 100), output
        # 6 dB nearer to each other than to float32; but no nearer than ONNX Runtime's two runs are to each other (a
        # step more or less in one layer decides roundings in all that follow), nor than float32 rounding allows.
        # Where one of them saturates, how far they are apart elsewhere stands for that.
        apart = APART.get(name, 100) if SATURATES else sqnr(plain[output], optimized[output]) - 1
        bar = min(sqnr(float32[output], ours[output]) + 6, apart, 100)
        for theirs in (faithful, plain):
            assert sqnr(theirs[output], ours[output]) >= bar, output


@needs_shared
def test_calibration_cache_is_accepted(tmp_path):
    """quantize_static takes our ranges without calibrating."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    model, data, _ = classifier("resnet8")
    cache = tmp_path / "cache.json"
    lathe("export", model, "--preset", "static-int8", "--data", data, "--format", "onnxruntime-cache", "-o", cache)
    quantize_static(
        str(model), str(tmp_path / "q.onnx"), None, quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibration_cache_path=str(cache))
    arrays, labels = inputs_of(model, data, 500)
    scores = next(iter(run_onnxruntime(tmp_path / "q.onnx", arrays).values()))
    assert (scores.argmax(-1) == labels).mean() > (0.8 if SATURATES else 0.85)


@needs_shared
def test_exported_script_runs(tmp_path):
    import subprocess
    import sys

    model, data, _ = classifier("resnet8")
    script = tmp_path / "quantize.py"
    lathe("export", model, "--preset", "onnxruntime-qdq", "--data", data, "--format", "onnxruntime", "-o", script)
    arrays, labels = inputs_of(model, data, 500)
    np.savez(tmp_path / "calibration.npz", **arrays)
    subprocess.run(
        [sys.executable, script, model, tmp_path / "calibration.npz", tmp_path / "q.onnx"], check=True, cwd=tmp_path)
    scores = next(iter(run_onnxruntime(tmp_path / "q.onnx", arrays).values()))
    assert (scores.argmax(-1) == labels).mean() > (0.8 if SATURATES else 0.85)
