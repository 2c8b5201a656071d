"""Tables of texts, for the console and for a notebook."""

from typing import NamedTuple


class Table(NamedTuple):
    """A table that shows itself as text, and as Markdown in a notebook.

    ``head`` holds the names of the columns, ``rows`` the texts of the cells.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows, strict=True)]
        lines = (self.head, *self.rows)
        padded = (map(str.ljust, line, widths) for line in lines)
        return "\n".join("  ".join(line).rstrip() for line in padded)

    def _repr_markdown_(self) -> str:
        lines = (self.head, ("---",) * len(self.head), *self.rows)
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
