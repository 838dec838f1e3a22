"""The picture that the map shows, and what replaces it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from burnish.errors import BurnishError
from burnish.session.layout import Layout, Projector, check_method, empty_layout, first_layout
from burnish.session.shown import Shown


class Placing:
    """Gives every row its place.

    Parameters
    ----------
    shown : Shown

    Attributes
    ----------
    layout : Layout, optional
        None until a picture is asked for.
    projector : Projector, optional
        What computes, or computed, a better picture.
    """

    def __init__(self, shown: Shown) -> None:
        self.layout: Layout | None = None
        self.projector: Projector | None = None
        self._shown = shown

    def draw(self, method: str) -> None:
        """Place the rows as well as it goes at once."""
        check_method(method)
        try:
            layout = first_layout(self._shown.ds, method)
        except BurnishError:
            if method != "auto":
                raise
            layout = empty_layout(self._shown.n_rows)
        self.stop()
        self._place(layout)

    def improve(self, hand_over: Callable[[Callable[[], bool]], None]) -> None:
        """Have the picture computed that is pending, if one is.

        Parameters
        ----------
        hand_over : callable
            Gets, in a thread of its own, what replaces the picture and returns whether it did.
        """
        drawn = self.layout
        if drawn is not None and drawn.pending:
            self.projector = Projector(
                self._shown.ds, lambda made: hand_over(lambda: self._settle(made, drawn))
            )

    def grow(self) -> None:
        """Give rows that were added a place."""
        if self.layout is not None:
            again = self.layout.name in ("given", "pca")
            self._place(first_layout(self._shown.ds, self.layout.name) if again else self.layout)

    def stop(self) -> None:
        """Stop computing."""
        if self.projector is not None:
            self.projector.cancel()

    def _settle(self, made: Layout | None, drawn: Layout) -> bool:
        if self.layout is not drawn:
            return False
        self._place(made if made is not None else Layout(drawn.name, drawn.coordinates))
        return True

    def _place(self, layout: Layout) -> None:
        seq = self.layout.seq + 1 if self.layout else 0
        self.layout = replace(layout.extended(self._shown.n_rows), seq=seq)
