"""What the network learns from: turned and scaled crops of made pictures and of the presets' plates.

Every crop is turned by any angle: learned from upright pictures, the filters prefer rows and columns, and so would
the strokes.
"""
import math
import os
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from .pictures import PLATES, picture

SIDE = 96
SHARD = 20
FROM_PLATE = 16


def made(folder, count, note):
    """Pictures [count,256,256,3] of seeds 0.., drawn once and kept in `folder`."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shards = []
    for first in range(0, count, SHARD):
        path = folder / f"pictures-{first:04}.npy"
        if not path.exists():
            part = path.with_suffix(f".{os.getpid()}.part")
            with open(part, "wb") as out:
                np.save(out, np.stack([picture(seed) for seed in range(first, first + SHARD)]))
            part.rename(path)
            note(pictures=first + SHARD)
        shards.append(np.load(path))
    return np.concatenate(shards)[:count]


def plates(names=("monet", "vangogh", "ukiyoe", "mosaic", "sketch")):
    return [np.array(Image.open(PLATES / f"{name}.webp").convert("RGB")) for name in names]


def crops(pictures, generator):
    """Views [N,3,SIDE,SIDE] in 0..1: one of each picture, FROM_PLATE of each plate; near and far by a factor of 1.6."""

    def whole(least, most):
        return int(torch.randint(least, most + 1, (), generator=generator))

    def cut(image):
        y, x = whole(0, image.shape[0] - 160), whole(0, image.shape[1] - 160)
        return torch.tensor(image[y : y + 160, x : x + 160]).permute(2, 0, 1).float() / 255

    sources = [*pictures, *(plate for plate in plates() for _ in range(FROM_PLATE))]
    views = torch.stack([cut(image) for image in sources])
    n = len(views)
    angle = torch.rand(n, generator=generator) * 2 * math.pi
    scale = 0.62 * torch.exp(torch.rand(n, generator=generator) - 0.5)
    c, s = angle.cos() * scale, angle.sin() * scale
    turn = torch.stack([torch.stack([c, -s, 0 * c], 1), torch.stack([s, c, 0 * c], 1)], 1)
    grid = F.affine_grid(turn, (n, 3, SIDE, SIDE), align_corners=False)
    return F.grid_sample(views, grid, mode="bicubic", align_corners=False, padding_mode="reflection").clamp(0, 1)
