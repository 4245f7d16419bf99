"""Routes and inhibition: who is told of what, by the generated file and by amtool's reading of it."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from attente.grafana.rules.alertmanager import DEAD_MANS_SWITCH, configuration
from attente.grafana.rules.receivers import AUDIENCES, SEVERITIES, Receivers, load, parse
from attente.registry.entities import Registry
from attente.registry.load import load as load_registry
from attente.registry.load import parse as parse_registry
from attente.sources.simulate.network import Network
from attente.sources.simulate.registry_text import registry_text
from grafana.receiver_files import SOUND, sound
from grafana.routing import Configuration, Labels
from needs import program

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = load_registry(ROOT / "docs" / "examples" / "registry.yaml")
SAMPLE = ROOT / "deploy" / "alertmanager"

RECEIVERS = "- {name: reception}\n- {name: operators}\n- {name: heartbeat}\n"

# Regions that a matcher and YAML could misread.
ODD = ('Île "de" \\France\\', "a, b: [c] #d", "'x' {y}", "no", "2027", "=~.*")
ODD_NETWORK = parse_registry(
    "network: odd\nservices: [{id: a, title: A}]\noffices:\n"
    + "".join(
        f"  - {{id: o{n}, name: O, zone: UTC, region: {text}}}\n"
        for n, text in enumerate("'{}'".format(one.replace("'", "''")) for one in ODD)
    ),
    "registry.yaml",
)


def simulated() -> Registry:
    """The network of the live demo."""
    return parse_registry(registry_text(Network.generate(0, 40)), "registry.yaml")


def by_region(registry: Registry) -> Receivers:
    """Each region has a receiver of its own for what its offices are told, pages and tickets apart."""
    regions = list(dict.fromkeys(office.region for office in registry.offices.values()))
    names = [f"{severity} {number}" for severity in SEVERITIES for number in range(len(regions))]
    routes = [
        f"  - audiences: [office]\n    severities: [{severity}]\n    regions: ['{quoted}']\n"
        f"    receiver: {severity} {number}\n"
        for severity in SEVERITIES
        for number, quoted in enumerate(region.replace("'", "''") for region in regions)
    ]
    text = SOUND.replace("  - {audiences: [office], receiver: reception}\n", "".join(routes)).replace(
        "routes:\n", "".join(f"  - name: {name}\n" for name in names) + "routes:\n"
    )
    return parse(text, "receivers.yaml", registry)


@pytest.fixture(scope="module")
def amtool() -> str:
    return program("amtool")


def alerts(registry: Registry) -> Iterator[Labels]:
    """An alert of every audience, severity and region, of an office with and without a calendar."""
    offices = {(office.region, bool(office.calendar)): office for office in registry.offices.values()}
    for audience in AUDIENCES:
        for severity in SEVERITIES:
            common = {"alertname": "X", "audience": audience, "severity": severity}
            if audience != "office":
                yield common
            for office in offices.values():
                labels = {"region": office.region, "office": office.id, "zone": office.zone}
                yield {**common, **labels, **({"calendar": office.calendar} if office.calendar else {})}


def routed(amtool: str, file: Path, labels: Labels) -> str:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    done = subprocess.run(
        [amtool, "config", "routes", "test", f"--config.file={file}", *pairs],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.strip()


CASES = {
    "sample": lambda: (EXAMPLE, load(SAMPLE / "receivers.yaml", EXAMPLE)),
    "example-by-region": lambda: (EXAMPLE, by_region(EXAMPLE)),
    "simulated-by-region": lambda: (registry := simulated(), by_region(registry)),
}


@pytest.mark.tools
@pytest.mark.parametrize("case", CASES)
def test_amtool_finds_the_configuration_right_and_routes_every_alert_as_it_reads(
    amtool: str, tmp_path: Path, case: str
) -> None:
    registry, receivers = CASES[case]()
    text = configuration(registry, receivers)
    file = tmp_path / "alertmanager.yaml"
    file.write_text(text)
    checked = subprocess.run([amtool, "check-config", str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr + checked.stdout

    read = Configuration(text)
    found = {tuple(labels.items()): routed(amtool, file, labels) for labels in alerts(registry)}

    assert found == {tuple(labels.items()): read.ends(labels).receiver for labels in alerts(registry)}
    assert len(set(found.values())) > 2


@pytest.mark.tools
@pytest.mark.parametrize("region", ODD)
def test_amtool_knows_a_region_whatever_signs_its_name_has(amtool: str, tmp_path: Path, region: str) -> None:
    file = tmp_path / "alertmanager.yaml"
    file.write_text(configuration(ODD_NETWORK, by_region(ODD_NETWORK)))
    labels = {"audience": "office", "severity": "ticket", "region": region}
    argument = region.replace("\\", "\\\\").replace('"', '\\"')

    assert routed(amtool, file, labels | {"region": f'"{argument}"'}) == f"ticket {ODD.index(region)}"


def sample() -> Configuration:
    return Configuration((SAMPLE / "alertmanager.yaml").read_text())


def office_alert(**more: str) -> Labels:
    return {"alertname": "AttenteWaitBeyondNorm", "audience": "office", "severity": "ticket", **more}


def test_the_sample_is_what_its_registry_and_receivers_say() -> None:
    written = configuration(EXAMPLE, load(SAMPLE / "receivers.yaml", EXAMPLE))

    assert (SAMPLE / "alertmanager.yaml").read_text() == written


def test_every_office_of_a_region_is_told_to_its_receiver() -> None:
    registry = simulated()
    read = Configuration(configuration(registry, by_region(registry)))
    regions = list(dict.fromkeys(office.region for office in registry.offices.values()))

    for office in registry.offices.values():
        labels = {"region": office.region, "office": office.id, "calendar": office.calendar, "zone": office.zone}
        ended = read.ends(office_alert(**labels))
        assert ended.receiver == f"ticket {regions.index(office.region)}"
        assert ended.active == (f"calendar/{office.calendar}/{office.zone}/open",)


def test_alerts_for_network_and_operators_know_no_hours() -> None:
    read = sample()
    places: tuple[Labels, ...] = (
        {},
        {"office": "75-nation", "region": "Île-de-France", "calendar": "usual", "zone": "Europe/Paris"},
    )

    for audience in ("network", "operator"):
        for severity in SEVERITIES:
            for place in places:
                ended = read.ends({"audience": audience, "severity": severity, **place})
                assert (ended.active, ended.mute) == ((), ())


def test_an_office_whose_calendar_the_file_does_not_know_is_told_at_any_hour() -> None:
    labels = {"region": "Île-de-France", "office": "94-creteil", "calendar": "new", "zone": "Europe/Paris"}
    ended = sample().ends(office_alert(**labels))

    assert (ended.receiver, ended.active, ended.mute) == ("reception", (), ())


def test_a_region_that_the_file_does_not_know_goes_to_the_general_receiver() -> None:
    read = Configuration(configuration(EXAMPLE, by_region(EXAMPLE)))

    assert read.ends(office_alert(region="Bretagne")).receiver == "operators"


def test_an_office_with_closures_of_its_own_has_its_own_hours_before_those_of_its_calendar() -> None:
    labels = {"region": "Île-de-France", "office": "75-nation", "calendar": "usual", "zone": "Europe/Paris"}

    assert sample().ends(office_alert(**labels)).active == ("office/75-nation/open",)


def test_alerts_are_gathered_by_what_their_reader_looks_after() -> None:
    read = sample()

    assert read.ends({"audience": "office", "severity": "page"}).group_by == ("alertname", "office")
    assert read.ends({"audience": "network", "severity": "page"}).group_by == ("alertname", "region")
    assert read.ends({"audience": "operator", "severity": "page"}).group_by == ("alertname",)


def test_the_dead_mans_switch_has_its_own_receiver_and_is_told_again_within_a_minute() -> None:
    read = sample()
    switch = {"alertname": DEAD_MANS_SWITCH, "audience": "operator", "severity": "none"}
    route = read.parts["route"]["routes"][0]

    assert read.ends(switch).receiver == "heartbeat"
    assert (route["group_wait"], route["group_interval"], route["repeat_interval"]) == ("0s", "1m", "50s")


def test_the_first_route_of_the_receivers_file_that_fits_is_the_one() -> None:
    first = "  - {audiences: [operator], severities: [page], regions: [Île-de-France], receiver: heartbeat}\n"
    second = "  - {audiences: [operator], regions: [Île-de-France], receiver: reception}\n"
    text = SOUND.replace("routes:\n", f"routes:\n{first}{second}")
    read = Configuration(configuration(EXAMPLE, parse(text, "receivers.yaml", EXAMPLE)))
    page = {"audience": "operator", "severity": "page"}

    assert read.ends(page | {"region": "Île-de-France"}).receiver == "heartbeat"
    assert read.ends(page | {"severity": "ticket", "region": "Île-de-France"}).receiver == "reception"
    assert read.ends(page | {"region": "Auvergne-Rhône-Alpes"}).receiver == "operators"
    assert read.ends(page).receiver == "operators"


def test_what_the_user_wrote_stands_in_the_configuration_as_it_was() -> None:
    receivers = """\
