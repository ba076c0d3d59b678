"""The compressed-tensors package itself finds the weights Lathe meant."""
import json

import numpy as np
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationConfig, QuantizationScheme
from conftest import needs_shared
from safetensors.torch import load_file
from test_weight_files import path, values


@needs_shared
def test_the_package_decompresses_to_our_values():
    folder = path("compressed")
    config = json.loads((folder / "config.json").read_text())["quantization_config"]
    parsed = QuantizationConfig.model_validate(config)
    assert parsed.format == "mixed-precision"
    tensors = load_file(folder / "model.safetensors")
    seen = 0
    for group in parsed.config_groups.values():
        assert isinstance(group, QuantizationScheme)
        compressor = BaseCompressor.get_value_from_registry(group.format)
        for module in group.targets:
            state = {
                name[len(module) + 1:]: tensor for name, tensor in tensors.items() if name.startswith(module + ".")}
            weight = compressor.decompress(state, group)["weight"]
            assert weight.dtype == torch.float32
            expected = values(f"compressed-values/{module}.f32", tuple(weight.shape))
            assert np.array_equal(weight.numpy(), expected), module
            seen += 1
    assert seen == 13
