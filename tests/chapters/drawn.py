"""Find in a figure what a test is about, by its label, its gid or its title."""


def named(ax, name):
    """Return the lines, dots, bars or images of axes that have a label or a gid."""
    parts = (*ax.lines, *ax.collections, *ax.patches, *ax.images, *ax.containers)
    return [part for part in parts if name in (part.get_label(), getattr(part, "_gid", None))]


def line(ax, name):
    """Return the values of the one line with a name, which may have error bars."""
    (found,) = named(ax, name)
    return list((found[0] if isinstance(found, tuple) else found).get_ydata())


def panel(fig, title):
    """Return the axes with a title."""
    (found,) = [ax for ax in fig.axes if ax.get_title(loc="left") == title]
    return found


def texts(fig):
    """Return all texts inside of axes."""
    return [text.get_text() for ax in fig.axes for text in ax.texts]


def assert_inside(fig):
    """Assert that no text leaves the picture on either side."""
    fig.canvas.draw()
    for ax in fig.axes:
        for text in ax.texts:
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= fig.bbox.width, text.get_text()
