"""Makes the reader of measured cases importable."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # `measured` beside these tests: the tests themselves are no package
