"""Tables of the page on pretraining: runs side by side, and what a network costs."""

from collections.abc import Hashable, Iterable, Mapping

from glassbox.networks.zoo import Entry
from glassbox.support.tables import Table
from glassbox.training.seed_statistics import SeedRuns

_SPOKEN_OF = (
    *("alexnet", "vgg16", "googlenet", "inception_v3", "densenet121"),
    *("resnet18", "resnet34", "resnet50", "resnet152"),
    *("mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "efficientnet_b7"),
    *("vit_b_16", "swin_t", "convnext_tiny"),
)


def runs_table(
    corner: str, rows: Mapping[str, Mapping[Hashable, SeedRuns | float]], *, digits: int = 0
) -> Table:
    """Lay runs out: a row for each name, and a column for each key of the first row.

    Args:
        corner: What stands above the names.
        rows: Runs over seeds, shown as their mean and 95% interval, or single numbers; all rows
            have the same keys.
        digits: Behind the point.
    """
    columns = list(next(iter(rows.values())))
    cells = [(name, *(f"{row[key]:.{digits}f}" for key in columns)) for name, row in rows.items()]
    return Table((corner, *map(str, columns)), tuple(cells))


def known_entries(entries: Iterable[Entry]) -> list[Entry]:
    """Choose those of :func:`glassbox.networks.zoo.zoo_entries` that are most spoken of."""
    return [
        one
        for one in entries
        if (one.name in _SPOKEN_OF and one.weights == "IMAGENET1K_V1")
        or (one.name == "vit_b_16" and "SWAG" in one.weights)
    ]


def best_for_no_more(entries: Iterable[Entry], name: str) -> tuple[Entry, Entry]:
    """Find the most accurate network that costs no more than another one.

    Args:
        entries: From :func:`glassbox.networks.zoo.zoo_entries`.
        name: Of a model among them.

    Returns:
        The best weights of that model; and the best of all that take no more operations, no more
        parameters and no larger images.
    """
    entries = list(entries)
    one = max((other for other in entries if other.name == name), key=lambda entry: entry.top1)

    def affordable(other: Entry) -> bool:
        return (
            other.gflops <= one.gflops
            and other.parameters <= one.parameters
            and other.side <= one.side
        )

    return one, max(filter(affordable, entries), key=lambda entry: entry.top1)
