from __future__ import annotations

from pathlib import Path

import pytest

from burnish.wire import generate


def test_the_generated_contract_is_current(root: Path) -> None:
    assert generate.main([str(root / "js/src/contract/index.ts"), "--check"]) == 0


def test_the_check_refuses_an_outdated_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outdated = tmp_path / "index.ts"
    outdated.write_text(generate.contract().replace("number", "string", 1))
    assert generate.main([str(outdated), "--check"]) == 1
    assert "make contract" in capsys.readouterr().out


def test_writing_then_checking_agrees(tmp_path: Path) -> None:
    written = str(tmp_path / "index.ts")
    assert generate.main([written]) == 0
    assert generate.main([written, "--check"]) == 0
