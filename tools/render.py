"""Jupyter Book, without a grammar for addresses that would take seconds to compile at each start.

This is a file and not ``python -c``, since Python 3.13 would take the latter for the source of
whatever was made from a string, and autodoc would stumble over named tuples.
"""

import sys

sys.modules["rfc3987_syntax"] = None  # whoever asks for it does without where it is absent

from jupyter_book.cli.main import main  # noqa: E402

main()
