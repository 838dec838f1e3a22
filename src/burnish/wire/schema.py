"""Everything that crosses between the kernel and the browser, as types.

This module is the source of the wire contract: ``python -m burnish.wire.generate`` turns it into
``js/src/contract/index.ts``. Python owns every synced trait (``*State``); the browser asks for
changes with a request and gets exactly one answer, ``done`` or ``failed``.

Rows are named by their ordinal. In a bitmap, row *i* is bit ``i & 7`` of byte ``i >> 3``, least
significant bit first. Multi-byte numbers in binary traits are little-endian.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

CONTRACT_VERSION = 1
NO_CLASS = 0xFFFF

Verdict = Literal["accepted", "kept", "skipped", "unsure"]
Bytes = Annotated[bytes, "DataView"]


class Doc(str):
    """A note that the generator copies beside a field."""


class Status(TypedDict):
    """Where the working copy stands; shown in the header of every widget."""

    dataset: str
    branch: str
    version: Annotated[str, Doc("that is shown: the one looked at, else the head")]
    rows: int
    dropped: int
    staged: Annotated[int, Doc("cells that a commit would write")]
    decisions: Annotated[int, Doc("decisions that a commit would write")]
    undo: Annotated[str | None, Doc("name of the step that undo takes back")]
    redo: str | None
    author: str
    read_only: bool
    viewing: Annotated[str | None, Doc("name of an old version that is looked at, else null")]
    label: Annotated[str | None, Doc("name of the label column")]
    has_image: bool
    has_text: bool


class ClassInfo(TypedDict):
    """One class; its code is its index in the list."""

    name: str
    count: int
    keycap: Annotated[str | None, Doc("the key that picks this class")]


class Action(TypedDict):
    """The last act: in words, and as the Python call that does the same."""

    text: str
    code: str
    seq: Annotated[int, Doc("grows by one with each act since the dataset was opened")]


class QueueInfo(TypedDict):
    """Progress through the findings under review."""

    id: str
    title: str
    total: int
    accepted: int
    kept: int
    skipped: int
    unsure: int
    left: Annotated[str | None, Doc("how many errors are left, null without a plan")]
    seq: Annotated[int, Doc("changes whenever a page that was fetched before may be out of date")]


class Projection(TypedDict):
    """Where the map's coordinates come from."""

    name: Annotated[str, Doc("'given', 'pca' or 'umap'")]
    missing: Annotated[int, Doc("rows without coordinates, left out of the map")]
    progress: Annotated[float | None, Doc("share done of a better projection, null when idle")]
    progress_name: str | None
    seq: Annotated[int, Doc("changes when the coordinates change")]


class GraphInfo(TypedDict):
    """The history as a list: how long it is, and where it stands."""

    total: Annotated[int, Doc("lines, the one for what is staged included")]
    versions: int
    lanes: Annotated[int, Doc("of the drawn graph")]
    staged: Annotated[int, Doc("cells that a commit would write, also while viewing")]
    decisions: int
    head: Annotated[int, Doc("line of the head")]
    head_id: str
    viewing: Annotated[int, Doc("line of the version that is looked at, -1 for none")]
    seq: Annotated[int, Doc("changes whenever a page that was fetched before may be out of date")]


class SessionState(TypedDict):
    """Traits that every widget has."""

    contract: int
    revision: Annotated[int, Doc("of the row space; a request that names another is refused")]
    n_rows: Annotated[int, Doc("ordinals are 0 … n_rows-1, dropped rows included")]
    status: Status
    classes: list[ClassInfo]
    current: Annotated[int, Doc("row that all widgets show, -1 for none")]
    selected: Annotated[Bytes, Doc("bitmap")]
    selected_count: int
    selected_source: str
    last_action: Action | None


class MapState(TypedDict):
    """Traits of the map."""

    points: Annotated[Bytes, Doc("uint16 x, y per row, y up; 0…65535 spans the picture")]
    codes: Annotated[Bytes, Doc("uint16 class code per row at the head version, 65535 = null")]
    changed_rows: Annotated[Bytes, Doc("uint32 rows whose class is not the one in codes")]
    changed_codes: Annotated[Bytes, Doc("uint16 class code of each of changed_rows")]
    hidden: Annotated[Bytes, Doc("bitmap: dropped rows and rows without coordinates")]
    flagged: Annotated[Bytes, Doc("bitmap: rows with an undecided finding")]
    projection: Projection
    height: Annotated[int, Doc("pixels")]


class QueueState(TypedDict):
    """Traits of the list."""

    queue: QueueInfo | None
    evidence_seq: Annotated[int, Doc("changes when evidence fetched before is out of date")]
    height: Annotated[int, Doc("pixels")]


class HistoryState(TypedDict):
    """Traits of the history."""

    graph: GraphInfo
    height: Annotated[int, Doc("pixels")]


