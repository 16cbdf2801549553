"""One chart as SVG: seconds by number of tenants on logarithmic axes, a line a peer."""

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

Point = tuple[float, float]

_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 230, 40, 50
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f", "#8c510a")
"""Okabe and Ito's, which people who confuse colours tell apart, and two more."""
_LABEL = 16


def svg(title: str, unit: str, lines: Mapping[str, Sequence[Point]]) -> str:
    """The chart.

    Args:
        title: above it.
        unit: of the vertical axis.
        lines: points (tenants, value above 0) by label; those without points are left out.
    """
    shown = {label: sorted(points) for label, points in lines.items() if points}
    xs = sorted({x for points in shown.values() for x, _ in points})
    ys = [y for points in shown.values() for _, y in points]
    if not ys:
        return _document([_text(_LEFT, _TOP, f"{title}: nothing measured")])
    across = _Axis(xs[0], xs[-1], _LEFT, _WIDTH - _RIGHT)
    up = _Axis(_floor(min(ys)), _ceiling(max(ys)), _HEIGHT - _BOTTOM, _TOP)
    parts = [_text(_LEFT, 22, title, size=15, weight="bold"), _text(_LEFT - 50, 22, unit)]
    for value in up.decades():
        y = up.at(value)
        parts += [
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#ddd"/>',
            _text(_LEFT - 8, y + 4, f"{value:g}", anchor="end"),
        ]
    for value in xs:
        parts.append(_text(across.at(value), _HEIGHT - _BOTTOM + 20, f"{value:,.0f}", anchor="middle"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, "tenants", anchor="middle"))
    ends = {label: up.at(points[-1][1]) for label, points in shown.items()}
    places = _spread(ends)
    # By the place among all labels: a peer has one colour in every chart.
    colours = {label: _COLOURS[number % len(_COLOURS)] for number, label in enumerate(lines)}
    for label, points in shown.items():
        colour = colours[label]
        spots = [(across.at(x), up.at(y)) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        end = spots[-1]
        parts += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
            *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in spots),
            f'<line x1="{end[0] + 6:.1f}" y1="{end[1]:.1f}" x2="{_WIDTH - _RIGHT + 16}" y2="{places[label]:.1f}"'
            f' stroke="{colour}" stroke-width="0.7" stroke-dasharray="2 3"/>',
            _text(
                _WIDTH - _RIGHT + 20,
                places[label] + 4,
                f"{label}: {points[-1][1]:.3g} {unit} at {points[-1][0]:,.0f}",
                colour=colour,
            ),
        ]
    return _document(parts)


class _Axis:
    """A logarithmic axis from pixel to pixel."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._high, self._start, self._end = low, high, start, end

    def at(self, value: float) -> float:
        if self._low == self._high:
            return (self._start + self._end) / 2
        share = math.log(value / self._low) / math.log(self._high / self._low)
        return self._start + share * (self._end - self._start)

    def decades(self) -> list[float]:
        first, last = round(math.log10(self._low)), round(math.log10(self._high))
        return [10.0**power for power in range(first, last + 1)]


def _floor(value: float) -> float:
    return float(10.0 ** math.floor(math.log10(value)))


def _ceiling(value: float) -> float:
    return float(10.0 ** math.floor(math.log10(value) + 1))


def _spread(wanted: Mapping[str, float]) -> dict[str, float]:
    """Places for labels near those that are wanted, none on another."""
    placed: dict[str, float] = {}
    lowest = -math.inf
    for label, place in sorted(wanted.items(), key=lambda item: item[1]):
        placed[label] = lowest = max(place, lowest + _LABEL)
    surplus = max(lowest - (_HEIGHT - _BOTTOM), 0.0) if placed else 0.0
    return {label: place - surplus for label, place in placed.items()}


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 12,
    weight: str = "normal",
    colour: str = "#222",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"'
        f' fill="{colour}">{escape(text)}</text>'
    )


def _document(parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">'
    background = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
    return "\n".join([head, background, *parts, "</svg>"]) + "\n"
