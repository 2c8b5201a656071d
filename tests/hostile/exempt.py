"""The one list of what the sweep does not ask, with the reason of each entry.

An entry is a pattern of the cases it is for, a rule, and why that rule does not hold there. The
pattern is that of a callable, as ``optim.*.update``, or of a case, as ``data.load(root=*)``. Rules:

``sweep``      is not swept at all, or not with this value.
``finite``     what is returned may be nan or infinite.
``name``       a refusal need not name the argument.
``torch``      an error of PyTorch may come through, whatever it says.
``passes on``  nan and infinities may go through, as in any operation of PyTorch; they have to show.
``unchanged``  what is given may be changed.
``hooks``      a hook may stay.
``global``     global random states and settings may be changed.
``float64``    the result may be another one where the default type of tensors is float64.
"""

from typing import NamedTuple


class Exemption(NamedTuple):
    """Where a rule of the sweep does not hold, and why."""

    pattern: str
    rule: str
    reason: str


SUPPORT = (
    Exemption("support.Table", "sweep", "a record of texts that the package makes"),
    Exemption("support.seed_everything", "global", "setting the global random states is its task"),
)
DATA = (
    Exemption("data.draw_scenes(defaults)", "sweep", "10,000 scenes take their time"),
    Exemption("data.normalize(images=*)", "passes on", "pixels go through, each by itself"),
    Exemption("data.TrainTest.normalize", "passes on", "pixels go through, each by itself"),
    Exemption("data.resize", "passes on", "pixels go through; what measures them refuses"),
    Exemption("data.compose()", "sweep", "hands on what it gets to what checks it"),
    Exemption("data.*()", "passes on", "pixels go through; what measures them refuses"),
)
TRAINING = (
    Exemption(
        "training.evaluate(images=*)", "passes on", "loss and accuracy show it, as documented"
    ),
    *(
        Exemption(f"training.evaluate(labels={one})", "sweep", "loss_fn may want any labels")
        for one in ("v + 0.5", "v [*] nan", "v > 0", "v[[]:, None]", "v.float()")
    ),
    Exemption("training.evaluate(labels=poke(v, -100))", "sweep", "the loss ignores this one"),
    Exemption("training.evaluate(defaults)", "sweep", "only batches bring their labels along"),
    Exemption("training.predict(images=*)", "passes on", "as in every layer of PyTorch"),
    Exemption("training.Evaluation", "sweep", "a record that the package makes"),
    Exemption("training.History", "sweep", "a record that the package makes"),
    Exemption("training.TrainingState", "sweep", "a record that the package makes"),
    Exemption("training.*freeze", "unchanged", "freezing and unfreezing is their task"),
    Exemption("training.train_keeping_frozen", "unchanged", "setting the modes is its task"),
    Exemption("training.UnfreezeAfter*", "unchanged", "freezing and unfreezing is its task"),
    Exemption("training.UnfreezeAfter.__call__", "hooks", "one that the next forward pass removes"),
    Exemption("training.fit", "unchanged", "training changes the model and the optimizer"),
    Exemption("training.train_one_cycle", "unchanged", "training changes the model"),
    Exemption(
        "training.per_class_accuracy", "finite", "nan for a class without an image, as documented"
    ),
)
PLOTTING = (
    Exemption("plotting.Figure", "sweep", "the arguments are matplotlib's"),
    Exemption("plotting.Figure.add_subplot", "sweep", "the arguments are matplotlib's"),
    Exemption("plotting.Figure.draw", "sweep", "matplotlib calls it with its own renderer"),
    Exemption("plotting.Figure.set", "sweep", "made by matplotlib"),
)
AUTOGRAD = (
    Exemption("autograd.Array.backward(defaults)", "sweep", "only a single number has a default"),
    Exemption("autograd.*.__*__", "name", "an operator shows no names: the message is NumPy's"),
    Exemption("autograd.Array.*", "passes on", "numbers go through as in NumPy"),
    Exemption("autograd.Scalar.*", "passes on", "numbers go through as in Python"),
    Exemption("autograd.conv2d", "passes on", "numbers go through as in NumPy"),
    Exemption("autograd.unfold", "passes on", "numbers go through as in NumPy"),
    Exemption("autograd.sum_to_shape", "passes on", "numbers go through as in NumPy"),
    Exemption("autograd.*(inputs=*)", "sweep", "operations give them, in the hot loop"),
    Exemption("autograd.Array.__matmul__(other=v?:, :0?)", "sweep", "PyTorch multiplies these too"),
    Exemption("autograd.*(images=v?:, :, :1?)", "sweep", "padded, one row holds a window"),
    Exemption("autograd.sum_to_shape(gradient=v?..., :3?)", "sweep", "as good as four columns"),
    Exemption("autograd.calls_by_situation", "global", "a layer draws its weights, as in torch.nn"),
    Exemption("autograd.firing_order", "global", "a layer draws its weights, as in torch.nn"),
    Exemption("autograd.hooks_and_returns", "global", "a layer draws its weights, as in torch.nn"),
)
OPTIM = (
    Exemption(
        "optim.*.update", "sweep", "step calls it in the hot loop with what step has checked"
    ),
    Exemption(
        "optim.*.update_group", "sweep", "step calls it in the hot loop with what it has checked"
    ),
    Exemption("optim.*.remember", "sweep", "update calls it in the hot loop"),
    Exemption("optim.Surface", "sweep", "a record whose fields only a picture shows"),
    Exemption("optim.Sweep", "sweep", "a record that the package makes"),
)
LOSSES = (
    Exemption("losses.*(labels=poke(v, -100))", "sweep", "ignore_index, as documented"),
    *(
        Exemption(f"losses.*.divisor(logits={one})", "sweep", "only shape and type of logits count")
        for one in ("poke(v, *)", "v [*] nan")
    ),
    Exemption("losses.*.class_losses", "sweep", "forward calls it with logits that it has checked"),
    Exemption(
        "losses.DeferredReweighting",
        "unchanged",
        "the loss gets the weights of the epoch, as documented",
    ),
)
MIXING = (
    Exemption("mixing.*(images=*)", "passes on", "pixels go through; the loss of them says so"),
    Exemption("mixing.smooth_labels(labels=v[[]1:])", "sweep", "any number of labels is right"),
    Exemption("mixing.smooth_labels(labels=torch.cat*)", "sweep", "any number of labels is right"),
    Exemption("mixing.Mix", "sweep", "a record of draws that the package makes"),
)
NETWORKS = (
    Exemption("networks.*.forward", "torch", "as every layer: the message has the shapes"),
    Exemption("networks.VAE.*code", "torch", "as every layer: the message has the shapes"),
    Exemption("networks.VAEOutput", "sweep", "a record that the package makes"),
    Exemption("networks.*.forward", "passes on", "as in every layer of PyTorch"),
    Exemption("networks.VAE.*code", "passes on", "as in every layer of PyTorch"),
    Exemption("networks.max_pool2d(images=poke(v, -inf))", "sweep", "a maximum is right with it"),
    Exemption("networks.reparameterize(logvar=poke(v, -inf))", "sweep", "a deviation of 0"),
    Exemption("networks.negative_elbo(output=*)", "name", "the message has the part of the output"),
    *(
        Exemption(f"networks.pca_error(images={one})", "sweep", "images of any shape are right")
        for one in ("v[[]..., None]", "v[[]0]", "v[[]:, 0]", "v[[]None]", "v.flatten(1)")
    ),
    Exemption("networks.max_pool2d", "passes on", "as in every layer of PyTorch"),
    Exemption(
        "networks.MLPAutoencoder.forward(images=poke(v, *inf))", "sweep", "tanh makes 1 of infinity"
    ),
    Exemption("networks.*.residual", "sweep", "a part of forward"),
    Exemption("networks.*.shortcut", "sweep", "a part of forward"),
    Exemption("networks.[A-Z]*", "global", "weights are drawn as torch.nn draws them"),
    Exemption("networks.create_model", "global", "weights are drawn as torch.nn draws them"),
    Exemption("networks.[A-Z]*", "float64", "weights are drawn in that type, as torch.nn does"),
    Exemption("networks.create_model", "float64", "weights are drawn in that type, likewise"),
    Exemption("networks.resnet18", "global", "weights are drawn as torch.nn draws them"),
    Exemption("networks.resnet18", "float64", "weights are drawn in that type, as torch.nn does"),
    Exemption("networks.replace_head", "global", "weights are drawn as torch.nn draws them"),
    Exemption("networks.adapt_stem", "global", "weights are drawn as torch.nn draws them"),
    Exemption("networks.replace_head", "unchanged", "changing the model is its task"),
    Exemption("networks.adapt_stem", "unchanged", "changing the model is its task"),
    Exemption("networks.zero_last_scales", "unchanged", "changing the model is its task"),
)
GENERATION = (
    Exemption(
        "generation.train_ring", "float64", "weights are drawn in that type, as torch.nn does"
    ),
    Exemption("generation.train_ring(defaults)", "sweep", "1,500 steps take their time"),
    Exemption("generation.*.*or(*=poke(v, *inf))", "sweep", "a probability of 0 or 1"),
    Exemption("generation.*.discriminator", "passes on", "the steps refuse such a loss"),
    Exemption("generation.*.generator", "passes on", "the steps refuse such a loss"),
    Exemption("generation.GANHistory", "sweep", "a record that the package makes"),
    Exemption("generation.*_step", "unchanged", "a step changes a player"),
    Exemption("generation.train_gan", "unchanged", "training changes the players"),
)
ATTRIBUTION = (
    Exemption("attribution.blurred(images=*)", "passes on", "pixels go through"),
    Exemption("attribution.heat_maps(maps=v?1:?)", "sweep", "three maps are as good as four"),
    Exemption("attribution.heat_maps(maps=v?:, 1:?)", "sweep", "maps need not be square"),
    Exemption("attribution.*(fill=v?0, 0?)", "sweep", "one number fills all channels"),
    Exemption("attribution.*(baseline=v?0, 0?)", "sweep", "one number fills all channels"),
)
EXPLORABLES = ()

EXEMPTIONS: tuple[Exemption, ...] = (
    *SUPPORT,
    *DATA,
    *TRAINING,
    *PLOTTING,
    *AUTOGRAD,
    *OPTIM,
    *LOSSES,
    *MIXING,
    *NETWORKS,
    *GENERATION,
    *ATTRIBUTION,
    *EXPLORABLES,
)
