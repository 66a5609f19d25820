"""Samples of the task: two views of one place in a made picture, and which points of them show the same.

The place is turned, scaled and recoloured once; the second view is turned, stretched and moved a little more, lit a
little differently, blurred or grained. Orientation, scale and colour change so little that they still tell places apart.
"""
import math

import torch
import torch.nn.functional as F

VIEW = 67  # pixels: 31 after the first convolution, 15 and 7 after the poolings
INNER = 0.72  # points are taken from this part of the first view
TURN, STRETCH, MOVE = 0.2, 0.14, 6.0  # radians, log of scale, pixels


class Views:
    """Draws batches from pictures [n,3,S,S] of bytes; all chance comes from `generator`."""

    def __init__(self, generator):
        self.generator = generator

    def uniform(self, lo, hi, *shape):
        return lo + (hi - lo) * torch.rand(shape, generator=self.generator)

    def normal(self, *shape):
        return torch.randn(shape, generator=self.generator)

    def batch(self, pictures, places, points):
        """Views [2*places,3,VIEW,VIEW], first ones first, and matching points [2,places,points,2] in -1..1 of each."""
        size = pictures.shape[-1]
        which = torch.randint(0, len(pictures), (places,), generator=self.generator)
        scale = torch.exp(self.uniform(math.log(0.5), math.log(1.6), places))
        angle = self.uniform(-math.pi, math.pi, places) * (self.uniform(0, 1, places) < 0.5)
        centre = self.uniform(0.28, 0.72, places, 2) * 2 - 1
        first = self._frame(angle, scale, centre, size)
        moved = centre + self.uniform(-MOVE, MOVE, places, 2) * scale[:, None] * 2 / size
        angle = angle + self.uniform(-TURN, TURN, places)
        second = self._frame(angle, scale * torch.exp(self.uniform(-STRETCH, STRETCH, places)), moved, size)
        views = torch.stack([self._cut(pictures, which, frame, scale) for frame in (first, second)])
        here = self.uniform(-INNER, INNER, places, points, 2)
        in_picture = here @ first[:, :, :2].transpose(1, 2) + first[:, None, :, 2]
        there = (in_picture - second[:, None, :, 2]) @ torch.linalg.inv(second[:, :, :2]).transpose(1, 2)
        return self.disturbed(self.recoloured(views)).flatten(0, 1), torch.stack([here, there])

    def _frame(self, angle, scale, centre, size):
        """Affine maps [n,2,3] from a view's -1..1 to the picture's."""
        reach, c, s = VIEW * scale / size, angle.cos(), angle.sin()
        turn = torch.stack([torch.stack([c, -s], 1), torch.stack([s, c], 1)], 1) * reach[:, None, None]
        return torch.cat([turn, centre[:, :, None]], 2)

    def _cut(self, pictures, which, frame, scale):
        out = torch.empty(len(which), 3, VIEW, VIEW)
        for k, picture in enumerate(which.tolist()):
            x = pictures[picture][None].float() / 255
            if scale[k] > 1.05:
                x = F.avg_pool2d(x, 2)
            grid = F.affine_grid(frame[k : k + 1], (1, 3, VIEW, VIEW), align_corners=False)
            out[k] = F.grid_sample(x, grid, align_corners=False, padding_mode="reflection")[0]
        return out

    def recoloured(self, views):
        """The same change of colour for both views of a place."""
        n = views.shape[1]
        turn = torch.eye(3) + 0.15 * self.normal(n, 3, 3)
        order = torch.stack([torch.randperm(3, generator=self.generator) for _ in range(n)])
        mixed = torch.gather(turn, 2, order[:, None].expand(n, 3, 3))
        turn = torch.where(self.uniform(0, 1, n, 1, 1) < 0.4, mixed, turn)
        gain, lift = self.uniform(0.6, 1.2, n, 1, 1, 1), self.uniform(-0.12, 0.12, n, 1, 1, 1)
        middle = views.mean((0, 3, 4))[:, :, None, None]
        return torch.einsum("nij,vnjhw->vnihw", turn, views - middle) * gain + middle + lift

    def disturbed(self, views):
        """Every view by itself: light and tint, a soft or sharp lens, grain."""
        n = views.shape[1]
        views = views * self.uniform(0.88, 1.12, 2, n, 1, 1, 1) * self.uniform(0.94, 1.06, 2, n, 3, 1, 1)
        views = views + self.uniform(-0.05, 0.05, 2, n, 1, 1, 1)
        flat = views.flatten(0, 1)
        soft = F.avg_pool2d(F.pad(flat, (1, 1, 1, 1), mode="reflect"), 3, 1).view_as(views)
        views = views + (soft - views) * self.uniform(-0.5, 0.8, 2, n, 1, 1, 1)
        grain = self.uniform(0, 1, 2, n, 1, 1, 1).square() * 0.06
        return (views + grain * self.normal(*views.shape)).clamp(0, 1)
