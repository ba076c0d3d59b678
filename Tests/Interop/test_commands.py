"""Commands: exit statuses, JSON, refusals."""
import json
import os
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from conftest import SAMPLES, lathe, lathe_json

SAMPLE = [SAMPLES / "shapes.onnx", "--data", SAMPLES / "test.yaml", "--train-data", SAMPLES / "train.yaml"]


def test_compare_matches_its_schema():
    schema = json.loads((Path(__file__).parent / "compare.schema.json").read_text())
    report = lathe_json("compare", *SAMPLE, "--preset", "static-int8", "--preset", "weight-int4", "--limit", "200")
    jsonschema.validate(report, schema)
    float32 = set(report["float32"])
    for candidate in report["candidates"]:
        assert float32 <= set(candidate), "a candidate has every key that float32 has"
    assert report["float32"]["samples"] == 200
    for candidate, answers in zip(report["candidates"], report["answers"], strict=True):
        assert candidate["name"] == answers["name"] and answers["samples"] == candidate["samples"] == 200
        assert abs((answers["gained"] - answers["lost"]) / 200 - candidate["top1_delta"]) < 1e-12
        moved = sum(pair["count"] for pair in answers["confusion"])
        assert abs(1 - moved / 200 - candidate["agreement"]) < 1e-12
        assert moved == answers["lost"] + answers["gained"] + answers["other_wrong"]
        assert sum(row["samples"] for row in answers["classes"]) == 200
        assert candidate["quantized_macs"] == 1


def test_compare_without_data_says_so():
    report = lathe_json("compare", SAMPLES / "shapes.onnx", "--preset", "static-int8")
    assert report["data"]["labelled"] is False and "synthetic" in report["data"]["roles"]
    assert "top1" not in report["candidates"][0] and report["candidates"][0]["sqnr_db"] > 0


def test_fail_if():
    arguments = ["compare", *SAMPLE, "--preset", "weight-int4", "--limit", "50"]
    assert lathe(*arguments, "--fail-if", "compression<100", check=False).returncode == 1
    assert lathe(*arguments, "--fail-if", "compression>100").returncode == 0


@pytest.mark.parametrize("ending", ["md", "html"])
def test_report(ending, tmp_path):
    path = tmp_path / f"report.{ending}"
    lathe("compare", *SAMPLE, "--preset", "static-int8", "--limit", "50", "--report", path)
    assert "static-int8" in path.read_text()


@pytest.mark.parametrize(
    "arguments, status, words",
    [
        (["inspect", "nowhere.onnx"], 1, "nowhere.onnx"),
        (["inspect", SAMPLES / "README.md"], 1, "model file"),
        (["inspect"], 64, "model"),
        (["compare", SAMPLES / "shapes.onnx"], 64, "recipe"),
        (["compare", SAMPLES / "shapes.onnx", "--preset", "nothing"], 64, "static-int8"),
        (["compare", SAMPLES / "shapes.onnx", "--data", "nowhere.yaml", "--preset", "float"], 1, "nowhere.yaml"),
        (["inspect", SAMPLES / "shapes.onnx", "--input-shape", "image=1x2"], 1, "image"),
        (["inspect", SAMPLES / "shapes.onnx", "--threads", "0"], 64, "threads"),
        (["quantize", SAMPLES / "shapes.onnx", "--preset", "dynamic-int8", "-o", "/nowhere/x.onnx"], 1, "/nowhere"),
        (["quantize", SAMPLES / "shapes.onnx", "--preset", "dynamic-int8", "-o", "x.unknown"], 1, "x.unknown"),
        (["--snapshot", "12", "--keys", "q"], 64, "snapshot"),
        (["blame", SAMPLES / "shapes.onnx"], 64, "recipe"),
        (["blame", SAMPLES / "shapes.onnx", "--preset", "static-int8", "--sort", "luck"], 64, "sort"),
        (["blame", SAMPLES / "shapes.onnx", "--preset", "float", "--layer", "nowhere"], 1, "nowhere"),
    ],
)
def test_refusals(arguments, status, words):
    done = lathe(*arguments, check=False)
    assert done.returncode == status
    assert words in done.stderr and done.stdout == ""


