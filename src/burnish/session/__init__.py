"""What the widgets of one dataset share: head, selection, current row, findings. No Jupyter."""

from burnish.session.session import Session as Session
from burnish.session.session import of as of
