"""From a folder to a trained network and a report, from top to bottom."""

import json
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.chapters.your_folder import network as networks
from glassbox.chapters.your_folder import pictures, recipe, report, watch
from glassbox.chapters.your_folder.copies import copy_notes
from glassbox.chapters.your_folder.listing import listed
from glassbox.chapters.your_folder.options import Options
from glassbox.chapters.your_folder.resuming import begin, folders_of, stamps, write_record
from glassbox.chapters.your_folder.watch import say
from glassbox.data.batches import Batches
from glassbox.support.files import write_text
from glassbox.support.seeds import isolated_seed
from glassbox.training.averaging import ExponentialAverage
from glassbox.training.checkpoints import load_checkpoint, save_checkpoint
from glassbox.training.distributed import from_first_process, process_count, process_rank
from glassbox.training.evaluation import preserve_modes
from glassbox.training.history import History
from glassbox.training.loop import fit
from glassbox.training.processes import distribute, process_group, process_share

# Seconds: the first process alone measures, and others wait for it meanwhile.
_PATIENCE = 7200.0


def run(options: Options) -> dict[str, Any]:
    """Train on a folder, measure its test folder once, and write a report.

    Args:
        options: From :func:`glassbox.chapters.your_folder.options.parse`, or made with keywords.

    Returns:
        What is in ``result.json``: the best epoch, and what was measured with its weights.

    Raises:
        ValueError: If something of the folder, the flags or what lies in the folder for results
            does not fit; before the training begins.
        FloatingPointError: If loss or gradient is not finite.
        glassbox.data.downloads.DownloadError: If weights cannot be had.
    """
    with process_group(options.device, timeout=_PATIENCE) as device:
        if finished := begin(options):
            return finished
        with isolated_seed(options.seed, deterministic=False):
            return _train(options, device)


def _train(options: Options, device: torch.device) -> dict[str, Any]:
    root, test_root = folders_of(options.data)
    side = pictures.side_of(options.size)
    how = {"unreadable": options.unreadable, "memory": options.memory, "threads": options.threads}
    folder, files = pictures.decode(pictures.read_folder(root), side, **how)
    pictures.check_none_empty(folder)
    test = test_root and pictures.decode(
        pictures.read_folder(test_root, folder.classes), side, **how
    )
    first, second = pictures.split(folder.targets, options.validation, seed=options.seed)
    train = replace(folder, targets=folder.targets[first])

    found, head = networks.make_network(
        options.backbone,
        len(folder.classes),
        size=options.size,
        scale=options.scale,
        pretrained=not options.from_scratch,
        frozen_statistics=options.batch_norm == "frozen" and not options.from_scratch,
    )
    model = distribute(found.model)
    loss = recipe.make_loss(options, train.counts).to(device)

    view = pictures.training_view(options.size, found.mean, found.std)
    plain = pictures.fixed_view(options.size, found.mean, found.std)
    batches = Batches(
        files.part(first),
        train.targets,
        options.batch_size,
        seed=options.seed,
        augment=view,
        augment_each=True,
        drop_last=_last_is_too_small(options, len(first)),
        **process_share(),
    )
    validation = pictures.in_order(files.part(second), folder.targets[second], plain)
    optimizer = recipe.make_optimizer(found.model, head, options)
    average = None
    if options.ema:
        average = ExponentialAverage(found.model, options.ema, warm_up=options.ema_warm_up)
    autocast, scaler = recipe.precision_of(options, device)

    steps = len(batches)
    write_record(options)  # a command that was refused until here can be given with other flags
    for line in _opening(options, folder, train, second, test, device):
        say(line, options.out)
    history = fit(
        model,
        recipe.mixed(batches, options, len(folder.classes)),
        optimizer,
        epochs=options.epochs,
        loss_fn=loss,
        validation=validation,
        metrics=watch.metrics_for(folder.classes),
        best=watch.BEST,
        step_scheduler=recipe.make_schedule(optimizer, options, steps),
        clip_norm=options.clip,
        autocast=autocast,
        scaler=scaler,
        channels_last=True,
        average=average,
        callbacks=[watch.EpochLine(options.epochs, steps, validation, options.out)],
        checkpoint=options.out / "checkpoint.pt",
        progress=False,
    )
    best = found.model if average is None else average.model
    return _finish(options, best, found, history, (folder, train), (validation, test, plain))


def _last_is_too_small(options: Options, count: int) -> bool:
    """Say whether the last batch would leave a process one picture, which has no variance."""
    trains = options.batch_norm == "train" or options.from_scratch
    return trains and 0 < count % options.batch_size < 2 * process_count() <= count


