"""Make the modules beside these tests importable: the rules, and the plugin for nbval."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
