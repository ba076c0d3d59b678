"""How quickly the real program answers, on a terminal of its own: a table for the README.

    python Tests/Interop/tables/latency.py [--keys 500] [--model MODEL --data CARD --train-data CARD]

The time of a key is from writing it to the terminal until what it changes has been read, with both ends in this
process. `busy` has a candidate measured on every core by the program itself, `crowded` as many other processes as
there are cores that only compute. Without --model the bundled sample is used, and for the long list a model of
10 000 layers is made.
"""
import argparse
import multiprocessing
import os
import pathlib
import re
import select
import statistics
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from workbench import SAMPLE, Screen  # noqa: E402

def long_model(path, layers=10_000):
    """A chain of convolutions of one channel, named as large models name theirs."""
    nodes, weights = [], []
    for index in range(layers):
        scope = f"stage{index // 1000}/block{index // 10 % 100}/conv{index % 10}"
        weights.append(numpy_helper.from_array(np.full((1, 1, 1, 1), 0.5, np.float32), f"{scope}.weight"))
        nodes.append(helper.make_node("Conv", [f"v{index}", f"{scope}.weight"], [f"v{index + 1}"], name=scope))
    graph = helper.make_graph(
        nodes, "long", [helper.make_tensor_value_info("v0", TensorProto.FLOAT, ["N", 1, 4, 4])],
        [helper.make_tensor_value_info(f"v{layers}", TensorProto.FLOAT, ["N", 1, 4, 4])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)


def read(screen, seconds):
    """The bytes that come within a time; without an emulator, which is slower than the program."""
    if not select.select([screen.process.fd], [], [], seconds)[0]:
        return b""
    return os.read(screen.process.fd, 1 << 20)


def drain(screen, quiet):
    while read(screen, quiet):
        pass


def answer(screen, key, sign):
    """Milliseconds until what the key changes, which contains `sign`, has been read to its end; or nothing.

    There is none where this key and the one before reached the program together and change nothing between them.
    """
    began = last = time.perf_counter()
    screen.send(key)
    seen = b""
    while data := read(screen, 2 if not seen or sign not in seen else 0.001):
        last = time.perf_counter()
        seen += data
    return (last - began) * 1000 if seen and sign in seen else None


def keys(screen, name, count, these):
    """Presses keys in turn, each with a sign that what is read answers it, and tells the times.

    Processor time is that of the thread that draws.
    """
    while read(screen, 0):
        pass
    before = screen.main_thread()[0]
    times = []
    for index in range(count):
        times.append(answer(screen, *these[index % len(these)]))
        # As a person types, and so that a key is not answered together with the one before.
        time.sleep(0.005)
    spent = (screen.main_thread()[0] - before) / count / 1e6
    answered = [time for time in times if time is not None]
    assert len(answered) > 0.9 * count, f"{name}: {count - len(answered)} of {count} keys unanswered"
    told(name, answered, spent)


def told(name, times, spent):
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(
        f"| {name} | {len(times)} | {statistics.median(times):.2f} | {p99:.2f} | {ordered[-1]:.2f} | {spent:.2f} |",
        flush=True)


def names(screen):
    """The first two rows of the list: going down and up again, each is drawn anew."""
    first, second = re.findall(r"^[┃│]\S?[▸ ]\S? *(\S*[a-z]\S*)", screen.text(), re.M)[1:3]
    return ("j", second.encode()), ("k", first.encode())


def crowd(stop):
    # As in another window: the scheduler shares processors between sessions.
    os.setsid()
    while not stop.is_set():
        sum(range(10_000))


def crowded(body):
    """Runs `body` while every core computes something else."""
    stop = multiprocessing.Event()
    others = [multiprocessing.Process(target=crowd, args=(stop,)) for _ in range(os.cpu_count())]
    for other in others:
        other.start()
    try:
        return body()
    finally:
        stop.set()
        for other in others:
            other.join()


def opened(arguments, **options):
    screen = Screen(*arguments, "--session", "none", **options)
    screen.wait_for("┃▸", 120)
    screen.settle(1)
    return screen


def redraws(columns, rows, count=50):
    """Milliseconds from ^L to the last byte of the whole screen drawn anew."""
    screen = opened(SAMPLE, columns=columns, rows=rows)
    times, sizes = [], []
    before = screen.main_thread()[0]
    for _ in range(count):
        began = last = time.perf_counter()
        screen.send("\x0c")
        size = 0
        while data := read(screen, 0.06):
            size += len(data)
            last = time.perf_counter()
        times.append((last - began) * 1000)
        sizes.append(size)
    spent = (screen.main_thread()[0] - before) / count / 1e6
    end(screen)
    told(f"{columns}x{rows} drawn anew (^L), {statistics.median(sizes) / 1024:.0f} KiB", times, spent)


def totals(pid):
    """Nanoseconds on a processor and times put on one, over all threads."""
    on, times = 0, 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "schedstat").read_text().split()
        on, times = on + int(fields[0]), times + int(fields[2])
    return on, times


def end(screen):
    screen.process.terminate(force=True)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--keys", type=int, default=500)
    options.add_argument("--model")
    options.add_argument("--data")
    options.add_argument("--train-data")
    given = options.parse_args()
    arguments = SAMPLE
    if given.model:
        arguments = [given.model, "--data", given.data, "--train-data", given.train_data]

    screen = opened(arguments)
    before = totals(screen.process.pid)
    time.sleep(5)
    on, times = (b - a for a, b in zip(before, totals(screen.process.pid)))
    print(f"idle for 5 s: {on / 1e6:.3f} ms on a processor, woken {times} times\n")
    print("| key to screen | keys | median ms | p99 ms | worst ms | processor ms |\n|---|---|---|---|---|---|")
    rows = names(screen)
    keys(screen, "120x36, idle", given.keys, rows)
    crowded(lambda: keys(screen, "120x36, crowded", given.keys, rows))
    screen.send("r")
    time.sleep(0.3)
    keys(screen, "120x36, busy", given.keys, rows)
    end(screen)

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "long.onnx"
        long_model(path)
        began = time.perf_counter()
        screen = opened([path])
        print(f"| 10 000 layers: opened in {time.perf_counter() - began - 1:.1f} s | | | | | |")
        keys(screen, "10 000 layers, one down and up", given.keys, names(screen))
        keys(screen, "10 000 layers, page down and up", given.keys // 2, (("\x1b[6~", b""), ("\x1b[5~", b"")))
        keys(screen, "10 000 layers, end and home", given.keys // 5, (("G", b""), ("g", b"")))
        screen.send("\x1b[6~")
        drain(screen, 1)
        keys(screen, "10 000 layers, scrolling by one", given.keys, (("j", b""),))
        crowded(lambda: keys(screen, "10 000 layers, scrolling, crowded", given.keys, (("j", b""),)))
        end(screen)

    for columns, rows in [(80, 24), (120, 36), (200, 60), (300, 90)]:
        redraws(columns, rows)


if __name__ == "__main__":
    main()
