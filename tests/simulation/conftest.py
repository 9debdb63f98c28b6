"""Makes the twin beside these tests importable: the tests themselves are no package."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
