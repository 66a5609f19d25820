"""The made pictures on their way to the training: shards on disk, drawn ahead by a process of their own.

Shard k holds pictures k*SHARD .. k*SHARD+SHARD-1, so the same step sees the same pictures however fast they come.
"""
import multiprocessing
import os
import pathlib
import time

import numpy as np
import torch

from .pictures import SIZE, picture

SHARD = 32
KEEP = 40  # shards in memory: 1280 pictures, 250 MB
FIRST = 8  # shards before the first step
EVERY = 90  # steps from one new shard to the next


def path(folder, k):
    return pathlib.Path(folder) / f"pictures-{k:04}.npy"


def draw(folder, k):
    """Writes shard k unless it is there."""
    target = path(folder, k)
    if not target.exists():
        shard = np.stack([picture(k * SHARD + i) for i in range(SHARD)])
        part = target.with_suffix(f".{os.getpid()}.part")
        with open(part, "wb") as out:
            np.save(out, shard)
        part.rename(target)


def _ahead(folder, start, most):
    if hasattr(os, "nice"):
        os.nice(10)
    for k in range(start, most):
        draw(folder, k)


class Pool:
    """Pictures [n,3,SIZE,SIZE] as bytes; `advance(step)` takes in the shards that are due."""

    def __init__(self, folder, step=0, most=400):
        self.folder, self.most = folder, most
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        due = min(most, FIRST + step // EVERY)
        self.next = max(0, due - KEEP)
        self.process = multiprocessing.get_context("spawn").Process(
            target=_ahead, args=(str(folder), self.next, most), daemon=True
        )
        self.process.start()
        self.pictures = torch.empty(0, 3, SIZE, SIZE, dtype=torch.uint8)
        self.advance(step)

    def advance(self, step):
        due = min(self.most, FIRST + step // EVERY)
        while self.next < due:
            while not path(self.folder, self.next).exists():
                if not self.process.is_alive():
                    draw(self.folder, self.next)
                time.sleep(0.2)
            new = torch.from_numpy(np.load(path(self.folder, self.next))).permute(0, 3, 1, 2)
            self.pictures = torch.cat([self.pictures, new])[-KEEP * SHARD :]
            self.next += 1