def _opening(
    options: Options,
    folder: pictures.Folder,
    train: pictures.Folder,
    second: Tensor,
    test: tuple[pictures.Folder, Any] | None,
    device: torch.device,
) -> list[str]:
    """Say what is trained on, and what is notable before it begins."""
    validation = torch.bincount(folder.targets[second], minlength=len(folder.classes)).tolist()
    columns = [("train", train.counts), ("validation", validation)]
    columns += [("test", test[0].counts)] if test else []
    lines = [f"{options.backbone} on {device}, {_processes()}; pictures of each class:"]
    for number, name in enumerate(folder.classes):
        counts = ", ".join(f"{counts[number]} {part}" for part, counts in columns)
        lines.append(f"  {name}: {counts}")
    notes = [*folder.notes, *(test[0].notes if test else ())]
    if unknown := [n for n, count in zip(folder.classes, validation, strict=True) if not count]:
        notes.append(f"no picture of {listed(unknown)} is validated on")
    if test is None:
        notes.append("there is no test folder: the validation, which picks the epoch, flatters")
    if process_rank() == 0:
        notes += copy_notes(folder, test and test[0])
    if options.ema:
        updates = options.epochs * -(-len(train.targets) // options.batch_size)
        notes.append(watch.average_note(options.ema, options.ema_warm_up, updates))
    return lines + [f"  Note: {note}" for note in notes if note]


def logits_of(model: nn.Module, batches: Batches) -> tuple[Tensor, Tensor]:
    """Compute logits ``(N, K)`` and labels ``(N,)`` of all batches, on the CPU."""
    device, found = next(model.parameters()).device, []
    with preserve_modes(model), torch.no_grad():
        model.eval()
        for images, labels in batches:
            found.append((model(images.to(device)).float().cpu(), labels.cpu()))
    logits, labels = (torch.cat(column) for column in zip(*found, strict=True))
    return logits, labels


def _finish(
    options: Options,
    best: nn.Module,
    found: networks.Backbone,
    history: History,
    folders: tuple[pictures.Folder, pictures.Folder],
    measured_on: tuple[Batches, tuple[pictures.Folder, Any] | None, Any],
) -> dict[str, Any]:
    """Measure the weights of the best epoch, and write all there is, from the first process."""
    result: dict[str, Any] = {}
    if process_rank() == 0:
        folder, train = folders
        validation, test, view = measured_on
        result = {
            "best_epoch": history.best_epoch,
            "seconds": sum(history.seconds),
            "made_with": _made_with(best),
            "pictures": stamps(folder, test and test[0]),
            "classes": folder.classes,
            "counts": {"train": train.counts},
        }
        parts = {"validation": validation}
        if test:
            parts["test"] = pictures.in_order(test[1], test[0].targets, view)
        for name, batches in parts.items():
            logits, labels = logits_of(best, batches)
            size = len(folder.classes)
            pairs = (labels * size + logits.argmax(1)).bincount(minlength=size**2)
            result[name] = watch.measured(logits, labels)
            result[name]["confusion"] = pairs.view(size, size).tolist()
        result = json.loads(json.dumps(result))  # as whoever reads the file has it
        _write(options, best, found, history, result)
    return from_first_process(result)


def _write(
    options: Options,
    best: nn.Module,
    found: networks.Backbone,
    history: History,
    result: dict[str, Any],
) -> None:
    out = options.out
    how = {"backbone": options.backbone, "size": options.size, "scale": options.scale}
    how |= {"classes": list(result["classes"]), "mean": found.mean, "std": found.std}
    save_checkpoint(out / "model.pt", weights=best.state_dict(), **how)
    write_text(out / "report.html", report.page(options, history, result, out / "log.txt"))
    first = recipe.first_weighted_epoch(options)
    if options.loss == "ldam-drw" and history.best_epoch and history.best_epoch < first:
        say(
            f"  Note: the class weights began in epoch {first}, after the best one: they have no "
            "part in this result",
            out,
        )
    for name in ("validation", "test"):
        if name in result:
            numbers = result[name]
            right = sum(row[k] for k, row in enumerate(numbers["confusion"]))
            total = sum(map(sum, numbers["confusion"]))
            say(
                f"{name}, epoch {result['best_epoch']}: {right} of {total} right, "
                f"balanced accuracy {numbers[watch.BEST]:.0%}",
                out,
            )
    say(f"report: {out / 'report.html'}", out)
    # Last of all: where this file is, the test folder has been looked at.
    write_text(out / "result.json", json.dumps(result, indent=1) + "\n")


def _made_with(model: nn.Module) -> str:
    device = next(model.parameters()).device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return f"{device.type} {name}, {_processes()}, torch {torch.__version__}"


def _processes() -> str:
    count = process_count()
    return f"{count} process{'es' * (count > 1)}"


def load_network(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Read a trained network, in ``eval`` mode, from the ``model.pt`` of a run.

    Returns:
        The network, and its ``classes``, ``size``, ``mean``, ``std``, ``backbone`` and ``scale``.
    """
    saved = load_checkpoint(path)
    weights = saved.pop("weights")
    made, _ = networks.make_network(
        saved["backbone"],
        len(saved["classes"]),
        size=saved["size"],
        scale=saved["scale"],
        pretrained=False,
    )
    made.model.load_state_dict(weights)
    return made.model.eval(), saved
