"""The sample recipes."""

RECIPES = {
    "int8-static": """# every layer in 8-bit integers, ranges from calibration
lathe: 1
name: int8 static
defaults:
  mode: static
  weights: {bits: 8, symmetric: true, granularity: channel, method: nearest}
  activations: {bits: 8, symmetric: false, observer: mse}
inputs: {bits: 8}
calibration: {samples: 256, seed: 1}
""",
    "mixed-float-stem": """# 4-bit weights where they do little harm, 8 bits where they would, the first layer in float
lathe: 1
name: mixed with a float stem
defaults:
  mode: static
  weights: {bits: 8, symmetric: true, granularity: channel, method: nearest}
  activations: {bits: 8, symmetric: false, observer: {percentile: 99.99}}
inputs: {bits: 8}
rules:
  - {match: {name: "stem/*"}, mode: float}
  - {match: {name: "stage3/block1/conv1"}, weights: {bits: 4}}
  - {match: {name: "stage3/block3/expand"}, weights: {bits: 4}}
  - {match: {name: "stage3/block3/project"}, weights: {bits: 4}}
  - {match: {operator: Gemm}, mode: weight-only, weights: {bits: 8}}
calibration: {samples: 256, seed: 1}
""",
    "int4-weights": """# 4-bit weights in groups of 32, rounded to nearest; activations stay float
lathe: 1
name: int4 weights
defaults:
  mode: weight-only
  weights: {bits: 4, symmetric: true, granularity: {group: 32}, method: nearest}
calibration: {samples: 256, seed: 1}
""",
}


def write(folder):
    folder.mkdir(exist_ok=True)
    for name, text in RECIPES.items():
        (folder / f"{name}.yaml").write_text(text)
