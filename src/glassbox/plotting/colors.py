"""The colors of the book's figures, which people with any color vision can tell apart."""

from matplotlib.colors import LinearSegmentedColormap, ListedColormap

PAPER = "#fdfcf9"
INK = "#23262f"
MUTED = "#666b78"
GRID = "#e4e1d9"
FAINT = "#c9c6bd"  # lines and dots behind those that matter
PALE = "#c3cbdc"  # bars beside the one that matters
TRACK = "#efede6"  # what is empty or right: no more than a background
ON_PICTURE = "on picture"  # the gid of what lies over a picture and is not turned on a dark page

BLUE, RUST, GREEN, PINK, OCHRE, SKY = PALETTE = (
    "#203699",
    "#b34427",
    "#13725c",
    "#d45ba9",
    "#b8830c",
    "#3292ea",
)
# Of a dark page; all other colors follow.
DARK_PAPER, DARK_INK = "#15171c", "#e6e3dc"
DARK_PALETTE = ("#577ae6", "#d56a4e", "#72d9bb", "#ae6e94", "#f4c26d", "#bedcfe")

# Two classes share each color: they are drawn as their digits, which tell them apart.
CLASS_COLORS = (BLUE, RUST, GREEN, PINK, OCHRE) * 2

# For maps of numbers of either sign, with zero the color of the paper, and for attribution maps.
SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "#a9b8de", PAPER, "#e9b8a2", RUST])
ERRORS = LinearSegmentedColormap.from_list("errors", ["#f7e6dc", "#dd8a64", "#96330f"])
RIGHT = ListedColormap([TRACK], name="right")
PAPER_MAPS = {one.name: one for one in (SIGNED, ERRORS, RIGHT)}  # whose ends or middle are paper
HEAT_COLORS = ("#14161c", "#422274", "#9e345c", "#e0602e", "#f7a13c", "#fce896")
HEAT = LinearSegmentedColormap.from_list("heat", HEAT_COLORS)
