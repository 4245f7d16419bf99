"""Receivers files for tests: a sound one for any network, and a way to say where a problem must be reported."""

from attente.grafana.rules.receivers import Receivers, parse
from attente.registry.entities import Registry
from attente.registry.problems import RegistryError

MARK = "▸"
"""Stands in a text right before the value at which a problem must be reported, and is taken out."""

SOUND = """\
global: {smtp_smarthost: "mail.example.org:587", smtp_from: attente@example.org}
receivers:
  - name: reception
    email_configs: [{to: "{{ .GroupLabels.office }}@example.org"}]
  - name: operators
    webhook_configs: [{url: "http://127.0.0.1:9/"}]
  - name: heartbeat
routes:
  - {audiences: [office], receiver: reception}
  - {receiver: operators}
otherwise: operators
dead_mans_switch: heartbeat
"""


def sound(registry: Registry) -> Receivers:
    """A receivers file with nothing wrong in it."""
    return parse(SOUND, "receivers.yaml", registry)


def problems(text: str, registry: Registry) -> list[str]:
    """What is told of a text, each with its place; those at the mark come as `here: ...`."""
    before = text.partition(MARK)[0]
    here = f"receivers.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "
    try:
        parse(text.replace(MARK, ""), "receivers.yaml", registry)
    except RegistryError as error:
        lines = str(error).splitlines()
        return [f"here: {line.removeprefix(here)}" if line.startswith(here) else line for line in lines]
    return []
