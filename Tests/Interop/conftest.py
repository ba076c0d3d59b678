"""What the interop tests share: the built program, the shared models, inputs by dataset card, ONNX Runtime."""
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LATHE = Path(os.environ.get("LATHE_BINARY", ROOT / ".build/release/lathe"))
SHARED = Path(os.environ.get("LATHE_SHARED", ROOT.parent / "shared"))
SAMPLES = ROOT / "samples"

# What takes large packages: `.ci/full` installs them and runs the folder.
collect_ignore = [] if os.environ.get("LATHE_FULL") else ["full"]

needs_shared = pytest.mark.skipif(
    not (SHARED / "models").is_dir(), reason="the shared models are not here (set LATHE_SHARED)")


def lathe(*arguments, check=True, **options):
    """Runs the program and returns what it did."""
    done = subprocess.run(
        [str(LATHE), *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if check:
        assert done.returncode == 0, f"lathe {' '.join(map(str, arguments))}\n{done.stderr}"
    return done


def lathe_json(*arguments):
    return json.loads(lathe(*arguments, "--json").stdout)


def session(path, optimize=True):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 2, 3
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


KINDS = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32}


def stored(folder, spec):
    """The array a dataset card names, in a file of its own or in an archive."""
    loaded = np.load(folder / spec["file"], mmap_mode="r")
    return loaded[spec["array"]] if "array" in spec else loaded


# Without VNNI, ONNX Runtime multiplies u8 by s8 with instructions whose sums of two products saturate at 16 bits, so
# that its integer results are wrong where weights and activations are large; the same file run in float (no
# optimisation) is not.
SATURATES = not any(name in open("/proc/cpuinfo").read() for name in ("avx512_vnni", "avx_vnni", "asimddp"))


def inputs_of(model, data, limit):
    """Arrays for the model's inputs, as the dataset card describes them, and labels."""
    ports = session(model).get_inputs()
    if str(data).endswith(".npz"):
        archive = np.load(data)
        return {p.name: archive[p.name][:limit].astype(KINDS[p.type]) for p in ports}, archive["labels"][:limit]
    card = yaml.safe_load(open(data))
    folder = Path(data).parent
    arrays = {}
    for name, spec in card["inputs"].items():
        port = next((p for p in ports if p.name == name), ports[0])
        raw = stored(folder, spec)[:limit]
        if port.type != "tensor(float)":
            arrays[port.name] = raw.astype(KINDS[port.type])
            continue
        value = raw.astype(np.float32) * np.float32(spec.get("scale", 1))
        value = (value - np.asarray(spec.get("mean", 0), np.float32)) / np.asarray(spec.get("std", 1), np.float32)
        if spec.get("layout") == "nhwc" and len(port.shape) == 4 and port.shape[1] in (1, 3):
            value = value.transpose(0, 3, 1, 2)
        arrays[port.name] = np.ascontiguousarray(value, np.float32)
    return arrays, stored(folder, card["labels"])[:limit]


def run_onnxruntime(path, arrays, optimize=True, batch=25):
    """All outputs for all samples, by name."""
    ort = session(path, optimize)
    fixed = ort.get_inputs()[0].shape[0]
    count = len(next(iter(arrays.values())))
    batch = fixed if isinstance(fixed, int) else batch
    names = [o.name for o in ort.get_outputs()]
    parts = [
        ort.run(names, {k: v[i:i + batch] for k, v in arrays.items()}) for i in range(0, count, batch)]
    return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(names)}


def run_lathe(model, arrays, folder, *arguments):
    """The same through `lathe run`."""
    np.savez(folder / "inputs.npz", **arrays)
    lathe("run", model, "--input", folder / "inputs.npz", "--output", folder / "outputs.npz", "--quiet", *arguments)
    with np.load(folder / "outputs.npz") as archive:
        return {name: archive[name] for name in archive.files}


def sqnr(reference, value):
    reference, value = reference.astype(np.float64), value.astype(np.float64)
    return 10 * np.log10((reference**2).sum() / max(((reference - value) ** 2).sum(), 1e-30))


# Classifiers with labelled data: model, data that evaluates, samples used here.
CLASSIFIERS = {
    "resnet8": ("vision/resnet8_cifar10-mlperftiny.onnx", "cifar10/test-raw.yaml", 1000),
    "resnet20": ("vision/resnet20_cifar10-akamaster.onnx", "cifar10/test.yaml", 1000),
    "resnet56": ("vision/resnet56_cifar10-akamaster.onnx", "cifar10/test.yaml", 1000),
    "squeezenet": ("vision/squeezenet1.1-onnxzoo.onnx", "imagenet250/torch.yaml", 250),
    "mobilenet_v1": ("vision/mobilenet_v1_0.25_224-tf.onnx", "imagenet250/tf.yaml", 250),
    "mobilenet_v2": ("vision/mobilenet_v2_1.0_224-tf2-ptq-w8dq.onnx", "imagenet250/tf.yaml", 250),
    "mnist": ("vision/mnist-12-ort.onnx", "mnist/test.yaml", 2000),
    "magika": ("magika/standard_v3_3.onnx", "filetype/test.yaml", 595),
    "minilm": ("text/all-MiniLM-L6-v2/minilm_sst2_fp16w.onnx", "text/sst2_dev_tokens64.npz", 100),
}


def classifier(name):
    model, data, samples = CLASSIFIERS[name]
    return SHARED / "models" / model, SHARED / "data" / data, samples
