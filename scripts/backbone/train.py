"""The loop: views, contrast, schedule, checkpoints, and a judged transfer every few minutes."""
import contextlib
import copy
import json
import math
import pathlib
import time

import numpy as np
import torch
from safetensors.torch import save_file

from . import judge as judges
from .loss import Manners, Points
from .net import Brush, equalise, fold
from .pictures import KINDS, SIZE, picture
from .pool import Pool
from .transfer import transfer
from .views import VIEW, Views

MANNERS = 1.0  # weight of the task on whole views beside the one on points
RATE, DECAY, WARM = 3e-3, 1e-4, 100
AVERAGE = 0.995  # of the weights over steps: what is exported
PAIRS = ((900_001, 900_011), (900_002, 900_012))  # seeds of a scene and of strokes: never trained on


def pictures_of_pairs():
    """The log's own pairs: a made scene, to be painted like made strokes; [1,3,S,S] in 0..1."""

    def made(kind, seed):
        x = torch.from_numpy(np.clip(KINDS[kind](np.random.default_rng(seed)), 0, 255)).float() / 255
        return x.permute(2, 0, 1)[None].contiguous()

    return [(made(4, a), made(3, b)) for a, b in PAIRS]


def export(net, path=None):
    """Folded, equalised over made pictures; written as fp16 if `path` is given."""
    seeds = range(800_000, 800_012)  # never trained on
    pictures = [torch.from_numpy(picture(s)).permute(2, 0, 1)[None].float() / 255 for s in seeds]
    weights = equalise(fold(net), pictures)
    half = {k: v.half().contiguous() for k, v in weights.items()}
    if path:
        save_file(half, path, {"format": "pt", "network": "brush"})
    return {k: v.float() for k, v in half.items()}


class Training:
    """Everything that a checkpoint keeps."""

    def __init__(self, args):
        self.args, self.device = args, torch.device(args.device)
        self.generator = torch.Generator().manual_seed(args.seed)
        self.net = Brush(self.generator).to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).eval()
        self.points = Points().to(self.device)
        self.manners = Manners(self.generator).to(self.device)
        parameters = [*self.net.parameters(), *self.points.parameters(), *self.manners.parameters()]
        self.optimiser = torch.optim.AdamW(parameters, RATE, weight_decay=DECAY)
        self.views = Views(self.generator)
        self.step, self.spent = 0, 0.0

    def state(self):
        return {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "points": self.points.state_dict(),
            "manners": self.manners.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "step": self.step,
            "spent": self.spent,
        }

    def load(self, state):
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.points.load_state_dict(state["points"])
        self.manners.load_state_dict(state["manners"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"].cpu())
        self.step, self.spent = state["step"], state["spent"]

    def rate(self, share):
        """Warm, flat, then to zero over the last half."""
        down = 1.0 if share < 0.5 else 0.5 * (1 + math.cos(math.pi * min(1.0, 2 * share - 1)))
        return RATE * min(1.0, (self.step + 1) / WARM) * max(down, 0.01)

    def precision(self):
        return torch.autocast(self.device.type, torch.bfloat16) if self.args.half else contextlib.nullcontext()

    def one(self, pictures, share):
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(share)
        batch, points = self.views.batch(pictures, self.args.places, self.args.points)
        batch, points = batch.to(self.device), points.to(self.device)
        with self.precision():
            layers = self.net(batch.contiguous(memory_format=torch.channels_last))
            whole, manner = self.manners(layers)
        loss, right = self.points(layers, points, VIEW)
        loss = loss + MANNERS * whole
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        keep = min(AVERAGE, self.step / (self.step + 9))
        with torch.no_grad():
            for slow, fast in zip(self.average.state_dict().values(), self.net.state_dict().values()):
                slow.lerp_(fast, 1 - keep) if slow.is_floating_point() else slow.copy_(fast)
        return {"loss": loss.item(), "manner": manner, **right}


def judged(weights, pairs, features, size):
    """Mean content and style of short transfers, over pairs; and the style that unpainted contents score."""
    made, bare = [], []
    for content, style in pairs:
        content, style = (torch.nn.functional.interpolate(x, (size, size), mode="area") for x in (content, style))
        made.append(judges.judge(features, content, style, transfer(weights, content, style, 40))[:2])
        bare.append(judges.judge(features, content, style, content)[1])
    n = len(pairs)
    return sum(m[0] for m in made) / n, sum(m[1] for m in made) / n, sum(bare) / n


def train(args):
    folder = pathlib.Path(args.work)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    training, checkpoint = Training(args), folder / "checkpoint.pt"
    if args.resume:
        training.load(torch.load(checkpoint, map_location=training.device))
    log = open(folder / "log.jsonl", "a" if args.resume else "w", encoding="utf-8")

    def say(**values):
        line = json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()})
        print(line, flush=True)
        print(line, file=log, flush=True)

    features = judges.wavelets
    if args.judge:
        from safetensors.torch import load_file

        features = judges.network(load_file(args.judge))
    pairs = pictures_of_pairs()
    pool = Pool(args.pictures or folder / "pictures", training.step)
    budget, average, next_score = args.minutes * 60, None, training.spent
    while training.spent < budget:
        started = time.monotonic()
        pool.advance(training.step)
        now = training.one(pool.pictures, training.spent / budget)
        training.spent += time.monotonic() - started
        average = now if average is None else {k: 0.97 * v + 0.03 * now[k] for k, v in average.items()}
        if training.step % 50 == 0:
            say(step=training.step, minutes=training.spent / 60, **average)
        if training.spent >= next_score + args.every * 60 or training.spent >= budget:
            next_score = training.spent
            part = checkpoint.with_suffix(".part")
            torch.save(training.state(), part)
            part.rename(checkpoint)
            weights = export(training.average, folder / f"brush-{training.step:06}.safetensors")
            content, style, bare = judged(weights, pairs, features, args.size)
            say(step=training.step, minutes=training.spent / 60, content=content, style=style, bare=bare)
    export(training.average, args.out)
