"""The colors of the book's figures, which people with any color vision can tell apart."""

from matplotlib.colors import LinearSegmentedColormap

PAPER = "#fdfcf9"
INK = "#23262f"
MUTED = "#666b78"
GRID = "#e4e1d9"
FAINT = "#c9c6bd"  # lines and dots behind those that matter
PALE = "#c3cbdc"  # bars beside the one that matters
TRACK = "#efede6"  # what is empty or right: no more than a background

BLUE, RUST, GREEN, PINK, OCHRE, SKY = PALETTE = (
    "#203699",
    "#b34427",
    "#13725c",
    "#d45ba9",
    "#b8830c",
    "#3292ea",
)
# Two classes share each color: they are drawn as their digits, which tell them apart.
CLASS_COLORS = (BLUE, RUST, GREEN, PINK, OCHRE) * 2

# For maps of numbers of either sign, with zero the color of the paper, and for attribution maps.
SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "#a9b8de", PAPER, "#e9b8a2", RUST])
HEAT_COLORS = ("#14161c", "#422274", "#9e345c", "#e0602e", "#f7a13c", "#fce896")
HEAT = LinearSegmentedColormap.from_list("heat", HEAT_COLORS)
