"""Imitations: what style transfer with the network as it is takes for a manner, shown to it as what is not.

A few views start from another picture in the manner's colours, and at every training step go one step down the Gram
distance to their manner. The lattices and grain by which they cheat are then spoiled manners of the batch, and the
network learns to see them (learning by synthesis, as Xie et al. 2016 train a generative convolutional network).
"""
import torch

from .loss import gram

LIFE = 24  # steps of an imitation
PACE = 0.03  # Adam's rate, in units of the picture's 0..1
DECAYS = (0.7, 0.95)


class Imitations:
    """`manners` imitations of both views, their ages spread over LIFE."""

    def __init__(self, manners, views):
        self.manners, self.views = manners, views
        self.clean = self.copy = self.first = self.second = None
        self.age = torch.arange(manners) * LIFE // manners

    def state(self):
        return {k: getattr(self, k) for k in ("clean", "copy", "first", "second", "age")}

    def load(self, state):
        for k, v in state.items():
            setattr(self, k, v)

    def renew(self, pictures):
        """Fresh manners in place of those whose time is over."""
        old = torch.ones(self.manners, dtype=torch.bool) if self.clean is None else self.age >= LIFE
        count = int(old.sum())
        if self.clean is None:
            self.clean = self.views.crops(pictures, count)
            self.copy = self._start(pictures, self.clean)
            self.first, self.second = torch.zeros_like(self.copy), torch.zeros_like(self.copy)
        elif count:
            clean = self.views.crops(pictures, count)
            self.clean[:, old], self.copy[:, old] = clean, self._start(pictures, clean)
            self.first[:, old] = self.second[:, old] = 0
            self.age[old] = 0

    def _start(self, pictures, clean):
        """Other places in the manners' colours (mean and deviation of each channel), or the manners spoiled."""
        other = self.views.crops(pictures, clean.shape[1])
        mean, deviation = clean.mean((3, 4), keepdim=True), clean.std((3, 4), keepdim=True)
        other = (other - other.mean((3, 4), keepdim=True)) / (other.std((3, 4), keepdim=True) + 0.02)
        spoiled = self.views.uniform(0, 1, 1, clean.shape[1], 1, 1, 1) < 0.4
        return torch.where(spoiled, self.views.spoil(clean), (mean + deviation * other).clamp(0, 1))

    def go_on(self, net, device):
        """One step of every imitation towards its manner; the network's weights are not touched."""
        net.eval()
        flat = [t.flatten(0, 1).to(device).contiguous(memory_format=torch.channels_last) for t in (self.clean, self.copy)]
        with torch.no_grad():
            wanted = {k: gram(f) for k, f in net(flat[0]).items()}
        x = flat[1].requires_grad_(True)
        total = 0.0
        for name, f in net(x).items():
            a = wanted[name].float()
            off = (gram(f).float() - a).square().sum((1, 2)) / a.square().sum((1, 2)).clamp_min(1e-8)
            total = total + off.sum()
        slope = torch.autograd.grad(total, x)[0].float().cpu().contiguous().view_as(self.copy)
        net.train()
        self.first.lerp_(slope, 1 - DECAYS[0])
        self.second.lerp_(slope.square().mean((2, 3, 4), keepdim=True).expand_as(slope), 1 - DECAYS[1])
        self.age += 1
        warm = [1 - d ** self.age.clamp_min(1).view(1, -1, 1, 1, 1) for d in DECAYS]
        step = (self.first / warm[0]) / ((self.second / warm[1]).sqrt() + 1e-12)
        self.copy = (self.copy - PACE * step).clamp(0, 1)
        return total.item() / x.shape[0] / len(wanted)