def test_unknown_recipe_key_names_its_place(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("lathe: 1\nname: x\ndefaults: {mode: static, wieghts: {bits: 8}}\n")
    done = lathe("compare", SAMPLES / "shapes.onnx", "--recipe", path, check=False)
    assert done.returncode == 1 and "wieghts" in done.stderr and "3" in done.stderr


def test_lists():
    assert {p["name"] for p in lathe_json("presets")} >= {"float", "static-int8", "onnxruntime-qdq"}
    assert {"terminal", "mono"} <= set(lathe_json("themes"))
    assert any(row["id"] == "run" for row in lathe_json("keys"))
    assert {"config", "themes", "state", "sessions", "log", "commands"} <= set(lathe_json("paths"))


def test_keys_of_the_configuration(tmp_path):
    """Own keys are listed; what cannot be is said with its line, and the rest holds."""
    folder = tmp_path / "lathe"
    folder.mkdir()
    (folder / "config.yaml").write_text("keys:\n  undo: [u, f7]\n  run: q\n  runn: x\n")
    done = lathe("keys", "--json", env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)})
    keys = {row["id"]: row["keys"] for row in json.loads(done.stdout)}
    assert keys["undo"] == ["u", "f7"] and keys["run"] == ["r", "f5"]
    lines = done.stderr.splitlines()
    assert len(lines) == 2 and "line 3" in lines[1] and "line 4" in lines[0], done.stderr


def test_predictions_stand_beside_what_is_measured():
    report = lathe_json(
        "what-if", *SAMPLE, "--preset", "static-int8", "--preset", "weight-int4", "--measure", "--limit", 400)
    assert [c["name"] for c in report["candidates"]] == ["preset:static-int8", "preset:weight-int4"]
    for candidate in report["candidates"]:
        prediction, measured = candidate["prediction"], candidate["measured"]
        assert prediction["weight_bytes"] == measured["weight_bytes"]
        assert prediction["kl"] >= sum(layer["cost"] for layer in prediction["layers"]) * (1 - 1e-9) > 0
        assert "latency_ms" not in prediction and "latency_ms" not in measured
    eight, four = (c["prediction"] for c in report["candidates"])
    assert eight["kl"] < four["kl"] and eight["top1_delta"] > four["top1_delta"]
    assert report["preparation"]["kept_bytes"] <= 96 << 20


def test_results_do_not_depend_on_threads(tmp_path):
    np.savez(tmp_path / "in.npz", image=np.random.default_rng(1).random((5, 3, 24, 24), np.float32))
    outputs = []
    for threads in (1, 2):
        lathe(
            "run", SAMPLES / "shapes.onnx", "--input", tmp_path / "in.npz", "--output", tmp_path / "out.npz", "--threads",
            threads, "--preset", "static-int8", "--data", SAMPLES / "train.yaml")
        outputs.append(np.load(tmp_path / "out.npz")["scores"])
    assert (outputs[0] == outputs[1]).all()


def test_calibration_memory_does_not_grow_with_samples(tmp_path):
    """Entropy observer, 100 and 1 000 samples: peak memory within 10 %."""
    import subprocess
    import sys

    peaks = []
    for samples in (100, 1000):
        path = tmp_path / "recipe.yaml"
        path.write_text(
            "lathe: 1\nname: entropy\ndefaults: {mode: static, activations: {observer: entropy}}\n"
            f"calibration: {{samples: {samples}, seed: 1}}\n")
        from conftest import LATHE

        command = [str(LATHE), "quantize", *map(str, SAMPLE), "--recipe", str(path), "-o", str(tmp_path / "q.onnx"), "--quiet"]
        script = (
            "import resource, subprocess, sys\n"
            "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n")
        peaks.append(int(subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True).stdout))
    print("peak KiB", peaks)
    assert abs(peaks[1] - peaks[0]) <= 0.1 * peaks[0]


def test_bench_measures_the_machine_and_every_step():
    machine = json.loads(lathe("bench", "--json", "--threads", 1).stdout)
    assert machine["variants"] == []
    peaks = machine["peaks"]
    assert peaks["float32"]["one_thread_gops"] > 0 and peaks["memory"][-1]["name"] == "memory"
    model = json.loads(lathe("bench", SAMPLES / "shapes.onnx", "--preset", "static-int8", "--runs", 5, "--json", "--threads", 1).stdout)
    assert [variant["name"] for variant in model["variants"]] == ["float32", "preset:static-int8"]
    for variant in model["variants"]:
        assert variant["latency_ms"] > 0
        for step in variant["steps"]:
            assert 0 <= step["fraction"] <= 1 and step["verdict"], step


