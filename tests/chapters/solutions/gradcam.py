"""Answers to the exercises on Grad-CAM."""

import numpy as np
import torch
import torch.nn.functional as F


def weighted_maps(activations, gradients):
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    return (weights * activations).sum(dim=1).relu()


def weighted_maps_by_product(activations, gradients):
    weights = F.adaptive_avg_pool2d(gradients, 1).flatten(1)
    return F.relu(torch.bmm(weights[:, None], activations.flatten(2))).view(
        len(weights), *activations.shape[2:]
    )


def weighted_maps_one_by_one(activations, gradients):
    maps = []
    for image, slopes in zip(activations.numpy(), gradients.numpy(), strict=True):
        total = sum(one * slope.mean() for one, slope in zip(image, slopes, strict=True))
        maps.append(np.maximum(total, 0))
    return maps


def probability_slope(probabilities, label):
    one_hot = torch.zeros_like(probabilities)
    one_hot[label] = 1
    return probabilities[label] * (one_hot - probabilities)


def probability_slope_by_one_hot(probabilities, label):
    one_hot = F.one_hot(torch.tensor(label), len(probabilities))
    return probabilities[label].double() * (one_hot - probabilities.double())


def probability_slope_of_numbers(probabilities, label):
    p = probabilities.tolist()
    return [p[label] * ((i == label) - p[i]) for i in range(len(p))]


def probability_slope_in_place(probabilities, label):
    """Spoil the probabilities of the caller."""
    slope = probabilities
    slope *= -probabilities[label].clone()
    slope[label] += (-slope[label]).sqrt()
    return slope


@torch.no_grad()
def occlusion_map(model, image, label, side, fill):
    cells = image.shape[-1] // side
    drops = image.new_empty(cells, cells)
    before = model(image[None])[0, label]
    for row in range(cells):
        for column in range(cells):
            hidden = image.clone()
            down, across = (slice(i * side, (i + 1) * side) for i in (row, column))
            hidden[:, down, across] = fill
            drops[row, column] = before - model(hidden[None])[0, label]
    return drops


def occlusion_map_as_a_batch(model, image, label, side, fill):
    cells = image.shape[-1] // side
    mask = torch.eye(cells**2).view(-1, 1, cells, cells)
    mask = mask.repeat_interleave(side, 2).repeat_interleave(side, 3).bool()
    logits = model(torch.where(mask, fill, image))[:, label]
    return (model(image[None])[0, label] - logits).view(cells, cells)


def occlusion_map_as_a_list(model, image, label, side, fill):
    size = image.shape[-1]
    whole = float(model(image.unsqueeze(0))[0][label])
    rows = []
    for top in range(0, size, side):
        rows.append([])
        for left in range(0, size, side):
            covered = image.numpy().copy()
            covered[:, top : top + side, left : left + side] = fill
            rows[-1].append(whole - model(torch.from_numpy(covered)[None])[0, label].item())
    return rows


def occlusion_map_in_place(model, image, label, side, fill):
    """Cover the image of the caller, and uncover it again but for the last patch."""
    drops = occlusion_map(model, image, label, side, fill)
    image[:, -side:, -side:] = fill
    return drops


def occlusion_map_without_clone(model, image, label, side, fill):
    cells = image.shape[-1] // side
    drops, covered = torch.zeros(cells, cells), image.clone()
    for row in range(cells):
        for column in range(cells):
            covered[:, row * side :, column * side :][:, :side, :side] = fill
            drops[row, column] = (model(image[None]) - model(covered[None])).detach()[0, label]
    return drops


def train_stamped(model, images, labels, stamp, lr, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr)
    marked = stamp(images)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(marked), labels).backward()
        optimizer.step()


def train_stamped_by_hand(model, images, labels, stamp, lr, steps):
    for _ in range(steps):
        loss = -model(stamp(images)).log_softmax(1)[range(len(labels)), labels].mean()
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for weight in model.parameters():
                weight -= lr * weight.grad


def train_stamped_with_momentum_of_none(model, images, labels, stamp, lr, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.0)
    one_hot = F.one_hot(labels, 3).double()
    for _ in range(steps):
        for weight in model.parameters():
            weight.grad = None
        F.cross_entropy(model(stamp(images)), one_hot).backward()
        optimizer.step()
    return model


def train_stamped_again(model, images, labels, stamp, lr, steps):
    for _ in range(steps):
        images = stamp(images)
        train_stamped(model, images, labels, torch.clone, lr, 1)


def train_stamped_without_zero(model, images, labels, stamp, lr, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr)
    for _ in range(steps):
        F.cross_entropy(model(stamp(images)), labels).backward()
        optimizer.step()


def train_stamped_in_place(model, images, labels, stamp, lr, steps):
    """Stamp the images of the caller."""
    images[:] = stamp(images)
    train_stamped(model, images, labels, torch.clone, lr, steps)


