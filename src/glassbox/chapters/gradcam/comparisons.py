"""By how much maps score more than others, over networks or over photographs."""

from collections.abc import Iterable, Mapping

from glassbox.support.tables import Table
from glassbox.training.seed_statistics import SeedRuns, paired_difference

# What takes many passes a map is rated on fewer scenes, and Grad-CAM once more on the same.
_SLOW, _ON_THE_SAME = ("IG", "occlusion"), "Grad-CAM, few"

Scores = Mapping[str, Mapping[str, SeedRuns]]


def leads(
    scores: Scores, measure: str, rivals: Iterable[str], map: str = "Grad-CAM"
) -> dict[str, SeedRuns]:
    """Compare the maps of one kind with others, each pair on the same images.

    Args:
        scores: Each map's measures, from ``glassbox.chapters.gradcam.study.load_maps`` or
            :func:`~glassbox.chapters.gradcam.study.load_photographs`.
        measure: One of them.
        rivals: The maps to compare with.
        map: The map that is compared.

    Returns:
        By rival how much larger the measure of ``map`` is, paired by network or photograph.
    """
    found = {}
    for rival in rivals:
        few = map == "Grad-CAM" and rival in _SLOW and _ON_THE_SAME in scores
        mine = scores[_ON_THE_SAME if few else map]
        found[rival] = paired_difference(mine[measure], scores[rival][measure])
    return found


def lead_table(rows: Mapping[str, Mapping[str, SeedRuns]], *, digits: int = 3) -> Table:
    """Lay differences from :func:`leads` out: a row for each name, a column for each rival."""
    rivals = list(dict.fromkeys(rival for row in rows.values() for rival in row))
    head = ("Grad-CAM less", *rivals)
    cells = [
        (name, *(f"{row[rival]:.{digits}f}" if rival in row else "" for rival in rivals))
        for name, row in rows.items()
    ]
    return Table(head, tuple(cells))
