"""The words of an alert: from the catalogue of texts to what Prometheus fills in.

Texts hold short marks, `<threshold>`, where Prometheus needs a query or a format: whoever translates should not have to
read them. Thresholds and targets are asked of the norm's own metrics when the alert is told, and are written nowhere
else. Labels stand in the texts as Prometheus has them, `{{ $labels.office }}`.
"""

import re
from typing import Final

from attente.grafana import recorded
from attente.grafana.recorded import Recorded
from attente.grafana.texts import text

_MARK: Final = re.compile(r"<([a-z_]+)>")


def _asked(series: Recorded, labels: tuple[str, ...], shown: str, matchers: str = "") -> str:
    """The value, or a label, of the one recorded series that bears some labels of the alert."""
    chosen = ",".join((*(f"{label}=%q" for label in labels), *([matchers] if matchers else [])))
    given = " ".join(f"$labels.{label}" for label in labels)
    return f"{{{{ range printf `{series.name}{{{chosen}}}` {given} | query }}}}{{{{ {shown} }}}}{{{{ end }}}}"


_DURATION: Final = 'humanizeDuration %s | reReplaceAll "m 0s" " min" | reReplaceAll "m ([0-9]+)s" " min $1 s"'
"""`20 min` and `1 min 15 s`, which Prometheus writes as 20m 0s and 1m 15s."""

_NORM: Final = ("norm",)
_MARKS: Final = {
    "title": _asked(recorded.NORM_INFO, _NORM, ".Labels.title"),
    "threshold": _asked(recorded.NORM_THRESHOLD, _NORM, _DURATION % ".Value"),
    "target": _asked(recorded.NORM_TARGET, _NORM, "humanizePercentage .Value"),
    "longest": _asked(recorded.LONGEST_WAIT, ("office", "service"), _DURATION % ".Value"),
    "waiting": _asked(recorded.WAITING, ("office",), "humanize .Value"),
    "visits": _asked(recorded.PROMISE_VISITS, ("office", "norm", "window"), "humanize .Value"),
    "failures": _asked(recorded.PROMISE_FAILURES, ("office", "norm", "window"), "humanize .Value"),
    "spent": _asked(recorded.BUDGET_SPENT, ("office", "norm"), "humanizePercentage .Value"),
    "value": "{{ humanize $value }}",
    "count": '{{ printf "%.0f" $value }}',
    "ratio": "{{ humanizePercentage $value }}",
    "duration": f"{{{{ {_DURATION % '$value'} }}}}",
}

_FRENCH: Final = (
    # humanizePercentage and humanize write 72.5% and 2.7
    (
        re.compile(r"\{\{ (humanizePercentage [.$]\w+) \}\}"),
        r'{{ \1 | reReplaceAll "[.]" "," | reReplaceAll "%" " %" }}',
    ),
    (re.compile(r"\{\{ (humanize [.$]\w+) \}\}"), r'{{ \1 | reReplaceAll "[.]" "," }}'),
)


def summary(alert: str, lang: str) -> str:
    """The line by which an alert is known."""
    return _filled(text(f"alerts.{alert}.summary", lang), lang)


def description(alert: str, lang: str) -> str:
    """What is the matter: place, figure and norm."""
    return _filled(text(f"alerts.{alert}.description", lang), lang)


def _filled(words: str, lang: str) -> str:
    """Words with every mark replaced by what Prometheus understands.

    Raises:
        KeyError: a mark that is not known.
    """
    filled = _MARK.sub(lambda mark: _MARKS[mark[1]], words)
    if lang == "fr":
        for number, said in _FRENCH:
            filled = number.sub(said, filled)
    return filled