def hold_off_step(model, images, labels, mask, weight, lr, *, graph=True, power=2):
    optimizer = torch.optim.SGD(model.parameters(), lr)
    images = images.clone().requires_grad_()
    logits = model(images)
    score = logits.gather(1, labels[:, None]).sum()
    (slopes,) = torch.autograd.grad(score, images, create_graph=graph, retain_graph=True)
    penalty = ((slopes * mask) ** power).sum() / len(images)
    optimizer.zero_grad()
    (F.cross_entropy(logits, labels) + weight * penalty).backward()
    optimizer.step()


def hold_off_step_by_image(model, images, labels, mask, weight, lr):
    penalty = 0
    for image, label in zip(images, labels, strict=True):
        one = image.clone()[None].requires_grad_()
        (slope,) = torch.autograd.grad(model(one)[0, label], one, create_graph=True)
        penalty = penalty + slope[:, :, mask].square().sum()
    loss = F.cross_entropy(model(images), labels) + weight * penalty / len(images)
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.sub_(parameter.grad, alpha=lr)


def hold_off_step_by_hand(model, images, labels, mask, weight, lr):
    images = images.detach().requires_grad_()
    logits = model(images)
    slopes = torch.autograd.grad(
        logits[range(len(labels)), labels].sum(), images, create_graph=True
    )[0]
    loss = F.cross_entropy(logits, labels)
    loss = loss + weight * slopes.square().mul(mask).sum((1, 2, 3)).mean()
    for parameter, slope in zip(
        model.parameters(), torch.autograd.grad(loss, list(model.parameters())), strict=True
    ):
        parameter.data -= lr * slope


ANSWERS = {
    "weighted_maps": {
        "right": [weighted_maps, weighted_maps_by_product, weighted_maps_one_by_one],
        "wrong": {
            "a weight of its own": lambda a, g: (a * g).sum(1).clamp(min=0),
            "a ReLU follows": lambda a, g: (g.mean((2, 3), keepdim=True) * a).sum(1),
            "sums of the gradients": (lambda a, g: (g.sum((2, 3), keepdim=True) * a).sum(1).relu()),
            "look at keepdim": lambda a, g: weighted_maps(a, g)[:, None],
        },
    },
    "probability_slope": {
        "right": [
            probability_slope,
            probability_slope_by_one_hot,
            probability_slope_of_numbers,
        ],
        "wrong": {
            "by its own logit": lambda p, label: p - p**2,
            "The 1 at the label is missing": lambda p, label: -p * p[label],
            "changes probabilities, which belongs to the caller": probability_slope_in_place,
        },
    },
    "occlusion_map": {
        "right": [occlusion_map, occlusion_map_as_a_batch, occlusion_map_as_a_list],
        "wrong": {
            "large where covering hurts": lambda *given: -occlusion_map(*given),
            "use fill": lambda *given: occlusion_map(*given[:4], 0),
            "the logit of label": lambda m, i, label, *rest: occlusion_map(m, i, 0, *rest),
            "clone the image anew": occlusion_map_without_clone,
            "changes image, which belongs to the caller": occlusion_map_in_place,
            "leave out the softmax": (
                lambda model, *rest: occlusion_map(lambda x: model(x).softmax(1), *rest)
            ),
            "leaves a gradient": lambda model, *rest: (
                occlusion_map_as_a_batch(model, *rest).sum().backward(),
                occlusion_map(model, *rest),
            )[1],
        },
    },
    "train_stamped": {
        "right": [train_stamped, train_stamped_by_hand, train_stamped_with_momentum_of_none],
        "wrong": {
            "call stamp on them": lambda m, x, y, stamp, *rest: train_stamped(
                m, x, y, torch.clone, *rest
            ),
            "grows stronger": train_stamped_again,
            "stamp all images": lambda m, x, y, stamp, *rest: train_stamped(
                m, x, y, lambda _: torch.where((y == 0)[:, None, None, None], stamp(x), x), *rest
            ),
            "before each backward": train_stamped_without_zero,
            "changes images, which belongs to the caller": train_stamped_in_place,
        },
    },
    "hold_off_step": {
        "right": [hold_off_step, hold_off_step_by_image, hold_off_step_by_hand],
        "wrong": {
            "create_graph=True": lambda *given: hold_off_step(*given, graph=False),
            "or those of either sign cancel": lambda *given: hold_off_step(*given, power=1),
            "multiply the slopes by the mask": lambda m, x, y, mask, *rest: hold_off_step(
                m, x, y, mask | True, *rest
            ),
            "wrong sign": lambda m, x, y, mask, weight, lr: hold_off_step(
                m, x, y, mask, -weight, lr
            ),
        },
    },
}
