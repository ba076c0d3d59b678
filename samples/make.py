"""Makes everything in this folder: data, network, dataset cards and recipes. See README.md.

Needs numpy, torch and onnx; the same seed gives the same files with the same versions of them.
"""

import argparse
import os
import pathlib

import numpy as np
import torch

import drawing
import network
import recipes

HERE = pathlib.Path(__file__).parent
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def prepared(images):
    """Images as the network takes them: float32, channels first, normalised."""
    x = torch.from_numpy(images).float() / 255
    return ((x - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2).contiguous()


def accuracy(net, x, labels):
    net.eval()
    with torch.no_grad():
        found = torch.cat([net(part).argmax(1) for part in x.split(250)])
    return (found == labels).float().mean().item()


def train(net, x, labels, epochs, batch, rate):
    """AdamW with one cycle of the learning rate; images are flipped and shifted at random."""
    decay = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.005}, {"params": plain, "weight_decay": 0}], rate)
    steps = epochs * (len(x) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.2)
    for epoch in range(epochs):
        net.train()
        order, total = torch.randperm(len(x)), 0.0
        for start in range(0, len(x) - batch + 1, batch):
            part = order[start:start + batch]
            image = x[part]
            if torch.rand(()) < 0.5:
                image = image.flip(3)
            if torch.rand(()) < 0.5:
                image = image.flip(2)
            dx, dy = torch.randint(-2, 3, (2,)).tolist()
            image = image.roll((dy, dx), (2, 3))
            loss = torch.nn.functional.cross_entropy(net(image), labels[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs}: loss {total / (len(x) // batch):.3f}", flush=True)


def card(name, note, trained_on=False):
    text = f"""# {note}
inputs:
  image:
    file: {name}.npz
    array: images
    layout: nhwc
    scale: {1 / 255!r}
    mean: {list(MEAN)}
    std: {list(STD)}
labels: {{file: {name}.npz, array: labels, output: scores, names: classes.txt}}
metric: top1
"""
    (HERE / f"{name}.yaml").write_text(text + ("trained-on: true\n" if trained_on else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)

    # The network sees more images than are kept: the first of them become the training set that is written.
    counts = {"train": (12000, 4000), "calibration": (256, 256), "test": (2000, 2000)}
    data = {}
    for number, (name, (drawn, kept)) in enumerate(counts.items()):
        data[name] = drawing.images(drawn, [options.seed, number])
        images, labels = data[name]
        np.savez_compressed(HERE / f"{name}.npz", images=images[:kept], labels=labels[:kept].astype(np.uint8))
    (HERE / "classes.txt").write_text("".join(f"{name}\n" for name in drawing.CLASSES))
    card("train", f"{counts['train'][1]} of the images the network was trained on", trained_on=True)
    card("calibration", f"{counts['calibration'][1]} images to calibrate with; the network was not trained on them")
    card("test", f"{counts['test'][1]} images the network has not seen")
    recipes.write(HERE / "recipes")

    net = network.Network(len(drawing.CLASSES))
    print(f"{sum(p.numel() for p in net.parameters())} parameters")
    x, labels = prepared(data["train"][0]), torch.from_numpy(data["train"][1])
    train(net, x, labels, options.epochs, batch=64, rate=4e-3)
    net.eval()
    network.unbalance(net, options.seed)
    test, answers = prepared(data["test"][0]), torch.from_numpy(data["test"][1])
    print(f"test accuracy {accuracy(net, test, answers):.4f}, "
          f"training accuracy {accuracy(net, x[:4000], labels[:4000]):.4f}")
    network.export(net, HERE / "shapes.onnx", drawing.SIZE, len(drawing.CLASSES),
                   {"classes": ",".join(drawing.CLASSES), "seed": str(options.seed)})
    size = sum(p.stat().st_size for p in HERE.rglob("*") if p.is_file())
    print(f"{size / 1e6:.2f} MB in all")


if __name__ == "__main__":
    main()
