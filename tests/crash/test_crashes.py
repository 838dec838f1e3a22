"""Processes that are killed at any instant, or write at once, lose nothing they acknowledged."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import burnish as bn
from burnish.dataset import Dataset

WORKER = Path(__file__).with_name("worker.py")
ROWS = 20_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    frame = {"id": np.arange(ROWS), "n": np.zeros(ROWS, np.int64)}
    with bn.create(tmp_path / "x.burnish", frame, key="id") as ds:
        return ds.path


def worker(*args: object, user: str = "ann") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKER), *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"BURNISH_USER": user, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def killed(act: str, path: Path, seconds: float) -> list[str]:
    """Run a worker, kill it after some time, and return what it acknowledged."""
    with worker(act, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read().splitlines(keepends=True)
    return [line.strip() for line in said if line.endswith("\n")]


def instants(count: int, seed: int) -> Iterator[float]:
    generator = random.Random(seed)
    return (generator.uniform(0.0, 0.25) for _ in range(count))


def check_killed_while_staging(path: Path, count: int) -> None:
    steps = 0
    for seconds in instants(count, seed=1):
        said = killed("stage", path, seconds)
        with bn.open(path, user="ann") as ds:
            numbers, decided = ds.to_arrow()["n"].to_numpy(), len(ds.decisions)
            for line in said:
                word, row = line.split()
                assert numbers[int(row)] == int(row) + 1
                assert word == "set" or int(row) < decided
            staged = len(ds.staged)
            assert decided <= staged <= decided + 1
            assert ds.verify() == []
            steps += len(said)
    assert steps > count


def check_killed_while_committing(path: Path, count: int) -> None:
    acknowledged: list[str] = []
    for turn, seconds in enumerate(instants(count, seed=2), 1):
        acknowledged += [line.split()[1] for line in killed("commit", path, seconds)]
        with bn.open(path, user="ann") as ds:
            ids = [version.id for version in ds.log()]
            assert set(acknowledged) <= set(ids)
            assert len(set(ids)) == len(ids)
            ds.discard()
            done = len(ids) - 1
            table = ds.to_arrow()
            expected = np.where(np.arange(ROWS) < done, np.arange(ROWS) + 1, 0)
            live = (np.arange(ROWS) < 10_000) | (np.arange(ROWS) >= 10_000 + done)
            assert np.array_equal(table["n"].to_numpy(), expected[live])
            assert np.array_equal(table["id"].to_numpy(), np.arange(ROWS)[live])
            if turn % 5 == 0:
                assert ds.verify() == []
    assert len(acknowledged) >= count


def check_killed_while_packing(path: Path, count: int) -> None:
    folder, acknowledged = path.parent / "packed", []
    for turn, seconds in enumerate(instants(count, seed=3)):
        acknowledged += [line.split()[1] for line in killed("pack", path, 2 * seconds)]
        with bn.open(path, user="ann") as ds:
            ids = [version.id for version in ds.log()][::-1]
            if acknowledged:
                with bn.unpack(folder, path.parent / f"new-{turn}") as new:
                    assert new.head.id in ids[ids.index(acknowledged[-1]) :]
                    assert (new.fingerprint, new.verify()) == (ds.at(new.head).fingerprint, [])
            ds.discard()
            ds.pack(folder)
            ds.pack(path.parent / f"whole-{turn}")
        assert contents(folder) == contents(path.parent / f"whole-{turn}")
    assert acknowledged


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def check_killed_while_unpacking(path: Path, count: int) -> None:
    folder = path.parent
    shutil.copytree(path, folder / "old")
    with bn.open(path) as ds:
        for i in range(6):
            ds.add({"id": [-1 - i], "n": [i]})
            ds.commit("row")
        ds.pack(folder / "packed")
        expected = ds.fingerprint
    with bn.open(folder / "old") as old:
        first = old.fingerprint
    done = 0
    for seconds in instants(count, seed=4):
        done += len(killed("unpack", path, 4 * seconds))
        made = [*folder.glob("new-*"), *folder.glob("both-*")]
        for place in made:
            with bn.open(place) as found:
                kept = (first, expected) if place.name.startswith("both") else (expected,)
                assert found.fingerprint in kept
                assert found.verify() == []
            bn.unpack(folder / "packed", place).close()
            with bn.open(place) as found:
                assert found.fingerprint == expected
            shutil.rmtree(place)
        for place in folder.glob("draft-*"):
            shutil.rmtree(place)
    assert done


def check_killed_while_branching(path: Path, count: int) -> None:
    acknowledged: list[list[str]] = []
    for seconds in instants(count, seed=5):
        fresh = [line.split() for line in killed("graph", path, 2 * seconds)]
        acknowledged += fresh
        with bn.open(path, user="ann") as ds:
            check_graph(ds, acknowledged)
            last = [line[1] for line in fresh if line[0] == "added"]
            assert not last or -1 - int(last[-1]) in set(ds.keys)
            assert ds.verify() == []
    assert len(acknowledged) >= count


def check_graph(ds: Dataset, acknowledged: list[list[str]]) -> None:
    ids = [version.id for version in ds.log(all=True)]
    assert len(set(ids)) == len(ids)
    on_main = {version.id for version in ds.log()}
    head = ds.at("main").to_arrow()
    numbers = dict(zip(head["id"].to_pylist(), head["n"].to_pylist(), strict=True))
    for word, *rest in acknowledged:
        if word == "branch":
            assert rest[0] in ds.branches
        elif word == "tag":
            assert ds.tags[rest[0]].id in on_main
        elif word == "committed":
            assert rest[0] in ids
        elif word == "merged":
            row = int(rest[0])
            assert rest[1] in on_main
            assert (numbers[row], numbers[-1 - row]) == (row + 1, row)


def check_killed_while_rebasing(path: Path, count: int) -> None:
    with bn.open(path, user="ann") as ds:
        ds.set(ROWS - 1, "n", -5)
        ds.commit("mine")
    done = 0
    for seconds in instants(count, seed=6):
        said = [line.split() for line in killed("rebase", path, 4 * seconds)]
        with bn.open(path, user="ann") as ds:
            assert {line[2] for line in said} <= {version.id for version in ds.log()}
            done = max([done, *(int(line[1]) for line in said)])
            table = ds.to_arrow()
            numbers, new = table["n"].to_numpy(), len(table) - ROWS
            assert new >= done
            assert np.array_equal(numbers[:new], np.arange(1, new + 1))
            assert numbers[new : ROWS - 1].max() == 0
            assert numbers[ROWS - 1] == -5
            assert ds.verify() == []
    assert done > 0


CHECKS = [
    (check_killed_while_staging, 3),
    (check_killed_while_committing, 3),
    (check_killed_while_branching, 4),
    (check_killed_while_rebasing, 2),
    (check_killed_while_packing, 3),
    (check_killed_while_unpacking, 5),
]
NAMES = [check.__name__.removeprefix("check_killed_while_") for check, _ in CHECKS]


@pytest.mark.parametrize(
    ("check", "count"), CHECKS, ids=lambda check: getattr(check, "__name__", "")
)
def test_of_twenty_kills_none_loses_what_was_acknowledged_or_leaves_a_half(
    path: Path, check: Callable[[Path, int], None], count: int
) -> None:
    check(path, count)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("check", "count"), CHECKS, ids=lambda check: getattr(check, "__name__", "")
)
def test_of_two_hundred_kills_none_does(
    path: Path, check: Callable[[Path, int], None], count: int
) -> None:
    check(path, 10 * count)


def together(processes: list[subprocess.Popen[str]]) -> list[list[str]]:
    """Start processes at one moment; return what each acknowledged."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return said


