#!/usr/bin/env python3
"""What other toolkits compute for two of the shared models: scales, zero points and codes, as JSON beside this file.

    python3 -m venv V && V/bin/pip install onnx onnxruntime==1.32.0 sympy torch==2.13.0 tensorflow-cpu==2.20.0
    V/bin/python golden.py SHARED [onnxruntime] [torch] [tensorflow]

Calibration: the first 16 images of data/cifar10/train4000, one per call. Of each weight every ⌈n/512⌉-th code is kept,
as base64 of int8. Activations are kept by the name of the ONNX value, weights by the name of the layer. ONNX Runtime
gives AveragePool the encoding of its input; ours is its own, so that value and what Reshape makes of it are left out.
"""
import base64, copy, json, operator, os, sys, tempfile, warnings
import numpy as np, onnx
from onnx import numpy_helper

SHARED, HERE, SAMPLES, CODES = sys.argv[1], os.path.dirname(os.path.abspath(__file__)), 16, 512
MODELS = {"resnet8": ("resnet8_cifar10-mlperftiny", False), "resnet20": ("resnet20_cifar10-akamaster", True)}


def images(normalized):
    a = np.load(SHARED + "/data/cifar10/train4000_images_u8_nhwc.npy", mmap_mode="r")[:SAMPLES].astype(np.float32)
    if normalized:
        a = (a * np.float32(0.00392156862745098) - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    return np.ascontiguousarray(a.transpose(0, 3, 1, 2), np.float32)


def weight(name, codes, scales):
    flat = np.asarray(codes).astype(np.int8).reshape(-1)
    step = -(-flat.size // CODES)
    return {"layer": name, "shape": list(np.asarray(codes).shape), "scales": [float(s) for s in np.atleast_1d(scales)],
            "codes": base64.b64encode(flat[::step].tobytes()).decode()}


def write(toolkit, preset, model, activations, weights):
    path = f"{HERE}/{preset}.{model}.json"
    with open(path, "w") as f:
        json.dump({"toolkit": toolkit, "preset": preset, "model": MODELS[model][0], "samples": SAMPLES,
                   "normalized": MODELS[model][1], "activations": activations, "weights": weights}, f, indent=0)
    print(path, len(activations), "activations,", len(weights), "weights,", os.path.getsize(path), "bytes")


# ---------------------------------------------------------------- ONNX Runtime
def onnxruntime_presets(model):
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process
    x, tmp = images(MODELS[model][1]), tempfile.mkdtemp()
    quant_pre_process(f"{SHARED}/models/vision/{MODELS[model][0]}.onnx", tmp + "/pre.onnx")

    class Reader(CalibrationDataReader):
        def __init__(self): self.i = iter(range(SAMPLES))
        def get_next(self):
            i = next(self.i, None)
            return None if i is None else {"input": x[i:i + 1]}

    for preset, arguments in {
        "onnxruntime-qdq": dict(quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8),
        "onnxruntime-default": {},
    }.items():
        quantize_static(tmp + "/pre.onnx", tmp + "/q.onnx", Reader(), **arguments)
        g = onnx.load(tmp + "/q.onnx").graph
        init = {t.name: numpy_helper.to_array(t) for t in g.initializer}
        made = {o: n for n in g.node for o in n.output}
        activations, weights = {}, []
        for n in g.node:
            maker = made.get(n.input[0])
            if maker is not None and maker.op_type in ("AveragePool", "Reshape"): continue
            if n.op_type == "QuantizeLinear" and n.input[0] not in init:
                activations[n.input[0]] = [float(init[n.input[1]]), int(init[n.input[2]])]
            if n.op_type in ("Conv", "Gemm", "MatMul"):
                d = made[n.input[1]]
                weights.append(weight(n.name, init[d.input[0]], init[d.input[1]]))
        write("onnxruntime " + onnxruntime.__version__, preset, model, activations, weights)


# ---------------------------------------------------------------- PyTorch
def torch_presets(model):
    import torch, torch.nn as nn, torch.nn.functional as F
    from torch.ao.quantization import get_default_qconfig_mapping, quantize_dynamic
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx
    warnings.filterwarnings("ignore")
    graph = onnx.load(f"{SHARED}/models/vision/{MODELS[model][0]}.onnx").graph
    init = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    for n in graph.node:
        if n.op_type == "Constant":
            init[n.output[0]] = torch.from_numpy(np.atleast_1d(numpy_helper.to_array(n.attribute[0].t)).copy())
    attributes = lambda n: {a.name: onnx.helper.get_attribute_value(a) for a in n.attribute}

    class Network(nn.Module):
        """The ONNX graph as modules named after the index of their node; the last Softmax is left out."""
        def __init__(self):
            super().__init__()
            for i, n in enumerate(graph.node):
                a, w = attributes(n), [init.get(k) for k in n.input[1:]]
                if n.op_type == "Conv":
                    m = nn.Conv2d(w[0].shape[1], w[0].shape[0], tuple(w[0].shape[2:]), a.get("strides", [1, 1]), 0, bias=len(w) > 1)
                    p = a.get("pads", [0] * 4)
                    m.padding = (p[0], p[1]) if p[:2] == p[2:] else None
                    if m.padding is None:                    # TensorFlow's SAME with stride 2 pads one side only
                        m.padding = (0, 0); self.add_module(f"pad{i}", nn.ZeroPad2d((p[1], p[3], p[0], p[2])))
                    else:
                        m._reversed_padding_repeated_twice = [p[1], p[1], p[0], p[0]]
                elif n.op_type == "BatchNormalization":
                    m = nn.BatchNorm2d(len(w[0]), eps=a.get("epsilon", 1e-5))
                    m.running_mean, m.running_var = w[2], w[3]
                elif n.op_type == "Gemm": m = nn.Linear(w[0].shape[1], w[0].shape[0])
                elif n.op_type == "Relu": m = nn.ReLU()
                elif n.op_type == "GlobalAveragePool": m = nn.AdaptiveAvgPool2d(1)
                else: continue
                if n.op_type in ("Conv", "BatchNormalization", "Gemm"):
                    m.weight.data = w[0]
                    if len(w) > 1: m.bias.data = w[1]
                self.add_module(f"m{i}", m)

        def forward(self, x):
            v = {graph.input[0].name: x}
            for i, n in enumerate(graph.node):
                if n.op_type in ("Constant", "Softmax"):
                    if n.op_type == "Softmax": return v[n.input[0]]
                    continue
                if n.output[0] in folded: continue
                g = v.get(n.input[0])
                if hasattr(self, f"pad{i}"): g = getattr(self, f"pad{i}")(g)
                if hasattr(self, f"m{i}"): y = getattr(self, f"m{i}")(g)
                elif n.op_type == "Add": y = v[n.input[0]] + v[n.input[1]]
                elif n.op_type == "Flatten": y = torch.flatten(g, 1)
                elif n.op_type == "Slice":
                    p = [[int(q) for q in folded[k]] for k in n.input[1:5]]
                    cut = [slice(None)] * 4
                    for start, axis, step in zip(p[0], p[2], p[3]): cut[axis] = slice(start, None, step)
                    y = g[tuple(cut)]
                elif n.op_type == "Pad":
                    p = [int(q) for q in folded[n.input[1]]]
                    y = F.pad(g, (p[3], p[7], p[2], p[6], p[1], p[5]))
                elif n.op_type == "AveragePool": y = F.adaptive_avg_pool2d(g, 1)
                elif n.op_type == "Reshape": y = torch.flatten(g, 1)
                else: raise NotImplementedError(n.op_type)
                v[n.output[0]] = y
            return v[graph.output[0].name]

    # Constants computed by the graph (the amounts of Pad), taken from ONNX Runtime.
    import onnxruntime
    whole = onnx.load(f"{SHARED}/models/vision/{MODELS[model][0]}.onnx")
    alive, names = {whole.graph.input[0].name}, []
    for n in whole.graph.node:
        if n.op_type != "Shape" and any(k in alive for k in n.input): alive.update(n.output)
        else: names += [o for o in n.output]
    whole.graph.output.extend(onnx.ValueInfoProto(name=k) for k in names)
    x = torch.from_numpy(images(MODELS[model][1]))
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = session.run([graph.output[0].name] + names, {"input": x[:1].numpy()})
    folded = {k: torch.from_numpy(np.atleast_1d(v).copy()) for k, v in zip(names, outputs[1:])} | init

    torch.backends.quantized.engine = "fbgemm"
    net = Network().eval()
    prepared = prepare_fx(copy.deepcopy(net), get_default_qconfig_mapping("fbgemm"), (x[:1],))
    with torch.no_grad():
        y = net(x[:1])
        if graph.node[-1].op_type == "Softmax": y = y.softmax(1)
        print("difference to ONNX Runtime:", float((y - torch.from_numpy(outputs[0])).abs().max()))
        for i in range(SAMPLES): prepared(x[i:i + 1])
    readers = {}
    for n in graph.node:
        for k in n.input: readers.setdefault(k, []).append(n)
    adds = [n for n in graph.node if n.op_type == "Add"]

    def value(node):
        """The ONNX value a node of the traced graph computes, after what is fused into it."""
        if node.op == "placeholder": return graph.input[0].name
        if node.op == "call_function" and node.target is operator.add:
            name = node.name.replace("add", "").strip("_")
            return adds[int(name) if name else 0].output[0]
        if node.op != "call_module" or not str(node.target).startswith("m"): return None
        name = graph.node[int(str(node.target)[1:])].output[0]
        kind = type(prepared.get_submodule(node.target)).__name__
        if graph.node[int(str(node.target)[1:])].op_type == "Conv":
            if readers[name][0].op_type == "BatchNormalization": name = readers[name][0].output[0]
            if "ReLU" in kind: name = readers[name][0].output[0]
        return name

    activations = {}
    for node in prepared.graph.nodes:
        if node.op == "call_module" and "activation_post_process" in str(node.target):
            name = value(node.args[0])
            observer = prepared.get_submodule(node.target)
            kind = str(getattr(node.args[0], "target", ""))
            pooled = kind.startswith("m") and "Pool" in type(prepared.get_submodule(kind)).__name__
            if name and not pooled and name not in activations:
                scale, zero = observer.calculate_qparams()
                activations[name] = [float(scale), int(zero)]
    converted, weights = convert_fx(copy.deepcopy(prepared)), []
    for i, n in enumerate(graph.node):
        if n.op_type in ("Conv", "Gemm"):
            w = converted.get_submodule(f"m{i}").weight()
            weights.append(weight(n.name, w.int_repr().numpy(), w.q_per_channel_scales().numpy()))
    last = graph.output[0].name if graph.node[-1].op_type != "Softmax" else graph.node[-1].input[0]
    activations.pop(last, None)
    write("torch " + torch.__version__, "pytorch-fbgemm-static", model, activations, weights)
    dynamic = quantize_dynamic(copy.deepcopy(net))
    weights = []
    for i, n in enumerate(graph.node):
        if n.op_type == "Gemm":
            w = dynamic.get_submodule(f"m{i}").weight()
            weights.append(weight(n.name, w.int_repr().numpy(), w.q_scale()))
    write("torch " + torch.__version__, "pytorch-dynamic", model, {}, weights)


# ---------------------------------------------------------------- TensorFlow Lite
def tensorflow_presets(model):
    """Every layer on an input of its own, with its batch normalization, through the converter; no data."""
    import tensorflow as tf
    graph = onnx.load(f"{SHARED}/models/vision/{MODELS[model][0]}.onnx").graph
    init = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    readers = {n.input[0]: n for n in reversed(graph.node) if n.input}
    layers = [n for n in graph.node if n.op_type in ("Conv", "Gemm")]

    def network(*inputs):
        outputs = []
        for n, x in zip(layers, inputs):
            w = init[n.input[1]]
            b = init[n.input[2]] if len(n.input) > 2 else np.zeros(w.shape[0], np.float32)
            if n.op_type == "Gemm":
                outputs.append(tf.matmul(x, w.T) + b)
                continue
            y, norm = tf.nn.conv2d(x, w.transpose(2, 3, 1, 0), 1, "SAME") + b, readers.get(n.output[0])
            if norm and norm.op_type == "BatchNormalization":
                scale, offset, mean, variance = [init[k] for k in norm.input[1:]]
                epsilon = {a.name: a.f for a in norm.attribute}.get("epsilon", 1e-5)
                y = tf.nn.batch_normalization(y, mean, variance, offset, scale, epsilon)
            outputs.append(tf.nn.relu(y))
        return outputs

    shapes = [init[n.input[1]].shape for n in layers]
    specs = [tf.TensorSpec([1, 16, 16, s[1]] if len(s) == 4 else [1, s[1]], tf.float32) for s in shapes]
    converter = tf.lite.TFLiteConverter.from_concrete_functions([tf.function(network).get_concrete_function(*specs)])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    program = tf.lite.Interpreter(model_content=converter.convert(), experimental_op_resolver_type=plain)
    tensors = {t["index"]: t for t in program.get_tensor_details()}
    inputs = {int(d["name"].partition(":")[0].rpartition("_")[2]): d["index"] for d in program.get_input_details()}
    weights = []
    for i, n in enumerate(layers):
        (op,) = [o for o in program._get_ops_details() if inputs[i] in o["inputs"]]
        (w,) = [tensors[k] for k in op["inputs"] if k != inputs[i] and tensors[k]["shape"].size > 1]
        if w["dtype"] != np.int8: continue
        codes = program.get_tensor(w["index"])
        codes = codes.transpose(0, 3, 1, 2) if codes.ndim == 4 else codes
        weights.append(weight(n.name, codes, w["quantization_parameters"]["scales"]))
    write("tensorflow " + tf.__version__, "tflite-dynamic-range", model, {}, weights)


TOOLKITS = {"onnxruntime": onnxruntime_presets, "torch": torch_presets, "tensorflow": tensorflow_presets}

if __name__ == "__main__":
    for name in MODELS:
        for toolkit in sys.argv[2:] or TOOLKITS:
            TOOLKITS[toolkit](name)