def test_sensitivity_finds_the_layer_that_costs_most():
    arguments = ["sensitivity", *SAMPLE, "--bits", "8,4", "--quantize", "weights", "--limit", "400"]
    report = lathe_json(*arguments)
    assert report["metric"] == "kl" and not report["is_estimate"] and report["data"]["samples"] == 400
    # The README of the samples: -2.05 points alone at 4 bits, no other more than -0.25.
    assert report["layers"][0]["name"] == "stage3/block1/conv2"
    costs = report["layers"][0]["costs"]
    assert [cost["weight_bits"] for cost in costs] == [8, 4] and "activation_bits" not in costs[0]
    low, high = costs[1]["top1_delta_ci95"]
    assert low <= costs[1]["top1_delta"] <= high and costs[1]["kl"] > 2 * report["layers"][1]["costs"][1]["kl"]
    assert costs[0]["sqnr_db"] > costs[1]["sqnr_db"]
    assert report["effort"]["gflops"] > 0 and report["effort"]["predicted_peak_bytes"] > 0
    one = lathe_json(*arguments, "--threads", "1", "--memory", "1")
    assert one["layers"] == report["layers"]


def test_sensitivity_without_data_is_an_estimate():
    report = lathe_json("sensitivity", SAMPLES / "shapes.onnx")
    kurtosis = [layer["weight_kurtosis"] for layer in report["layers"]]
    assert report["is_estimate"] and report["metric"] == "kurtosis" and "data" not in report
    assert kurtosis == sorted(kurtosis, reverse=True) and len(kurtosis) > 10
    assert "estimate" in lathe("sensitivity", SAMPLES / "shapes.onnx").stdout


@pytest.mark.parametrize(
    "arguments, words",
    [(["--bits", "8,9"], "--bits"), (["--bits", "4,4"], "--bits"), (["--metric", "speed"], "metric"),
     (["--limit", "0"], "--limit"), (["--quantize", "none"], "quantize")])
def test_sensitivity_refusals(arguments, words):
    done = lathe("sensitivity", *SAMPLE, *arguments, check=False)
    assert done.returncode == 64 and words in done.stderr and done.stdout == ""


def test_search_writes_a_recipe_that_keeps_its_bounds(tmp_path):
    path = tmp_path / "mixed.yaml"
    report = lathe_json("search", *SAMPLE, "--min-compression", "5", "--limit", "200", "-o", path)
    chosen = next(point for point in report["points"] if point["kind"] == "chosen")
    assert report["meets_bounds"] and chosen["compression"] >= 5 and report["data"]["samples"] == 200
    assert path.read_text() == report["recipe"]
    for point in report["points"]:
        if point["kind"] == "uniform" and point["compression"] >= 5:
            assert chosen["selection"]["kl"] <= point["selection"]["kl"]
    compared = lathe_json("compare", *SAMPLE, "--recipe", path, "--limit", "200")["candidates"][0]
    assert compared["weight_bytes"] == chosen["weight_bytes"]
    # Simulated there, on integer kernels here.
    assert abs(compared["top1"] - chosen["evaluation"]["top1"]) <= 0.01
    assert abs(compared["top1_delta"] - chosen["evaluation"]["top1_delta"]) <= 0.01


def test_search_over_modes_and_methods_for_time(tmp_path):
    path = tmp_path / "fast.yaml"
    report = lathe_json(
        "search", *SAMPLE, "--minimize", "latency", "--max-drop", "3", "--modes", "static,weight-only,float", "--methods",
        "nearest,gptq", "--bits", "8", "--limit", "50", "-o", path)
    names = {name for point in report["points"] for name in point["widths"]}
    assert names <= {"W8 static nearest", "W8 static GPTQ", "W8 weight-only nearest", "W8 weight-only GPTQ", "float"}
    assert report["goal"] == "latency" and report["bounds"]["max_drop"] == pytest.approx(0.03)
    chosen = next(point for point in report["points"] if point["kind"] == "chosen")
    assert chosen["latency_ratio"] > 0 and all(point["predicted_latency_ratio"] > 0 for point in report["points"])


@pytest.mark.parametrize(
    "arguments, status, words",
    [(["--bits", "1"], 64, "--bits"), (["--max-size", "9", "--min-compression", "2"], 64, "not both"),
     (["--max-drop", "-1"], 64, "--max-drop"), (["-o", "recipe.json"], 64, ".yaml"),
     (["--modes", "static,qat"], 64, "--modes"), (["--modes", "float"], 64, "--modes"),
     (["--methods", "best"], 64, "--methods"), (["--minimize", "loss"], 64, "--min-compression"),
     (["--preset", "qat-w4a4"], 1, "does not train"), (["-o", "/nowhere/r.yaml", "--bits", "8"], 1, "/nowhere")])
