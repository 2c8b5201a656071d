"""One table a module of what it refuses."""

import pytest


def refuses(*cases, by=lambda call: call()):
    """Make a test of which each case has what is refused and the message, with the error's type
    between them where it is not ValueError. What is refused is called, or is given to ``by``."""
    cases = [case if len(case) == 3 else (case[0], ValueError, case[1]) for case in cases]

    @pytest.mark.parametrize(("given", "error", "message"), cases, ids=[case[2] for case in cases])
    def test(given, error, message):
        with pytest.raises(error, match=message):
            by(given)

    return test
