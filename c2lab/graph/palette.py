"""The colours of pictures of nets, in light and in dark: one table, one stylesheet."""

from __future__ import annotations

# Hue names by family; a family that is not here is drawn in grey.
_HUES = {
    family: hue
    for hue, families in {
        "blue": "convolution",
        "teal": "pooling images patches",
        "indigo": "linear similarity",
        "green": "activations gates",
        "violet": "normalization layer_normalization channel_statistics unit_length dropout regularization",
        "rose": "softmax hierarchical_softmax losses ranking_losses metrics",
        "amber": "fillers random",
        "orange": "updates adaptive_updates sparse_updates sparse_adaptive_updates learning_rate iteration",
        "cyan": "arithmetic elementwise comparisons trigonometry reductions outer_reductions",
    }.items()
    for family in families.split()
}

# Bar and outline, then box, for light; the same for dark.
COLOURS = {
    "blue": ("#2f6fde", "#eef4ff", "#6ea2ff", "#1b2740"),
    "teal": ("#0b8f8a", "#e8f8f6", "#4fd0c8", "#143132"),
    "indigo": ("#5b50d6", "#f0efff", "#9d95ff", "#242140"),
    "green": ("#2c9150", "#eaf8ee", "#66cf8b", "#17301f"),
    "violet": ("#9348c9", "#f7effd", "#cf95f5", "#30203c"),
    "rose": ("#cc3d66", "#fdeef2", "#ff8fae", "#3b1d27"),
    "amber": ("#a97400", "#fdf6e3", "#e5b94e", "#332a14"),
    "orange": ("#c8591b", "#fdf0e8", "#ff9d66", "#392316"),
    "cyan": ("#1781a8", "#e9f6fb", "#62c3e6", "#15303b"),
    "grey": ("#667085", "#f3f4f6", "#a5adba", "#262a33"),
}

INK = {
    # class: (property, light, dark)
    "c2lab-paper": ("fill", "#ffffff", "#16181d"),
    "c2lab-rim": ("stroke", "#e3e6eb", "#2f343d"),
    "c2lab-type": ("fill", "#1b2130", "#f1f3f7"),
    "c2lab-muted": ("fill", "#566074", "#aab2c0"),
    "c2lab-blob": ("fill", "#3b4458", "#c6cdd9"),
    "c2lab-halo": ("stroke", "#ffffff", "#16181d"),
    "c2lab-line": ("stroke", "#8691a5", "#77839a"),
    "c2lab-tip": ("fill", "#8691a5", "#77839a"),
    "c2lab-aside": ("stroke", "#c3cad6", "#454d5c"),
    "c2lab-aside-tip": ("fill", "#c3cad6", "#454d5c"),
    "c2lab-pill": ("fill", "#ffffff", "#0f1115"),
    "c2lab-pill-rim": ("stroke", "#c8ced9", "#4a5261"),
    "c2lab-input": ("fill", "#f3f4f6", "#262a33"),
    "c2lab-scope": ("stroke", "#b9c1cf", "#4d5666"),
    "c2lab-scope-fill": ("fill", "#fafbfc", "#1b1e24"),
}

_FIXED = (
    ".c2lab-net text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:11px}"
    ".c2lab-net .c2lab-type{font-size:13px;font-weight:600}"
    ".c2lab-net .c2lab-title{font-size:14px;font-weight:600}"
    ".c2lab-net .c2lab-halo{stroke-width:4px;stroke-linejoin:round;paint-order:stroke}"
    ".c2lab-net .c2lab-line,.c2lab-net .c2lab-aside{fill:none;stroke-width:1.5px}"
    ".c2lab-net .c2lab-aside{stroke-width:1.2px}"
    ".c2lab-net .c2lab-gradient{stroke-dasharray:5 3}"
)


def hue_of(family: str) -> str:
    """The colour name for a family of operators.

    Example:
        >>> hue_of("convolution")
        'blue'
    """
    return _HUES.get(family, "grey")


def _style() -> str:
    def rules(prefix: str, dark: bool) -> str:
        parts = []
        for css, (attribute, light_colour, dark_colour) in INK.items():
            parts.append(f"{prefix}.c2lab-net .{css}{{{attribute}:{dark_colour if dark else light_colour}}}")
        for hue, (bar, box, dark_bar, dark_box) in COLOURS.items():
            line, fill = (dark_bar, dark_box) if dark else (bar, box)
            parts.append(f"{prefix}.c2lab-net .c2lab-box-{hue}{{fill:{fill};stroke:{line};stroke-width:1.2px}}")
            parts.append(f"{prefix}.c2lab-net .c2lab-bar-{hue}{{fill:{line}}}")
        return "".join(parts)

    return (
        _FIXED
        + rules("", dark=False)
        + f"@media (prefers-color-scheme:dark){{{rules('', dark=True)}}}"
        + rules('body[data-jp-theme-light="true"] ', dark=False)
        + rules('body[data-jp-theme-light="false"] ', dark=True)
    )


STYLE = _style()
"""The rules of every picture: plain colours rather than variables, which some SVG readers do not know."""