class VersionLine(TypedDict):
    """One version in the list, with its part of the drawn graph."""

    id: Annotated[str, Doc("empty for what is staged")]
    name: str
    message: Annotated[str, Doc("its first line")]
    author: str
    time: Annotated[str, Doc("ISO 8601 in UTC")]
    cells: int
    branches: list[str]
    tags: list[str]
    lane: Annotated[int, Doc("of the dot")]
    into: Annotated[list[int], Doc("lanes of lines that come from above and end here")]
    out: Annotated[list[int], Doc("lanes of lines that go down from here to a parent")]
    past: Annotated[list[int], Doc("lanes of lines that only pass")]


class VersionName(TypedDict):
    id: str
    name: str


class ChangedColumn(TypedDict):
    """How much changed in one column."""

    name: Annotated[str, Doc("of the column; words for drops, marks and facts")]
    cells: int
    unit: Literal["cell", "row", "fact"]


class ClassFlow(TypedDict):
    """How often one class became another."""

    old: str | None
    new: str | None
    old_code: Annotated[int, Doc("-1 for a class that is not known now")]
    new_code: int
    cells: int


class Said(TypedDict):
    """A text, and how often it stands there."""

    text: str
    count: int


class Made(TypedDict):
    """Something that was made of a version: an evaluation, an export, a training."""

    kind: str
    name: str
    value: Annotated[str, Doc("what it came to, in words")]


class VersionDetail(TypedDict):
    """A version in full."""

    id: Annotated[str, Doc("empty for what is staged")]
    index: Annotated[int, Doc("its line in the list")]
    name: str
    message: str
    author: str
    time: str
    parents: list[VersionName]
    branches: list[str]
    tags: list[str]
    rows: Annotated[int, Doc("live rows")]
    cells: int
    columns: list[ChangedColumn]
    flow: Annotated[list[ClassFlow], Doc("most frequent first, at most 100")]
    flow_total: Annotated[int, Doc("label cells that changed")]
    flow_pairs: Annotated[int, Doc("pairs of classes, those left out included")]
    reasons: Annotated[list[Said], Doc("most frequent first, at most 20")]
    findings: Annotated[list[Said], Doc("findings that edits came from")]
    decisions: Annotated[list[Said], Doc("verdicts")]
    links: Annotated[list[Made], Doc("what was made of this version, oldest first")]


class Preview(TypedDict):
    """A row in short, for a list line or the hover card."""

    row: int
    key: str
    label: str | None
    suggestion: str | None
    probability: Annotated[float | None, Doc("of the suggestion, else of the likeliest class")]
    text: str | None
    image: Annotated[int | None, Doc("index of a PNG among the buffers of the answer")]
    dropped: bool


class QueueRow(TypedDict):
    """One finding in the list."""

    rank: Annotated[int, Doc("place in the queue, from 0")]
    given: Annotated[str | None, Doc("label when the finding was made")]
    score: float
    verdict: Verdict | None
    preview: Preview


class ClassProbability(TypedDict):
    name: str
    code: int
    probability: float


class FieldValue(TypedDict):
    name: str
    value: str


class Item(TypedDict):
    """A row in full, for the form."""

    preview: Preview
    given: Annotated[str | None, Doc("label at the head version")]
    split: str | None
    score: Annotated[float | None, Doc("of the finding on this row")]
    rank: int | None
    verdict: Verdict | None
    verdict_by: str | None
    probabilities: Annotated[list[ClassProbability], Doc("likeliest first; empty if unknown")]
    fields: list[FieldValue]
    text: Annotated[str | None, Doc("whole text, at most 100,000 characters")]


class Near(TypedDict):
    """A row near the one under review."""

    preview: Preview
    code: Annotated[int, Doc("class code of its label, 65535 = null")]
    similarity: Annotated[float, Doc("1 the same place, 0.5 as far as is typical")]


class Twin(TypedDict):
    """A duplicate of the row under review."""

    preview: Preview
    code: Annotated[int, Doc("class code of its label, 65535 = null")]
    kind: Literal["exact", "near"]
    split: str | None


class PairEvidence(TypedDict):
    """How often the one class is taken for the other, and what came of such findings."""

    given: str | None
    suggestion: str
    rate: Annotated[float | None, Doc("share of the rows of given, null when unknown")]
    low: float | None
    high: float | None
    flagged: Annotated[int, Doc("findings with this pair")]
    accepted: Annotated[int, Doc("of them, by the last decision on each")]
    kept: int


class PastDecision(TypedDict):
    """A decision on the row under review."""

    verdict: Verdict
    by: str
    time: Annotated[str, Doc("ISO 8601 in UTC")]
    reason: str | None
    finding: Annotated[str | None, Doc("kind of the findings that were judged")]


class EvidenceParts(TypedDict):
    """Why a part is missing: words, or empty while it is computed; null where it is there."""

    neighbours: str | None
    duplicates: str | None
    pair: str | None
    margin: str | None


class Evidence(TypedDict):
    """What speaks for and against the finding on a row."""

    row: int
    neighbours: Annotated[list[Near], Doc("nearest first")]
    duplicates: Annotated[list[Twin], Doc("at most 20")]
    duplicate_total: int
    pair: PairEvidence | None
    margin: Annotated[
        float | None, Doc("probability of the given label minus that of the likeliest other")
    ]
    likeliest: Annotated[str | None, Doc("class with the highest probability")]
    decisions: Annotated[list[PastDecision], Doc("oldest first")]
    missing: EvidenceParts


