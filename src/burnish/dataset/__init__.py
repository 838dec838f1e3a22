"""The working copy that a user holds: read, edit, stage, commit, diff."""

from burnish.dataset.dataset import Dataset as Dataset
from burnish.dataset.opening import create as create
from burnish.dataset.opening import open as open
from burnish.dataset.snapshot import Snapshot as Snapshot
from burnish.dataset.unpacking import unpack as unpack
from burnish.dataset.working import Change as Change
