"""Freezing of parameters, buffers and modes, and assertions that nothing has moved."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.hooks import RemovableHandle

from glassbox.support.arguments import (
    as_sizes,
    check_finite,
    check_modules,
    check_not_empty,
    check_positive,
    check_types,
)
from glassbox.training.state import TrainingState

_MARK = "_frozen_without_parameters"  # which have a flag of their own, requires_grad


def freeze(*modules: nn.Module) -> None:
    """Freeze modules with all their submodules: no gradients, and no new statistics.

    Parameters no longer require gradients, existing gradients are dropped, and every submodule
    goes into ``eval`` mode, so that batch normalization neither updates its statistics nor uses
    those of the batch, and dropout drops nothing. A later ``model.train()`` undoes the modes: call
    :func:`train_keeping_frozen` instead.
    """
    _check_each(modules)
    for module in modules:
        module.eval()
        for parameter in module.parameters():
            parameter.requires_grad_(False)
            parameter.grad = None
        for part in module.modules():
            if any(True for _ in part.buffers()) and not any(True for _ in part.parameters()):
                setattr(part, _MARK, True)


def unfreeze(*modules: nn.Module) -> None:
    """Undo :func:`freeze`: require gradients, and switch to ``train`` mode."""
    _check_each(modules)
    for module in modules:
        module.train().requires_grad_(True)
        for part in module.modules():
            part.__dict__.pop(_MARK, None)


def train_keeping_frozen(model: nn.Module) -> None:
    """Put a model into ``train`` mode, except for submodules that are frozen.

    A submodule is frozen if it has parameters and none of them requires a gradient; or if it has
    statistics without parameters, as ``BatchNorm2d(4, affine=False)``, and :func:`freeze` was the
    last to be called of it.
    """
    check_modules(model=model)
    model.train()
    for module in model.modules():
        parameters = list(module.parameters())
        learns = any(parameter.requires_grad for parameter in parameters)
        if (parameters and not learns) or module.__dict__.get(_MARK):
            module.eval()


def parameter_groups(
    head: nn.Module, backbone: nn.Module, lr: float, backbone_lr: float
) -> list[dict[str, object]]:
    """Make two groups for an optimizer: the head, and the backbone at its own learning rate.

    Args:
        head: A part of ``backbone`` or a module beside it.
        backbone: Its parameters that are not the head's form the second group.
        lr: Learning rate of the head, above 0.
        backbone_lr: Learning rate of the second group, above 0.

    Returns:
        Groups with ``params``, ``lr`` and ``name``, ``"head"`` and ``"backbone"``.

    Raises:
        ValueError: If a rate is not above 0, or a group would be empty.
    """
    check_modules(head=head, backbone=backbone)
    _check_rates(lr=lr, backbone_lr=backbone_lr)
    first = list(head.parameters())
    known = {id(parameter) for parameter in first}
    rest = [parameter for parameter in backbone.parameters() if id(parameter) not in known]
    for name, parameters in (("head", first), ("backbone", rest)):
        if not parameters:
            raise ValueError(f"{name} is without parameters of its own, expected at least one")
    return [
        {"params": first, "lr": lr, "name": "head"},
        {"params": rest, "lr": backbone_lr, "name": "backbone"},
    ]


def check_optimizer(model: nn.Module, optimizer: Optimizer) -> None:
    """Refuse an optimizer that does not hold every parameter that requires a gradient.

    Raises:
        ValueError: If a parameter requires gradients and the optimizer does not hold it; the
            message names all of them.
    """
    check_modules(model=model)
    check_types(Optimizer, optimizer=optimizer)
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    missing = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and id(parameter) not in held
    ]
    if missing:
        raise ValueError(f"optimizer lacks {', '.join(missing)}, expected all that can learn")


@contextmanager
def assert_frozen(*modules: nn.Module, optimizer: Optimizer | None = None) -> Iterator[None]:
    """Assert that a block of code leaves modules unchanged.

    Parameters and buffers are compared bit for bit, and the optimizer may not have new state.

    Args:
        *modules: Modules, each with all that is in it.
        optimizer: An optimizer that may not gain state for any of the parameters.

    Raises:
        AssertionError: When the block ends without an exception and something moved; the message
            names what, and by how much.
    """
    _check_each(modules)
    if optimizer is not None:
        check_types(Optimizer, optimizer=optimizer)
    before = [_copies(module) for module in modules]
    stateful = _with_state(optimizer)
    yield
    moved = [
        line
        for module, copies in zip(modules, before, strict=True)
        for line in _differences(module, copies)
    ]
    new = _with_state(optimizer) - stateful
    moved += [
        f"optimizer state of {name}"
        for module in modules
        for name, parameter in module.named_parameters()
        if id(parameter) in new
    ]
    if moved:
        raise AssertionError(f"not frozen: {'; '.join(moved)}")


def _check_each(modules: Sequence[nn.Module]) -> None:
    for module in modules:
        check_modules(modules=module)


def _check_rates(**rates: float) -> None:
    check_positive(**rates)
    check_finite(**rates)


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """List parameters and all buffers, those too that a state dict leaves out."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _copies(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in _tensors(module).items()}


