"""Widgets show and propose; each is one file of traits and message handlers."""

from burnish.widgets.curator import Curator as Curator
from burnish.widgets.embedding_map import EmbeddingMap as EmbeddingMap
from burnish.widgets.history import History as History
from burnish.widgets.issue_list import IssueList as IssueList
from burnish.widgets.relabel_form import RelabelForm as RelabelForm