- name: "no"
  webhook_configs:
  - {url: 'http://127.0.0.1:9/', send_resolved: yes, max_alerts: 0x10}
- name: '2027'
  email_configs:
  - to: 12:30
    text: |
      {{ range .Alerts }}
      {{ end }}
"""
    text = re.sub(r"receivers:\n(.|\n)*routes:\n", f"receivers:\n{RECEIVERS}{receivers}routes:\n", SOUND)
    written = configuration(EXAMPLE, parse(text, "receivers.yaml", EXAMPLE))

    assert f"\n{receivers}" in written


def test_a_network_without_calendars_has_no_time_intervals() -> None:
    read = Configuration(configuration(ODD_NETWORK, sound(ODD_NETWORK)))

    assert "time_intervals" not in read.parts


# Inhibition


HERE = {"office": "75-nation", "region": "Île-de-France"}
WAIT = office_alert(**HERE, norm="caf-20")
BLIND = {"alertname": "AttenteNotMeasured", "audience": "operator", "severity": "page", "blinds": "figures"}
STALE = {"alertname": "AttenteKioskStale", "audience": "office", "severity": "ticket", "blinds": "figures"}


def test_missing_figures_of_the_network_silence_every_office() -> None:
    read = sample()

    assert read.inhibits(BLIND, WAIT)
    assert read.inhibits(BLIND, WAIT | {"severity": "page"})


def test_missing_figures_silence_neither_operators_nor_each_other() -> None:
    read = sample()

    assert not read.inhibits(BLIND, BLIND)
    assert not read.inhibits(BLIND, BLIND | {"alertname": "AttentePartitionNotShown"})
    assert not read.inhibits(BLIND, STALE | HERE)
    assert not read.inhibits(BLIND, {"alertname": "AttenteWorkerDown", "audience": "operator", "severity": "ticket"})
    assert not read.inhibits(BLIND, {"alertname": "AttenteBudgetBurnSlow", "audience": "network", **HERE})


def test_missing_figures_of_an_office_silence_that_office_alone() -> None:
    read = sample()

    assert read.inhibits(STALE | HERE, WAIT)
    assert not read.inhibits(STALE | HERE, WAIT | {"office": "93-bobigny"})


def test_an_alert_that_does_not_blind_silences_no_figures() -> None:
    assert not sample().inhibits({"alertname": "AttenteWorkerDown", "audience": "operator", "severity": "page"}, WAIT)


def test_an_office_as_a_whole_silences_what_its_services_say_of_the_same_norm() -> None:
    read = sample()
    hour = {**WAIT, "alertname": "AttenteHourUnderTarget"}
    service = WAIT | {"service": "accueil"}

    assert read.inhibits(hour, service)
    assert not read.inhibits(service, hour)
    assert not read.inhibits(service, service | {"service": "logement"})
    assert not read.inhibits(hour, service | {"office": "93-bobigny"})
    assert not read.inhibits(hour, service | {"norm": "conseil-30"})
    assert not read.inhibits(hour, WAIT)


def test_a_page_about_an_office_silences_the_tickets_about_its_services() -> None:
    read = sample()
    silent = {"alertname": "AttenteOfficeSilent", "audience": "office", "severity": "page", **HERE}
    service = WAIT | {"service": "accueil"}

    assert read.inhibits(silent, service)
    assert not read.inhibits(silent | {"severity": "ticket"}, service)
    assert not read.inhibits(silent, service | {"severity": "page"})
    assert not read.inhibits(silent, service | {"office": "93-bobigny"})
    assert not read.inhibits(silent, WAIT)


def test_a_page_silences_tickets_of_the_same_office_and_norm_alone() -> None:
    read = sample()
    page = {**WAIT, "alertname": "AttenteBudgetBurnFast", "severity": "page"}

    assert read.inhibits(page, WAIT)
    assert not read.inhibits(page, WAIT | {"norm": "conseil-30"})
    assert not read.inhibits(page, WAIT | {"office": "93-bobigny"})
    assert not read.inhibits(page, WAIT | {"severity": "page"})
    assert not read.inhibits(WAIT, page)


def test_pages_and_tickets_of_operators_that_are_about_no_norm_do_not_silence_each_other() -> None:
    page = {"alertname": "AttenteLagGrowing", "audience": "operator", "severity": "page"}
    ticket = {"alertname": "AttenteCheckpointsFailing", "audience": "operator", "severity": "ticket"}

    assert not sample().inhibits(page, ticket)
    assert not sample().inhibits(page | HERE, ticket | HERE)
