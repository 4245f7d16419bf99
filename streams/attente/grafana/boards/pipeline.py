"""The pipeline that counts, for its operator: does it keep up, is everything accounted for, what was refused."""

from typing import Final

from attente.grafana.board import Board, Row
from attente.grafana.panels import (
    ANY_IS_BAD,
    BAD,
    GOOD,
    QUARTER,
    RATE,
    SHOWN,
    Colour,
    Column,
    Level,
    Query,
    Stat,
    Table,
    Trend,
    Unit,
)
from attente.grafana.promql import counted, rate, total
from attente.grafana.recorded import EVENTS_REFUSED, KIOSK_HEARD, OFFICE_INFO, SOURCE_REFUSED
from attente.grafana.rules.promql import truth
from attente.metrics import catalogue
from attente.metrics.metric import Metric

_UP: Final = 'up{job="attente"}'

_READ: Final = counted(catalogue.EVENTS_READ)
_COUNTED: Final = counted(catalogue.EVENTS_COUNTED)
_DUPLICATE: Final = counted(catalogue.EVENTS_DUPLICATE)
_REFUSED: Final = EVENTS_REFUSED


def _each(metric: Metric) -> str:
    """A metric of a process, by worker."""
    return f"max by (instance) ({metric.full_name})"


def _grown(metric: Metric) -> str:
    """How much a worker's own counter grew in the period shown, over all workers."""
    return f"sum (increase({metric.full_name}[{SHOWN}]))"


def _speed(metric: Metric) -> str:
    """What a worker's own counter grows by a second, by worker."""
    return f"sum by (instance) (rate({metric.full_name}[{RATE}]))"


def _without(metric: Metric) -> str:
    """Partitions of which no worker says so."""
    return f"{_PARTITIONS} - (sum ({truth(metric)}) or vector(0))"


_PARTITIONS: Final = f"max ({catalogue.PARTITIONS.full_name})"
_UNACCOUNTED: Final = (
    f"max (abs ({_READ.name} - {_COUNTED.name} - {_DUPLICATE.name} - sum by (partition) ({_REFUSED.name})))"
)
# A source is there from its first refusal on, which increase() would not see: before it there were none.
_OF_SOURCES: Final = f"{SOURCE_REFUSED.name} - ({SOURCE_REFUSED.name} offset {SHOWN} or {SOURCE_REFUSED.name} * 0)"
_JOIN: Final = f"* on (office) group_left (region, name) {OFFICE_INFO.name}"

_STATE: Final = Row(
    "state",
    (
        Stat(
            key="workers",
            queries=(
                Query("up", f"sum ({_UP})"),
                Query("down", f"sum ({_UP} == bool 0)"),
                Query("ready", f"sum ({catalogue.READY.full_name})"),
            ),
            unit=Unit.COUNT,
            width=6,
            empty="no_worker",
        ),
        Stat(
            key="partitions",
            queries=(
                Query("without_owner", _without(catalogue.PARTITION_OWNED)),
                Query("not_shown", _without(catalogue.PARTITION_SHOWN)),
            ),
            unit=Unit.COUNT,
            width=6,
            levels=ANY_IS_BAD,
            empty="no_worker",
        ),
        Stat(
            key="conservation",
            queries=(Query("unaccounted", _UNACCOUNTED),),
            unit=Unit.COUNT,
            levels=ANY_IS_BAD,
            empty="no_worker",
        ),
        Stat(
            key="behind",
            queries=(Query("lag", f"sum ({truth(catalogue.PARTITION_LAG)})"),),
            unit=Unit.COUNT,
            empty="no_worker",
        ),
        Stat(
            key="registries",
            queries=(Query("registries", f"count (count by (hash) ({catalogue.REGISTRY_INFO.full_name}))"),),
            unit=Unit.COUNT,
            levels=(Level(None, GOOD), Level(2, BAD)),
            empty="no_worker",
        ),
    ),
)

