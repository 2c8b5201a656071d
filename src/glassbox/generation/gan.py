"""Generative adversarial networks: two players, their steps, and their training in turns."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from glassbox.generation.gan_losses import AdversarialLoss, non_saturating
from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    as_whole,
    check_all_finite,
    check_at_least,
    check_callables,
    check_finite,
    check_floating_point,
    check_modules,
    check_not_empty,
    check_positive,
    check_range,
    check_shapes,
    reject_tensor,
)
from glassbox.support.progress import progress_bar
from glassbox.training.evaluation import predict


class GAN:
    """Two networks, what each makes small, and an Adam optimizer for each.

    Args:
        generator: Maps noise ``(B, noise)`` to images; its attribute ``noise`` is their number.
        discriminator: Maps images to one logit each.
        loss: ``minimax``, ``non_saturating`` or ``least_squares``.
        lr: Learning rate of both optimizers, above 0.
        betas: Decay rates of both optimizers.

    Raises:
        TypeError: If a player is no module or ``loss`` no :class:`AdversarialLoss`.
        ValueError: If ``lr`` is not above 0 and finite, ``betas`` are no two numbers from 0 to
            below 1, or a player has no parameters.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        loss: AdversarialLoss = non_saturating,
        *,
        lr: float = 3e-4,
        betas: tuple[float, float] = (0.5, 0.999),
    ) -> None:
        check_modules(generator=generator, discriminator=discriminator)
        for name, player in (("generator", generator), ("discriminator", discriminator)):
            check_not_empty(**{f"parameters of {name}": list(player.parameters())})
        if not isinstance(loss, AdversarialLoss):
            raise TypeError(f"loss is a {type(loss).__name__}, expected an AdversarialLoss")
        check_positive(lr=lr)
        check_finite(lr=lr)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"betas is {betas!r}, expected two numbers")
        check_range(0, 1, below=True, **{"betas[0]": betas[0], "betas[1]": betas[1]})
        self.generator, self.discriminator, self.loss = generator, discriminator, loss
        self.generator_optimizer = torch.optim.Adam(generator.parameters(), lr, betas)
        self.discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr, betas)

    def noise(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw noise for ``count`` images, uniform from -1 to 1, ``(count, noise)``.

        It has the type of the generator's parameters, and is where they are.
        """
        size = *as_sizes(count=count), self.generator.noise
        drawn = torch.rand(size, generator=generator, dtype=torch.float32, device="cpu")
        return (2 * drawn - 1).to(next(self.generator.parameters()))

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Generate ``count`` images in ``eval`` mode, where none depends on others in its batch."""
        return predict(self.generator, self.noise(count, generator))


@contextmanager
def _frozen(model: nn.Module) -> Iterator[None]:
    """Keep gradients from a model's parameters inside a ``with`` block; they pass through it."""
    before = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        model.requires_grad_(False)
        yield
    finally:
        for parameter, requires_grad in before:
            parameter.requires_grad_(requires_grad)


def discriminator_step(gan: GAN, real: Tensor, noise: Tensor) -> float:
    """Take one step of the discriminator, and return the loss before it.

    The fakes are detached, so that nothing is computed for the generator. Real and fake images
    go through in separate batches: a batch normalization in the discriminator takes each by its
    own statistics.

    Raises:
        FloatingPointError: If the loss is not finite; nothing has changed then.
        TypeError: If the real images or the noise are not floating point.
        ValueError: If they are not finite, or the generator makes images of another shape.
    """
    _check_gan(gan)
    real, noise = _checked(real=real), _noise_for(gan, noise)
    fake = gan.generator(noise).detach()
    real = real.to(fake.dtype)
    if fake.shape[1:] != real.shape[1:]:
        reject_tensor("real", real, f"(B, ...) as the generator makes them, {tuple(fake.shape)}")
    loss = gan.loss.discriminator(gan.discriminator(real), gan.discriminator(fake))
    _check_loss("discriminator", loss)
    gan.discriminator_optimizer.zero_grad()
    loss.backward()
    gan.discriminator_optimizer.step()
    return loss.item()


def generator_step(gan: GAN, noise: Tensor) -> float:
    """Take one step of the generator, and return the loss before it.

    The discriminator is frozen meanwhile: the gradient passes through it to the generator, and
    none is left in it.

    Raises:
        FloatingPointError: If the loss is not finite; nothing has changed then.
        TypeError: If the noise is not floating point.
        ValueError: If it is not finite.
    """
    _check_gan(gan)
    noise = _noise_for(gan, noise)
    with _frozen(gan.discriminator):
        loss = gan.loss.generator(gan.discriminator(gan.generator(noise)))
        _check_loss("generator", loss)
        gan.generator_optimizer.zero_grad()
        loss.backward()
    gan.generator_optimizer.step()
    return loss.item()


def _check_gan(gan: GAN) -> None:
    if not isinstance(gan, GAN):
        raise TypeError(f"gan is a {type(gan).__name__}, expected a GAN")


def _checked(**given: Tensor) -> Tensor:
    ((name, _),) = given.items()
    tensor = as_tensor(**given)
    check_floating_point(**{name: tensor})
    check_not_empty(**{name: tensor.flatten()})
    check_all_finite(**{name: tensor})
    return tensor


def _noise_for(gan: GAN, noise: Tensor) -> Tensor:
    return _checked(noise=noise).to(next(gan.generator.parameters()))


def _check_loss(player: str, loss: Tensor) -> None:
    if not loss.isfinite():
        raise FloatingPointError(f"the loss of the {player} is {loss.item()}")


@dataclass
class GANHistory:
    """The losses of the two players, one entry a step; the generator's is that of its last."""

    discriminator: list[float] = field(default_factory=list)
    generator: list[float] = field(default_factory=list)


@dataclass
class Snapshots:
    """A callback of :func:`train_gan` that keeps what the generator makes of one fixed noise.

    Args:
        noise: ``(B, noise)``, from :meth:`GAN.noise`.
        every: Steps from one snapshot to the next, at least 1.
        steps: The steps of the snapshots, the first of them 0.
        images: What was made, ``(B, ...)`` for each.

    Raises:
        ValueError: If ``every`` is below 1, or ``noise`` not finite.
    """

    noise: Tensor
    every: int
    steps: list[int] = field(default_factory=list)
    images: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.every,) = as_sizes(every=self.every)
        check_shapes(noise=(self.noise, "B noise"))
        check_all_finite(noise=self.noise)

    def __call__(self, step: int, gan: GAN) -> None:
        """Keep a snapshot if it is time for one."""
        (step,) = as_whole(0, step=step)
        _check_gan(gan)
        if step % self.every == 0:
            self.steps.append(step)
            self.images.append(predict(gan.generator, self.noise).cpu())


