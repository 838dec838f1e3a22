"""What `import burnish` adds to an interpreter: whole processes, fresh each time, in turns."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

from shared import interleaved, quick, seconds, show

STATEMENTS = {"interpreter": "pass", "burnish": "import burnish", "pandas": "import pandas"}


def process(statement: str) -> float:
    return seconds(lambda: subprocess.run([sys.executable, "-c", statement], check=True))


def main() -> None:
    for statement in STATEMENTS.values():
        process(statement)
    acts = {name: lambda code=code: process(code) for name, code in STATEMENTS.items()}
    took = interleaved(acts, 3 if quick() else 15)
    show(took, ours="burnish")
    beyond = {name: median(times) - median(took["interpreter"]) for name, times in took.items()}
    print(
        f"  beyond the interpreter: burnish {beyond['burnish'] * 1000:.1f} ms (target ≤ 200 ms), "
        f"pandas {beyond['pandas'] * 1000:.1f} ms"
    )


if __name__ == "__main__":
    main()
