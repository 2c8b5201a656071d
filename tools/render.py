"""Run Jupyter Book without a grammar for URLs that would take seconds to compile at each start.

This is a file rather than ``python -c``, since Python 3.13 would take the latter for the source of
anything created from a string, and autodoc would stumble over named tuples.
"""

import sys

sys.modules["rfc3987_syntax"] = None  # those who import it do without if it is absent

from jupyter_book.cli.main import main  # noqa: E402

main()