def test_search_refusals(arguments, status, words, tmp_path):
    output = [] if "-o" in arguments else ["-o", tmp_path / "recipe.yaml"]
    done = lathe("search", *SAMPLE, *output, *arguments, "--limit", "20", check=False)
    assert done.returncode == status and words in done.stderr and done.stdout == ""


def test_advise_answers_with_figures():
    advice = lathe_json("advise", *SAMPLE, "--limit", "200", "--target", "tensorrt")
    assert advice["choice"] in ("quantize", "weight-only", "float32") and advice["headline"]
    assert [section["question"] for section in advice["sections"]][0] == "Does accuracy allow it?"
    for section in advice["sections"]:
        for sentence in section["sentences"]:
            assert any(character.isdigit() for character in sentence), sentence
    evidence = advice["evidence"]
    assert evidence["peaks"]["int8"]["one_thread_gops"] > 0 and evidence["comparison"]["float32"]["samples"] == 200
    assert sum(cost["noise_share"] for cost in evidence["layer_costs"]) == pytest.approx(1)
    names = [trial["name"] for trial in evidence["comparison"]["candidates"]]
    assert names[0] == "static-int8" and (advice["choice"] == "float32" or advice["candidate"] in names)
    # Which candidate is advised depends on the machine.
    rules, checked = {finding["rule"] for finding in advice["lint"]["findings"]}, advice["lint"]["candidate"]
    assert advice["lint"]["target"] == "tensorrt"
    assert ("symmetric-activations" in rules) == checked.startswith("static"), (checked, rules)
    assert ("dynamic" in rules) == checked.startswith("dynamic"), (checked, rules)


def test_advise_without_data_says_what_it_cannot_tell():
    advice = lathe_json("advise", SAMPLES / "shapes.onnx")
    assert advice["sections"][0]["answer"] == "unknown" and advice["evidence"]["layer_costs"] == []
    assert not advice.get("candidate", "").startswith("static")
    assert lathe("advise", SAMPLES / "shapes.onnx", "--target", "nothing", check=False).returncode == 64


def test_blame_splits_every_layer_and_drills_into_one():
    report = lathe_json("blame", *SAMPLE, "--preset", "static-int8", "--limit", "64", "--layer", "stage2/block2/project", "--threads", 2)
    assert report["samples"] == 64 and report["recipe"] == "preset:static-int8" and "--train-data" in report["roles"]
    assert len(report["layers"]) > 15
    added = [layer["error"]["added_ratio"] for layer in report["layers"]]
    assert added == sorted(added, reverse=True) and added[0] > 0
    for layer in report["layers"]:
        error = layer["error"]
        parts = error["inherited_ratio"] + error["activations_ratio"] + error["weights_ratio"] + error["cross_ratio"]
        assert parts == pytest.approx(error["total_ratio"], rel=1e-6, abs=1e-12), layer
        assert error["added_ratio"] == pytest.approx(error["activations_ratio"] + error["weights_ratio"])
        if error["total_ratio"] > 0:
            assert error["total_sqnr_db"] == pytest.approx(-10 * np.log10(error["total_ratio"]))
    detail = report["layer"]
    assert detail["name"] == "stage2/block2/project" and sum(c["share"] for c in detail["channels"]) == pytest.approx(1)
    worst = [sample["error"]["total_ratio"] for sample in detail["worst_samples"]]
    assert len(worst) == 8 and worst == sorted(worst, reverse=True)
    again = lathe_json("blame", *SAMPLE, "--preset", "static-int8", "--limit", "64", "--sort", "name", "--threads", 1)
    assert [layer["name"] for layer in again["layers"]] == sorted(layer["name"] for layer in report["layers"])
    assert {l["name"]: l for l in again["layers"]} == {l["name"]: l for l in report["layers"]}, "threads change nothing"


def test_blame_of_float_is_nothing():
    report = lathe_json("blame", *SAMPLE, "--preset", "float", "--limit", "8")
    for layer in report["layers"]:
        assert layer["error"]["total_ratio"] == 0 and layer["error"]["added_ratio"] == 0
        assert "total_sqnr_db" not in layer["error"], "a figure that does not exist is left out"


def test_blame_is_readable():
    text = lathe("blame", *SAMPLE, "--preset", "weight-int4", "--limit", "16", "--layer", "stem/conv").stdout
    assert "inherited" in text and "stem/conv, channels" in text and "worst samples" in text
