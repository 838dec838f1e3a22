"""The command line, each claim on a real store."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import burnish as bn
from burnish.cli import main

FRAME = {
    "id": ["a", "b", "c"],
    "label": ["cat", "dog", "cat"],
    "score": [0.5, float("inf"), None],
    "raw": [b"\xff", b"", None],
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "x.burnish"
    with bn.create(path, FRAME, key="id", label="label") as ds:
        ds.relabel("b", "cat", reason="sure \x1b[31m")
        ds.set("a", "score", -1.5)
        ds.set("a", "raw", b"\x00")
        ds.drop("c")
        ds.commit("one")
        ds.branch("side", at="v0")
    return path


def run(*args: Any, code: int = 0, given: bytes | None = None) -> Result:
    done = CliRunner().invoke(main, list(map(str, args)), input=given)
    assert done.exit_code == code, done.output
    return done


def content(store: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(store.rglob("*")) if p.is_file()}


def test_log_lists_versions_newest_first(store: Path) -> None:
    assert [line[:2] for line in run("log", store).stdout.splitlines()] == ["v1", "v0"]
    assert [line[:2] for line in run("log", store, "--branch", "side").stdout.splitlines()] == [
        "v0"
    ]
    rows = [json.loads(line) for line in run("log", store, "--format", "json").stdout.splitlines()]
    assert [row["message"] for row in rows] == ["one", "created"]
    assert rows[0]["parents"] == ["v0"]


def test_diff_shows_cells(store: Path) -> None:
    shown = run("diff", store, "v0", "v1", "--column", "label").stdout
    assert "1 cell of label" in shown
    assert shown.splitlines()[-1].split()[:4] == ["b", "label", "dog", "cat"]


def test_diff_is_read_by_programs(store: Path) -> None:
    text = run("diff", store, "v0", "v1", "--format", "csv").stdout
    assert len(pd.read_csv(io.StringIO(text))) == 4
    lines = run("diff", store, "v1", "v0", "--format", "json").stdout.splitlines()
    cells = {row["column"]: row for row in map(json.loads, lines)}
    assert (cells["raw"]["old"], cells["raw"]["new"]) == ("00", "ff")
    assert cells["$dropped"]["new"] is False


def test_nothing_in_the_data_steers_the_terminal(store: Path) -> None:
    assert "\x1b" not in run("diff", store, "v0", "v1").stdout
    assert "\\u001b" in run("diff", store, "v0", "v1").stdout


def test_show_tells_about_a_version(store: Path) -> None:
    shown = dict(line.split(maxsplit=1) for line in run("show", store, "v1").stdout.splitlines())
    assert shown["message"] == "one"
    assert shown["rows"] == "2"
    with bn.open(store) as ds:
        assert shown["fingerprint"] == ds.fingerprint


def test_reading_changes_nothing(store: Path) -> None:
    before = content(store)
    for args in (
        ["log"],
        ["diff", "v0", "v1"],
        ["show", "v1"],
        ["verify"],
        ["patch", "v0", "v1", "-"],
    ):
        run(args[0], store, *args[1:])
    assert content(store) == before


def test_export_writes_rows_and_a_manifest(store: Path, tmp_path: Path) -> None:
    run("export", store, tmp_path / "o.parquet", "--where", "label = 'cat'", "--at", "v0")
    assert pd.read_parquet(tmp_path / "o.parquet")["id"].tolist() == ["a", "c"]
    assert (tmp_path / "o.parquet.manifest.json").is_file()


def test_a_patch_goes_through_a_pipe(store: Path) -> None:
    done = run("patch", store, "v0", "v1", "-")
    assert "4 changes from v0 to v1" in done.stderr
    assert json.loads(done.stdout.splitlines()[0])["burnish-patch"] == 2
    run("apply", store, "-", "--branch", "side", "--commit", "taken", given=done.stdout_bytes)
    with bn.open(store, branch="side") as ds:
        assert ds.head.message == "taken"
        assert ds.fingerprint == ds.at("v1").fingerprint


def test_apply_stages_and_says_when_there_is_nothing_to_do(store: Path, tmp_path: Path) -> None:
    run("patch", store, "v1", "v0", tmp_path / "back.jsonl")
    assert "4 changes staged" in run("apply", store, tmp_path / "back.jsonl").stdout
    assert "nothing to do" in run("apply", store, tmp_path / "back.jsonl").stdout
    done = run("apply", store, tmp_path / "back.jsonl", "--commit", "x", code=2)
    assert "would be committed along with the patch" in done.stderr


def test_conflicts_are_listed(store: Path, tmp_path: Path) -> None:
    run("patch", store, "v1", "v0", tmp_path / "back.jsonl")
    with bn.open(store) as ds:
        ds.set("a", "score", 7)
    done = run("apply", store, tmp_path / "back.jsonl", code=2)
    assert "score of 'a': expected -1.5, found 7.0 by" in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["diff", "v0", "v9"], "there is no version 'v9'"),
        (["diff", "v0", "v1", "--column", "labels"], "there is no column 'labels'"),
        (["log", "--branch", "sid"], "the nearest is 'side'"),
        (["export", "out.txt"], "cannot tell a format"),
        (["apply", "nothing.jsonl"], "cannot read the patch"),
    ],
)
def test_a_failure_is_words_and_a_hint(store: Path, args: list[str], words: str) -> None:
    done = run(args[0], store, *args[1:], code=2)
    assert words in done.stderr
    assert "Hint: " in done.stderr
    assert done.stdout == ""


def test_a_path_that_holds_no_store_is_a_failure(tmp_path: Path) -> None:
    assert "does not exist" in run("log", tmp_path / "nothing", code=2).stderr


def test_verify_lists_what_is_wrong(store: Path) -> None:
    assert run("verify", store).stdout == "every byte is as it was written\n"
    base = store / "base.arrow"
    raw = bytearray(base.read_bytes())
    raw[raw.index(b"dog")] ^= 1
    base.write_bytes(raw)
    assert "base.arrow" in run("verify", store, code=1).stdout


def test_the_installed_command_works_in_a_pipe(store: Path) -> None:
    code = "from burnish.cli import main; main(prog_name='burnish')"
    done = subprocess.run(
        [sys.executable, "-c", code, "log", store], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("v1 (")
    assert "\x1b" not in done.stdout
    done = subprocess.run(
        [sys.executable, "-c", code, "show", store, "v7"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: there is no version 'v7'")
    assert "Traceback" not in done.stderr


def test_a_copied_store_is_read_too(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "copy.burnish")
    assert run("log", tmp_path / "copy.burnish").stdout == run("log", store).stdout