def train_gan(
    gan: GAN,
    images: Tensor,
    *,
    steps: int,
    batch_size: int = 128,
    generator_steps: int = 1,
    generator: torch.Generator | None = None,
    callbacks: Sequence[Callable[[int, GAN], None]] = (),
    progress: bool = True,
) -> GANHistory:
    """Alternate steps of the discriminator and steps of the generator.

    Args:
        gan: The two players.
        images: Real images ``(N, ...)``; each batch is drawn from them, with replacement.
        steps: Steps of the discriminator, at least 1.
        batch_size: Images in a batch, at least 2.
        generator_steps: Steps of the generator after each of the discriminator, at least 1.
        generator: Draws batches and noise, on the CPU; by default torch's global one.
        callbacks: Each is called with the number of steps done, first 0, and the players.
        progress: Whether to show a progress bar.

    Raises:
        FloatingPointError: If a loss is not finite; the message names the step.
        ValueError: If a number is out of range, there are no images, or they are not finite or have
            another shape than the generator's.
    """
    _check_gan(gan)
    images = as_tensor(images=images)
    if images.ndim == 0:
        reject_tensor("images", images, "(N, ...)")
    check_not_empty(images=images.flatten())
    check_floating_point(images=images)
    check_all_finite(images=images)
    if not isinstance(callbacks, Sequence):
        raise TypeError(f"callbacks is {callbacks!r}, expected a list of functions")
    for callback in callbacks:
        check_callables(callbacks=callback)
    steps, generator_steps, batch_size = as_sizes(
        steps=steps, generator_steps=generator_steps, batch_size=batch_size
    )
    check_at_least(2, batch_size=batch_size)
    history = GANHistory()
    device = next(gan.discriminator.parameters()).device
    with progress_bar(steps, show=progress) as advance:
        _call(callbacks, 0, gan)
        for step in range(1, steps + 1):
            size = (batch_size,)
            chosen = torch.randint(len(images), size, generator=generator, device="cpu")
            real = images[chosen.to(images.device)].to(device)
            try:
                d_loss = discriminator_step(gan, real, gan.noise(batch_size, generator))
                for _ in range(generator_steps):
                    g_loss = generator_step(gan, gan.noise(batch_size, generator))
            except FloatingPointError as error:
                raise FloatingPointError(f"{error} in step {step}") from error
            history.discriminator.append(d_loss)
            history.generator.append(g_loss)
            _call(callbacks, step, gan)
            advance(f"step {step}  discriminator {d_loss:.3f}  generator {g_loss:.3f}")
    return history


def _call(callbacks: Sequence[Callable[[int, GAN], None]], step: int, gan: GAN) -> None:
    for callback in callbacks:
        callback(step, gan)
