"""Compute the fingerprints of new vectors in ``fingerprints.json``; those of old ones stay.

Add a vector to the file without ``prints`` and run ``PYTHONPATH=tests python`` on this script.
"""

from __future__ import annotations

import json

from vectors import PATH, cases, prints_of, table_of


def main() -> None:
    """Fill in what is missing."""
    found = cases()
    for case in found:
        case.setdefault("prints", prints_of(case, table_of(case)))
    PATH.write_text(json.dumps(found, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
