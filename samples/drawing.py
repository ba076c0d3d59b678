"""Draws the sample's images: twelve shapes of random size, place, turn and colour over clutter and noise."""

import numpy as np

CLASSES = ["disc", "ring", "triangle", "square", "star", "plus", "crescent", "arrow", "hourglass", "frame", "stripes",
           "checker"]
SIZE = 24
FINE = 2  # each pixel is the mean of FINE x FINE finer ones
STEP = 17  # values are multiples of this (16 levels), so that the files compress


def polygon(x, y, corners):
    """Whether each point lies in a polygon (even-odd rule)."""
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0)):
        if ay == by:
            continue
        crosses = (ay > y) != (by > y)
        inside ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return inside


def regular(count, turn=0.0, radius=1.0):
    angles = turn + np.arange(count) * 2 * np.pi / count
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)


STAR = np.stack([regular(5), regular(5, np.pi / 5, 0.42)], 1).reshape(10, 2)
ARROW = np.array([(1, 0), (0.1, 0.8), (0.1, 0.3), (-0.9, 0.3), (-0.9, -0.3), (0.1, -0.3), (0.1, -0.8)])
HOURGLASS = np.array([(-0.8, -0.8), (0.8, 0.8), (0.8, -0.8), (-0.8, 0.8)])[[0, 2, 3, 1]]


def shape(kind, x, y):
    """Whether each point lies in the shape, which fills about the unit circle."""
    r = np.hypot(x, y)
    if kind == "disc":
        return r < 0.85
    if kind == "ring":
        return (r < 0.95) & (r > 0.55)
    if kind == "triangle":
        return polygon(x, y, regular(3))
    if kind == "square":
        return np.maximum(abs(x), abs(y)) < 0.75
    if kind == "star":
        return polygon(x, y, STAR)
    if kind == "plus":
        return (np.minimum(abs(x), abs(y)) < 0.28) & (np.maximum(abs(x), abs(y)) < 0.9)
    if kind == "crescent":
        return (r < 0.95) & (np.hypot(x - 0.45, y) > 0.75)
    if kind == "arrow":
        return polygon(x, y, ARROW)
    if kind == "hourglass":
        return (abs(x) < abs(y) * 0.9 + 0.06) & (abs(y) < 0.85)
    if kind == "frame":
        return abs(np.maximum(abs(x), abs(y)) - 0.65) < 0.2
    if kind == "stripes":
        return (r < 0.95) & (np.mod(x * 1.6 + 0.25, 1) < 0.5)
    return (np.maximum(abs(x), abs(y)) < 0.85) & ((np.floor(x * 2.35 + 10.5) + np.floor(y * 2.35 + 10.5)) % 2 == 0)


def draw(random, kind):
    """One image, SIZE x SIZE x 3, uint8."""
    fine = SIZE * FINE
    y, x = np.mgrid[0:fine, 0:fine] / FINE + 0.5 / FINE
    back = random.uniform(40, 215, 3)
    slope = random.normal(0, 2.0, (2, 3))
    image = back + (x[..., None] - SIZE / 2) * slope[0] + (y[..., None] - SIZE / 2) * slope[1]

    def blend(mask, colour, strength=1.0):
        image[mask] += strength * (colour - image[mask])

    for _ in range(random.integers(2, 6)):  # clutter: short thick lines and dots
        cx, cy, angle = random.uniform(0, SIZE), random.uniform(0, SIZE), random.uniform(0, np.pi)
        length, width = random.uniform(0.5, 6), random.uniform(0.4, 1.1)
        u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        v = -(x - cx) * np.sin(angle) + (y - cy) * np.cos(angle)
        blend((abs(u) < length) & (abs(v) < width), random.uniform(0, 255, 3), random.uniform(0.3, 0.9))

    radius = random.uniform(5.0, 9.5)
    cx, cy = random.uniform(radius * 0.8, SIZE - radius * 0.8, 2)
    angle, stretch = random.uniform(0, 2 * np.pi), random.uniform(0.85, 1.15)
    u = ((x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)) / radius * stretch
    v = (-(x - cx) * np.sin(angle) + (y - cy) * np.cos(angle)) / radius / stretch
    colour = random.uniform(0, 255, 3)
    while np.abs(colour - back).sum() < 110:  # a shape nobody could see teaches nothing
        colour = random.uniform(0, 255, 3)
    blend(shape(kind, u, v), colour, random.uniform(0.75, 1.0))

    if random.random() < 0.5:  # something in front
        cx, cy, r = random.uniform(0, SIZE), random.uniform(0, SIZE), random.uniform(1.0, 2.6)
        blend(np.hypot(x - cx, y - cy) < r, random.uniform(0, 255, 3), 0.9)

    image = image.reshape(SIZE, FINE, SIZE, FINE, 3).mean((1, 3))
    image += random.normal(0, random.uniform(3, 14), image.shape)
    return (np.clip(np.rint(image / STEP) * STEP, 0, 255)).astype(np.uint8)


def images(count, seed):
    """`count` images and their class numbers, every class equally often, in random order."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % len(CLASSES))
    return np.stack([draw(random, CLASSES[label]) for label in labels]), labels.astype(np.int64)