@pytest.mark.parametrize("users", [2, 4])
def test_commits_of_several_users_at_once_are_each_in_the_history_once(
    path: Path, users: int
) -> None:
    count = 8
    said = together(
        [worker("race", path, start, users, count, user=f"u{start}") for start in range(users)]
    )
    acknowledged = [line.split()[1] for lines in said for line in lines]
    assert len(acknowledged) == len(set(acknowledged)) == users * count
    with bn.open(path) as ds:
        ids = [version.id for version in ds.log()]
        assert sorted(ids[:-1]) == sorted(acknowledged)
        wanted = np.zeros(ROWS, np.int64)
        wanted[: users * count] = np.arange(users * count) % users + 1
        assert np.array_equal(ds.to_arrow()["n"].to_numpy(), wanted)
        assert ds.verify() == []


def test_rows_and_merges_of_four_users_at_once_are_all_there(path: Path) -> None:
    users, count = 4, 4
    said = together(
        [worker("race_rows", path, u, users, count, user=f"u{u}") for u in range(users)]
    )
    committed = [line.split()[1] for lines in said for line in lines if "committed" in line]
    assert len(committed) == len(set(committed)) == users * count
    with bn.open(path) as ds:
        ids = [version.id for version in ds.log()]
        assert len(ids) == len(set(ids))
        assert set(committed) | {line.split()[1] for ls in said for line in ls} <= set(ids)
        table = ds.to_arrow().slice(ROWS)
        numbers = dict(zip(table["id"].to_pylist(), table["n"].to_pylist(), strict=True))
        own = {-1 - u - i * users: u for u in range(users) for i in range(count)}
        assert numbers.items() >= own.items()
        assert [numbers[-1000 - i] for i in range(count)] == [7] * count
        assert all(numbers[-2000 - i] in range(users) for i in range(count))
        assert len(numbers) == users * count + 2 * count
        keys = ds.state.rows.key_bytes()
        assert len(keys) == len(keys.unique()) == ROWS + len(numbers)
        assert ds.verify() == []


