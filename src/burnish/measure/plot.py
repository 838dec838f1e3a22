"""The picture of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from burnish.measure.comparison import Comparison

COLOURS = {"better": "#1a7f5a", "worse": "#c0314b"}
QUIET = "#6b7785"
FAINT = "rgba(107, 119, 133, 0.35)"
ROW_HEIGHT = 34


def figure(comparison: Comparison) -> go.Figure:
    """Draw a comparison: scores before and after on the left, differences on the right.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    plotly.graph_objects.Figure
        One line for each slice and metric, in the order of the table. Names are text, not markup.
    """
    from plotly.subplots import make_subplots

    titles = ("before ○ — ● after", "difference")
    drawn = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=titles)
    for place, (row, verdict) in enumerate(
        zip(_records(comparison), comparison.verdicts(), strict=True)
    ):
        _draw(drawn, place, row, verdict)
    drawn.add_vline(x=0, line={"color": FAINT, "width": 1}, col=2)
    return _laid_out(drawn, comparison)


def _records(comparison: Comparison) -> list[dict[Any, Any]]:
    return list(comparison.table.to_dict("records"))


def _draw(drawn: go.Figure, place: int, row: dict[Any, Any], verdict: str) -> None:
    colour = COLOURS.get(verdict, QUIET)
    sides = [row["before"], row["after"]]
    _line(drawn, place, sides, 1, colour, 2)
    _points(drawn, place, sides, 1, colour, ["circle-open", "circle"])
    _line(
        drawn, place, [row["low_all"], row["high_all"]], 2, FAINT if colour == QUIET else colour, 1
    )
    _line(drawn, place, [row["low"], row["high"]], 2, colour, 5)
    _points(drawn, place, [row["difference"]], 2, colour, ["circle"], f"{verdict}")


def _line(
    drawn: go.Figure, place: int, ends: list[float], column: int, colour: str, width: int
) -> None:
    drawn.add_scatter(
        x=ends,
        y=[place, place],
        mode="lines",
        line={"color": colour, "width": width},
        hoverinfo="skip",
        row=1,
        col=column,
    )


def _points(
    drawn: go.Figure,
    place: int,
    values: list[float],
    column: int,
    colour: str,
    symbols: list[str],
    told: str = "",
) -> None:
    shape = "%{x:.3f}" if column == 1 else "%{x:+.3f} " + told
    drawn.add_scatter(
        x=values,
        y=[place] * len(values),
        mode="markers",
        marker={"symbol": symbols, "color": colour, "size": 9},
        hovertemplate=shape + "<extra></extra>",
        row=1,
        col=column,
    )


def _laid_out(drawn: go.Figure, comparison: Comparison) -> go.Figure:
    names = _names(comparison.table)
    drawn.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5]
    )
    drawn.update_xaxes(
        showgrid=False, zeroline=False, showline=True, linecolor=FAINT, tickcolor=FAINT
    )
    drawn.update_yaxes(showgrid=False, zeroline=False)
    drawn.update_layout(
        showlegend=False,
        height=ROW_HEIGHT * len(names) + 110,
        margin={"l": 10, "r": 10, "t": 50, "b": 30},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": QUIET},
    )
    return drawn


def _names(table: pd.DataFrame) -> list[str]:
    several = table["metric"].nunique() > 1
    rows = zip(table["slice"], table["metric"], table["n"], strict=True)
    return [
        _text(f"{part} · {metric}" if several else part) + f"  (n = {n:,})"
        for part, metric, n in rows
    ]


def _text(name: str) -> str:
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
