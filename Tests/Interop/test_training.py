"""Training: killed and taken up again, and the trained network in ONNX Runtime."""
import json
import shutil
import signal
import subprocess
import time

import numpy as np
from conftest import LATHE, SAMPLES, inputs_of, lathe, lathe_json, run_onnxruntime

RECIPE = """
lathe: 1
name: trained
defaults: {mode: qat, weights: {bits: 4}, activations: {bits: 8}}
training: {epochs: 4, batch: 64, distill: {temperature: 2, weight: 1}}
"""


def prepared(folder):
    """A copy of the sample model, so that its checkpoints are ours alone, and a recipe that trains it."""
    folder.mkdir()
    shutil.copy(SAMPLES / "shapes.onnx", folder / "shapes.onnx")
    (folder / "recipe.yaml").write_text(RECIPE)
    return [
        "quantize", folder / "shapes.onnx", "--recipe", folder / "recipe.yaml", "--data", SAMPLES / "test.yaml",
        "--train-data", SAMPLES / "train.yaml", "-o", folder / "out.onnx", "--quiet"]


def epochs_done(folder):
    """Finished epochs by the checkpoint beside the model; 0 without one."""
    for path in (folder / "shapes.onnx.lathe" / "training").glob("*.qat"):
        data = path.read_bytes()
        length = int.from_bytes(data[12:20], "little")
        return json.loads(data[20:20 + length])["done"]
    return 0


def test_killed_training_resumes_bit_for_bit(tmp_path):
    whole = prepared(tmp_path / "whole")
    lathe(*whole)
    killed = prepared(tmp_path / "killed")
    process = subprocess.Popen([str(LATHE), *map(str, killed)], stdin=subprocess.DEVNULL)
    started = time.monotonic()
    while epochs_done(tmp_path / "killed") < 2:
        assert process.poll() is None, "it ended before the third epoch"
        assert time.monotonic() - started < 600
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert epochs_done(tmp_path / "killed") == 2
    assert not (tmp_path / "killed/out.onnx").exists()
    lathe(*killed)
    assert (tmp_path / "killed/out.onnx").read_bytes() == (tmp_path / "whole/out.onnx").read_bytes()


def test_damaged_checkpoint_is_named(tmp_path):
    command = prepared(tmp_path / "damaged")
    (tmp_path / "damaged/recipe.yaml").write_text(RECIPE.replace("epochs: 4", "epochs: 1"))
    lathe(*command)
    path = next((tmp_path / "damaged/shapes.onnx.lathe/training").glob("*.qat"))
    path.write_bytes(path.read_bytes()[:-8])
    done = lathe(*command, check=False)
    assert done.returncode == 1
    assert str(path) in done.stderr and "Remove the file" in done.stderr


def test_trained_export_has_our_accuracy(tmp_path):
    """4-bit weights as INT4 in the file: ONNX Runtime gets within 0.3 points of what we measure."""
    command = prepared(tmp_path / "model")
    lathe(*command)
    model, recipe = tmp_path / "model/shapes.onnx", tmp_path / "model/recipe.yaml"
    # The finished training is taken from its checkpoint.
    ours = lathe_json(
        "compare", model, "--recipe", recipe, "--data", SAMPLES / "test.yaml", "--train-data", SAMPLES / "train.yaml")
    candidate = ours["candidates"][0]
    arrays, labels = inputs_of(model, SAMPLES / "test.yaml", 2000)
    scores = next(iter(run_onnxruntime(tmp_path / "model/out.onnx", arrays, optimize=False).values()))
    theirs = (scores.argmax(-1) == labels).mean()
    assert abs(theirs - candidate["top1"]) <= 0.003
    assert ours["float32"]["top1"] - candidate["top1"] <= 0.01


def test_training_without_data_is_refused(tmp_path):
    command = prepared(tmp_path / "model")
    at = command.index("--train-data")
    done = lathe(*command[:at], *command[at + 2:], check=False)
    assert done.returncode == 1 and "--train-data" in done.stderr
