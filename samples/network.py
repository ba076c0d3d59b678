"""The sample's network as a list of steps, run by PyTorch and written as ONNX from the same list."""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper


class Network(torch.nn.Module):
    """Residual blocks and depthwise-separable blocks, each convolution with a batch norm of its own."""

    def __init__(self, classes):
        super().__init__()
        self.steps = []
        self.parts = torch.nn.ModuleDict()
        x = self.conv("stem/conv", "image", 3, 16, act="relu")
        x = self.residual("stage1/block1", x, 16, 16)
        x = self.separable("stage2/block1", x, 16, 32, stride=2)
        x = self.inverted("stage2/block2", x, 32, 96)
        x = self.residual("stage3/block1", x, 32, 48, stride=2)
        x = self.separable("stage3/block2", x, 48, 64)
        x = self.inverted("stage3/block3", x, 64, 128)
        x = self.conv("head/conv", x, 64, 96, kernel=1, act="relu6")
        self.step("GlobalAveragePool", "head/pool", [x])
        self.step("Flatten", "head/flatten", ["head/pool"])
        self.parts["head/classifier"] = torch.nn.Linear(96, classes)
        self.step("Gemm", "head/classifier", ["head/flatten"])

    def step(self, op, name, inputs):
        self.steps.append((op, name, inputs))
        return name

    def conv(self, name, x, cin, cout, kernel=3, stride=1, groups=1, act=None):
        self.parts[name] = torch.nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False)
        base = name.rsplit("/", 1)
        norm = f"{base[0]}/{base[1].replace('conv', 'norm')}" if "conv" in base[1] else f"{name}_norm"
        self.parts[norm] = torch.nn.BatchNorm2d(cout)
        with torch.no_grad():  # unequal gains from the start: channels differ in scale, as in networks trained for long
            self.parts[norm].weight.copy_(torch.exp(0.5 * torch.randn(cout)))
        x = self.step("BatchNormalization", norm, [self.step("Conv", name, [x])])
        return self.activation(name, act, x) if act else x

    def activation(self, name, act, x):
        return self.step("Relu" if act == "relu" else "Clip", f"{name}_{act}", [x])

    def residual(self, name, x, cin, cout, stride=1):
        y = self.conv(f"{name}/conv1", x, cin, cout, stride=stride, act="relu")
        y = self.conv(f"{name}/conv2", y, cout, cout)
        if cin != cout:
            x = self.conv(f"{name}/shortcut", x, cin, cout, kernel=1, stride=stride)
        return self.activation(name, "relu", self.step("Add", f"{name}/add", [y, x]))

    def separable(self, name, x, cin, cout, stride=1):
        y = self.conv(f"{name}/depthwise", x, cin, cin, stride=stride, groups=cin, act="relu6")
        return self.conv(f"{name}/pointwise", y, cin, cout, kernel=1, act="relu6")

    def inverted(self, name, x, width, inner):
        y = self.conv(f"{name}/expand", x, width, inner, kernel=1, act="relu6")
        y = self.conv(f"{name}/depthwise", y, inner, inner, groups=inner, act="relu6")
        y = self.conv(f"{name}/project", y, inner, width, kernel=1)
        return self.step("Add", f"{name}/add", [y, x])

    def forward(self, image):
        values = {"image": image}
        for op, name, inputs in self.steps:
            x = [values[i] for i in inputs]
            if op == "Add":
                y = x[0] + x[1]
            elif op == "Relu":
                y = torch.relu(x[0])
            elif op == "Clip":
                y = torch.clamp(x[0], 0, 6)
            elif op == "GlobalAveragePool":
                y = x[0].mean((2, 3), keepdim=True)
            elif op == "Flatten":
                y = x[0].flatten(1)
            else:
                y = self.parts[name](x[0])
            values[name] = y
        return y


def export(network, path, size, classes, metadata):
    """Writes the network as ONNX with a free batch; batch norms stay nodes of their own."""
    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    last = network.steps[-1][1]
    for op, name, inputs in network.steps:
        part = network.parts[name] if name in network.parts else None
        inputs, attributes = list(inputs), {}
        if op == "Conv":
            inputs.append(constant(f"{name}/weight", part.weight.detach().numpy()))
            attributes = dict(kernel_shape=list(part.kernel_size), strides=list(part.stride),
                              pads=list(part.padding) * 2, group=part.groups)
        elif op == "BatchNormalization":
            for key, value in [("scale", part.weight), ("bias", part.bias), ("mean", part.running_mean),
                               ("variance", part.running_var)]:
                inputs.append(constant(f"{name}/{key}", value.detach().numpy()))
            attributes = dict(epsilon=part.eps)
        elif op == "Gemm":
            inputs.append(constant(f"{name}/weight", part.weight.detach().numpy()))
            inputs.append(constant(f"{name}/bias", part.bias.detach().numpy()))
            attributes = dict(transB=1)
        elif op == "Clip":
            if not any(c.name == "zero" for c in constants):
                constant("zero", 0)
                constant("six", 6)
            inputs += ["zero", "six"]
        output = "scores" if name == last else name
        nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
    graph = helper.make_graph(
        nodes, "shapes",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, size, size])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", classes])], constants)
    model = helper.make_model(graph, producer_name="lathe-samples", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


def unbalance(network, seed, spread=0.75):
    """Gives the channels between two convolutions unequal scales, by powers of two, without changing any output.

    Published networks are often like this: trained long, their channels drift apart, which costs nothing in float and
    much in few bits. Cross-layer equalization can undo it. Only ReLU lets a scale through, so only the residual blocks
    are changed.
    """
    random = np.random.default_rng(seed)
    with torch.no_grad():
        for block in ["stage1/block1", "stage3/block1"]:
            norm, after = network.parts[f"{block}/norm1"], network.parts[f"{block}/conv2"]
            powers = np.rint(random.normal(0, spread / np.log(2), norm.num_features))
            scale = torch.from_numpy(np.exp2(powers).astype(np.float32))
            norm.weight *= scale
            norm.bias *= scale
            after.weight /= scale[None, :, None, None]