_FLOW: Final = Row(
    "flow",
    (
        Trend(
            key="throughput",
            queries=(
                Query("read", rate(_READ), colour=Colour.BLUE),
                Query("counted", rate(_COUNTED), colour=Colour.GREEN),
                Query("duplicate", rate(_DUPLICATE), colour=Colour.PURPLE),
                Query("refused", rate(_REFUSED), colour=Colour.VERMILION),
            ),
            unit=Unit.PER_SECOND,
            empty="no_worker",
        ),
        Trend(
            key="lag",
            queries=(Query("lag", truth(catalogue.PARTITION_LAG), "partition_of"),),
            unit=Unit.COUNT,
            empty="no_worker",
        ),
        Trend(
            key="stream_time",
            queries=(Query("age", f"time() - {truth(catalogue.STREAM_TIME)}", "partition_of"),),
            unit=Unit.SECONDS,
            empty="no_event",
        ),
        Trend(
            key="busy",
            queries=(Query("busy", _speed(catalogue.BATCH_TIME), "{{instance}}"),),
            unit=Unit.SHARE,
            empty="no_worker",
        ),
    ),
)

_REFUSALS: Final = Row(
    "refusals",
    (
        Trend(
            key="refused",
            queries=(
                Query("refused", f"{total(f'increase({_REFUSED.name}[{RATE}])', by='reason')} > 0", "{{reason}}"),
            ),
            unit=Unit.COUNT,
            as_bars=True,
            step=QUARTER,
            empty="nothing_refused",
        ),
        Table(
            key="refused_so_far",
            queries=(
                Query("shown", f"{total(f'increase({_REFUSED.name}[{SHOWN}])', by='reason, partition')} > 0"),
                Query("ever", f"{total(_REFUSED.name, by='reason, partition')} > 0"),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("reason"),
                Column("partition"),
                Column("shown", Unit.COUNT),
                Column("ever", Unit.COUNT),
            ),
            sort="ever",
            empty="nothing_refused",
        ),
        Table(
            key="refused_of_kiosks",
            queries=(
                Query("shown", f"{_OF_SOURCES} > 0"),
                Query("ever", f"{total(SOURCE_REFUSED.name, by='source, reason')} > 0"),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("source"),
                Column("reason", width=120),
                Column("shown", Unit.COUNT, width=160),
                Column("ever", Unit.COUNT, width=140),
            ),
            sort="shown",
            empty="nothing_refused",
        ),
        Table(
            key="odd_offices",
            queries=(
                Query("contradictions", f"(sum by (office) ({truth(catalogue.CONTRADICTIONS)}) {_JOIN}) > 0"),
                Query(
                    "corrections",
                    f"(sum by (office) (increase({counted(catalogue.CORRECTIONS).name}[{SHOWN}])) {_JOIN}) > 0",
                ),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("name"),
                Column("region"),
                Column("contradictions", Unit.COUNT),
                Column("corrections", Unit.COUNT),
                Column("office", width=150),
            ),
            sort="contradictions",
            empty="nothing_odd",
        ),
        Table(
            key="kiosks",
            width=24,
            queries=(
                Query("silent", f"(time() - {KIOSK_HEARD.name}) {_JOIN}"),
                Query("spooled", f"{truth(catalogue.KIOSK_SPOOLED)} {_JOIN}"),
                Query("drift", f"{truth(catalogue.KIOSK_DRIFT)} {_JOIN}"),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("name"),
                Column("region"),
                Column("kiosk"),
                Column("silent", Unit.SECONDS),
                Column("spooled", Unit.COUNT),
                Column("drift", Unit.SECONDS),
                Column("office", width=150),
            ),
            sort="silent",
            empty="no_kiosk",
        ),
    ),
)