def _differences(module: nn.Module, before: dict[str, Tensor]) -> Iterator[str]:
    now = _tensors(module)
    for name in sorted(before.keys() ^ now.keys()):
        yield f"{name} {'is new' if name in now else 'is gone'}"
    for name, old in before.items():
        new = now.get(name, old).detach()
        if new.shape != old.shape:
            yield f"{name} has shape {tuple(new.shape)}, before {tuple(old.shape)}"
        elif not ((new == old) | (new.isnan() & old.isnan())).all():
            yield f"{name} by {(new.cpu().double() - old.cpu().double()).abs().max():.2g}"


def _with_state(optimizer: Optimizer | None) -> set[int]:
    return set() if optimizer is None else {id(parameter) for parameter in optimizer.state}


class UnfreezeAfter:
    """A callback of ``fit``: freeze a backbone, and unfreeze it later at a lower learning rate.

    The backbone is frozen at construction. After epoch ``epochs`` it is unfrozen, the learning rate
    of the head becomes ``lr``, and the backbone joins the optimizer as a group with that rate. As
    :func:`glassbox.training.loop.fit` restores modes after its callbacks, the backbone goes into
    ``train`` mode at the next forward pass in training. A training can be resumed only from a
    checkpoint before the unfreezing.

    Args:
        backbone: Modules to freeze.
        epochs: Epochs without them, at least 1.
        lr: Learning rate of everything from then on, above 0.

    Raises:
        ValueError: If there is no backbone, or a number is out of range.
    """

    def __init__(self, backbone: Sequence[nn.Module], *, epochs: int, lr: float) -> None:
        (epochs,) = as_sizes(epochs=epochs)
        _check_rates(lr=lr)
        check_types(Sequence, backbone=backbone)
        check_not_empty(backbone=backbone)
        for module in backbone:
            check_modules(backbone=module)
        self.backbone, self.epochs, self.lr = tuple(backbone), epochs, lr
        self._hook: RemovableHandle | None = None
        self._unfrozen = False
        freeze(*self.backbone)

    def __call__(self, state: TrainingState) -> None:
        """Unfreeze the backbone once enough epochs are done; refuse to resume after that."""
        check_types(TrainingState, state=state)
        done = len(state.history)
        if done > self.epochs and not self._unfrozen:
            raise RuntimeError(f"epoch {done} was trained frozen, expected only {self.epochs} so")
        if done != self.epochs:
            return
        self._unfrozen = True
        unfreeze(*self.backbone)
        if self._hook is None:
            self._hook = state.model.register_forward_pre_hook(self._train_again)
        held = {id(p) for group in state.optimizer.param_groups for p in group["params"]}
        new = [p for m in self.backbone for p in m.parameters() if id(p) not in held]
        for group in state.optimizer.param_groups:
            group["lr"] = self.lr
        if new:
            state.optimizer.add_param_group({"params": new, "lr": self.lr})
        check_optimizer(state.model, state.optimizer)

    def _train_again(self, model: nn.Module, _: object) -> None:
        """Put into ``train`` mode what has not been frozen again meanwhile, once."""
        if not model.training:
            return
        for module in self.backbone:
            if any(parameter.requires_grad for parameter in module.parameters()):
                module.train()
        self._hook.remove()
        self._hook = None


def halve_on_plateau(optimizer: Optimizer) -> ReduceLROnPlateau:
    """Halve the learning rates after three epochs without a lower loss, never below 1e-6."""
    check_types(Optimizer, optimizer=optimizer)
    return ReduceLROnPlateau(optimizer, factor=0.5, patience=2, min_lr=1e-6)