class LabelCount(TypedDict):
    name: str | None
    count: int


class PeekRequest(TypedDict):
    """A row in short."""

    kind: Literal["peek"]
    row: int


class PageRequest(TypedDict):
    """Lines start … stop-1 of the queue, best first."""

    kind: Literal["page"]
    start: int
    stop: int
    undecided: Annotated[bool, Doc("leave out rows that have a decision")]


class ItemRequest(TypedDict):
    """A row in full."""

    kind: Literal["item"]
    row: int


class EvidenceRequest(TypedDict):
    """What speaks for and against the finding on a row, as far as it is computed by now."""

    kind: Literal["evidence"]
    row: int


class FocusRequest(TypedDict):
    """Make a row the current one in all widgets."""

    kind: Literal["focus"]
    row: int


class SelectRequest(TypedDict):
    """Replace the selection; the bitmap is the first buffer, none clears it."""

    kind: Literal["select"]
    revision: int
    source: str


class SummaryRequest(TypedDict):
    """What a bulk act on the selection would change."""

    kind: Literal["summary"]
    to: Annotated[str | None, Doc("class the rows would get, null to count only")]


class RelabelRequest(TypedDict):
    """Give rows a class; rows null means the selection. Accepts the finding where there is one."""

    kind: Literal["relabel"]
    rows: list[int] | None
    to: str
    reason: str | None
    advance: Annotated[bool, Doc("move current to the next undecided finding")]


class DecideRequest(TypedDict):
    """A verdict on the finding of a row, without an edit."""

    kind: Literal["decide"]
    row: int
    verdict: Literal["kept", "skipped", "unsure"]
    reason: str | None
    advance: bool


class DropRequest(TypedDict):
    kind: Literal["drop"]
    rows: list[int] | None
    reason: str | None
    advance: bool


class RestoreRequest(TypedDict):
    kind: Literal["restore"]
    rows: list[int] | None


class MarkRequest(TypedDict):
    kind: Literal["mark"]
    rows: list[int] | None
    name: str


class StepRequest(TypedDict):
    """Move the current row along the queue."""

    kind: Literal["step"]
    by: Annotated[int, Doc("1 next, -1 previous")]
    undecided: Annotated[bool, Doc("step over rows that have a decision")]


class UndoRequest(TypedDict):
    kind: Literal["undo"]


class RedoRequest(TypedDict):
    kind: Literal["redo"]


class CommitRequest(TypedDict):
    kind: Literal["commit"]
    message: str
    author: str | None


class VersionsRequest(TypedDict):
    """Lines start … stop-1 of the history, newest first."""

    kind: Literal["versions"]
    start: int
    stop: int


class VersionRequest(TypedDict):
    """A version in full; an empty id is what is staged."""

    kind: Literal["version"]
    version: Annotated[str, Doc("id")]


class ViewRequest(TypedDict):
    """Look at a version in all widgets; null returns to the working copy."""

    kind: Literal["view"]
    version: Annotated[str | None, Doc("id")]


class RevertRequest(TypedDict):
    """Write a version that takes another one back."""

    kind: Literal["revert"]
    version: Annotated[str, Doc("id")]


class ScriptRequest(TypedDict):
    """The Python of every act since the dataset was opened."""

    kind: Literal["script"]


class Nothing(TypedDict):
    pass


class PeekResult(TypedDict):
    preview: Preview


class PageResult(TypedDict):
    total: int
    rows: list[QueueRow]


class ItemResult(TypedDict):
    item: Item


class EvidenceResult(TypedDict):
    evidence: Evidence


class SummaryResult(TypedDict):
    rows: int
    hidden: Annotated[int, Doc("selected rows that the map does not show")]
    changed: int
    unchanged: int
    labels: Annotated[list[LabelCount], Doc("most frequent first")]


class CommitResult(TypedDict):
    version: str
    text: Annotated[str, Doc("what the version holds, in words")]


class VersionsResult(TypedDict):
    total: int
    rows: list[VersionLine]


class VersionResult(TypedDict):
    detail: VersionDetail


class ScriptResult(TypedDict):
    code: str
    acts: int


class WireError(TypedDict):
    code: str
    message: str
    hint: str


REQUESTS: dict[type, type] = {
    PeekRequest: PeekResult,
    PageRequest: PageResult,
    ItemRequest: ItemResult,
    EvidenceRequest: EvidenceResult,
    FocusRequest: Nothing,
    SelectRequest: Nothing,
    SummaryRequest: SummaryResult,
    RelabelRequest: Nothing,
    DecideRequest: Nothing,
    DropRequest: Nothing,
    RestoreRequest: Nothing,
    MarkRequest: Nothing,
    StepRequest: Nothing,
    UndoRequest: Nothing,
    RedoRequest: Nothing,
    CommitRequest: CommitResult,
    VersionsRequest: VersionsResult,
    VersionRequest: VersionResult,
    ViewRequest: Nothing,
    RevertRequest: CommitResult,
    ScriptRequest: ScriptResult,
}
STATES: tuple[type, ...] = (SessionState, MapState, QueueState, HistoryState)