def test_sweeping_and_purging_disturb_nobody_who_commits(path: Path) -> None:
    processes = [worker("race", path, start, 2, 12, user=f"u{start}") for start in range(2)]
    said: list[list[str]] = []
    commits = threading.Thread(target=lambda: said.extend(together(processes)))
    commits.start()
    with bn.open(path, user="keeper") as ds:
        for turn in range(6):
            ds.branch(f"b{turn}", at="v0")
            ds.delete_branch(f"b{turn}")
            ds.gc()
            ds.purge(ROWS - 1 - turn)
        commits.join()
        ids = [version.id for version in ds.log()]
        acknowledged = [line.split()[1] for lines in said for line in lines]
        assert sorted(ids[:-1]) == sorted(acknowledged)
        assert ds.to_arrow()["n"].to_pylist()[:24] == [1, 2] * 12
        assert len(ds) == ROWS - 6
        assert ds.verify() == []


def test_of_two_commits_of_one_cell_one_wins_and_the_other_keeps_its_edit(path: Path) -> None:
    said = together([worker("overlap", path, value, user=f"u{value}") for value in (1, 2)])
    lines = [line for lines in said for line in lines]
    assert sorted(line.split()[0] for line in lines) == ["committed", "refused"]
    winner = next(i for i, lines in enumerate(said, 1) if lines[0].startswith("committed"))
    with bn.open(path, user=f"u{winner}") as ds:
        assert [version.name for version in ds.log()] == ["v1", "v0"]
        assert ds.to_arrow()["n"][0].as_py() == winner
    with bn.open(path, user=f"u{3 - winner}") as loser:
        assert (len(loser.staged), loser.to_arrow()["n"][0].as_py()) == (1, 3 - winner)


def test_processes_of_one_user_share_a_journal(path: Path) -> None:
    said = together([worker("race", path, start, 2, 8, user="ann") for start in range(2)])
    with bn.open(path, user="ann") as ds:
        assert {line.split()[1] for lines in said for line in lines} <= {v.id for v in ds.log()}
        assert ds.to_arrow()["n"].to_pylist()[:16] == [1, 2] * 8
        assert (len(ds.staged), ds.verify()) == (0, [])


def test_threads_edit_and_read_one_dataset(path: Path) -> None:
    problems: list[BaseException] = []
    with bn.open(path) as ds:
        threads = [threading.Thread(target=busy, args=(ds, i, problems)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert ds.to_arrow()["n"].to_pylist()[:40] == [i % 4 + 1 for i in range(40)]
        ds.commit("rest")
        assert ds.verify() == []


def busy(ds: Dataset, me: int, problems: list[BaseException]) -> None:
    try:
        for i in range(10):
            row = 4 * i + me
            ds.set(row, "n", me + 1)
            assert ds.to_arrow(["n"])["n"][row].as_py() == me + 1
            assert len(ds.fingerprint) == 64
            if i % 4 == me:
                ds.commit(f"{me} {i}")
    except BaseException as error:
        problems.append(error)