_CHECKPOINTS: Final = Row(
    "checkpoints",
    (
        Trend(
            key="checkpoint_age",
            queries=(Query("age", f"time() - {_each(catalogue.CHECKPOINT_LAST)}", "{{instance}}"),),
            unit=Unit.SECONDS,
            empty="no_checkpoint",
        ),
        Trend(
            key="checkpoint_bytes",
            queries=(Query("bytes", _speed(catalogue.CHECKPOINT_BYTES), "{{instance}}"),),
            unit=Unit.BYTES_PER_SECOND,
            empty="no_checkpoint",
        ),
        Stat(
            key="hitches",
            queries=(
                Query("checkpoint_failures", _grown(catalogue.CHECKPOINT_FAILURES)),
                Query("checkpoint_fallbacks", _grown(catalogue.CHECKPOINT_FALLBACKS)),
                Query("commit_failures", _grown(catalogue.COMMIT_FAILURES)),
                Query("gaps", _grown(catalogue.GAPS)),
            ),
            unit=Unit.COUNT,
            width=12,
            levels=ANY_IS_BAD,
            empty="no_worker",
        ),
        Stat(
            key="takeovers",
            queries=(
                Query("takeovers", _grown(catalogue.TAKEOVERS)),
                Query("reseeks", _grown(catalogue.RESEEKS)),
                Query("dead_letters", _grown(catalogue.DEAD_LETTERS)),
            ),
            unit=Unit.COUNT,
            width=8,
            empty="no_worker",
        ),
        Stat(
            key="takeover",
            queries=(Query("longest", f"max ({catalogue.TAKEOVER_TIME.full_name})"),),
            unit=Unit.SECONDS,
            empty="no_takeover",
        ),
    ),
)

_COST: Final = Row(
    "cost",
    (
        Trend(
            key="scrape",
            queries=(
                Query("scrape", 'max by (instance) (scrape_duration_seconds{job="attente"})', "scrape_of"),
                Query("render", _each(catalogue.SCRAPE_RENDER), "render_of", dashed=True),
            ),
            unit=Unit.SECONDS,
            empty="no_worker",
        ),
        Trend(
            key="samples",
            queries=(Query("samples", 'max by (instance) (scrape_samples_scraped{job="attente"})', "{{instance}}"),),
            unit=Unit.COUNT,
            empty="no_worker",
        ),
        Trend(
            key="stalls",
            queries=(
                Query("stall", _each(catalogue.LOOP_STALL), "stall_of"),
                Query("cut", _each(catalogue.CHECKPOINT_CUT), "cut_of", dashed=True),
            ),
            unit=Unit.SECONDS,
            empty="no_worker",
        ),
        Trend(
            key="processor",
            queries=(
                Query(
                    "cpu",
                    f'sum by (instance) (rate(process_cpu_seconds_total{{job="attente"}}[{RATE}]))',
                    "{{instance}}",
                ),
            ),
            unit=Unit.SHARE,
            empty="no_worker",
        ),
        Trend(
            key="memory",
            queries=(
                Query("memory", 'max by (instance) (process_resident_memory_bytes{job="attente"})', "{{instance}}"),
            ),
            unit=Unit.BYTES,
            empty="no_worker",
        ),
        Table(
            key="workers_table",
            queries=(
                Query("owned", f"sum by (instance) ({catalogue.PARTITION_OWNED.full_name})"),
                Query("shown_partitions", f"sum by (instance) ({catalogue.PARTITION_SHOWN.full_name})"),
                Query("takeover", _each(catalogue.TAKEOVER_TIME)),
                Query("checkpoints", f"sum by (instance) (increase({catalogue.CHECKPOINTS.full_name}[{SHOWN}]))"),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("instance"),
                Column("owned", Unit.COUNT),
                Column("shown_partitions", Unit.COUNT),
                Column("takeover", Unit.SECONDS),
                Column("checkpoints", Unit.COUNT),
            ),
            sort="instance",
            ascending=True,
            empty="no_worker",
        ),
    ),
)

PIPELINE: Final = Board("pipeline", (_STATE, _FLOW, _REFUSALS, _CHECKPOINTS, _COST), since="now-3h")
"""For the operator."""
