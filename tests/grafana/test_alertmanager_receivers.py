"""The receivers file: what is missing, unknown or secret is refused with its place and what to write instead."""

from pathlib import Path

import pytest

from attente.errors import Missing
from attente.grafana.rules.receivers import Route, Timing, load, parse
from attente.registry.load import load as load_registry
from grafana.receiver_files import SOUND, problems, sound

NETWORK = load_registry(Path(__file__).parents[2] / "docs" / "examples" / "registry.yaml")


def changed(old: str, new: str) -> str:
    assert SOUND.count(old) == 1, old
    return SOUND.replace(old, new)


def test_a_sound_file_has_nothing_wrong() -> None:
    assert problems(SOUND, NETWORK) == []


def test_routes_come_in_the_order_of_the_file_and_what_is_left_out_means_all() -> None:
    assert sound(NETWORK).routes == (
        Route(("office",), ("page", "ticket"), None, "reception"),
        Route(("office", "network", "operator"), ("page", "ticket"), None, "operators"),
    )


def test_times_that_are_not_said_are_the_usual_ones() -> None:
    text = f"{SOUND}timing: {{page: {{group_wait: 0s, repeat_interval: 90m}}}}\n"

    assert parse(text, "receivers.yaml", NETWORK).timing == {
        "page": Timing(0, 120, 5400),
        "ticket": Timing(60, 300, 43_200),
    }


REST = "  - {receiver: operators}"


def gap(text: str) -> str:
    """A gap is told at the list of routes."""
    return text.replace("routes:\n  -", "routes:\n  ▸-")


ADVICE = "put it into a file that Alertmanager may read, and write"
REFUSED = {
    "empty": ("▸# nothing\n", "the file is empty; begin with receivers: and routes:"),
    "no-yaml": (
        "receivers: ▸*mail",
        "not YAML: found undefined alias 'mail'; define it before with & or write its value out",
    ),
    "unknown-key": (
        changed("otherwise:", "▸otherwhise: x\notherwise:"),
        "unknown key otherwhise; did you mean otherwise?",
    ),
    "no-otherwise": (
        f"▸{changed('otherwise: operators', '')}",
        "otherwise is missing; add otherwise: operators",
    ),
    "no-dead-mans-switch": (
        f"▸{changed('dead_mans_switch: heartbeat', '')}",
        "dead_mans_switch is missing; add dead_mans_switch: heartbeat",
    ),
    "unknown-receiver": (
        changed("{receiver: operators}", "{receiver: ▸operator}"),
        "route number 2: receiver operator is no receiver of this file; did you mean operators?",
    ),
    "unknown-otherwise": (
        changed("otherwise: operators", "otherwise: ▸zzz"),
        "otherwise zzz is no receiver of this file; the receivers here are reception, operators, heartbeat",
    ),
    "receiver-twice": (
        changed("name: heartbeat", "name: ▸reception").replace("switch: heartbeat", "switch: reception"),
        "receiver number 3: name reception is taken by line 3; give each receiver its own",
    ),
    "unknown-way": (
        changed("email_configs", "▸mail_configs"),
        "receiver number 1: unknown key mail_configs; did you mean email_configs?",
    ),
    "mail-without-address": (
        changed('{to: "{{ .GroupLabels.office }}@example.org"}', "▸{from: a@example.org}"),
        "receiver reception: email_configs: to is missing; add to",
    ),
    "hook-without-address": (
        changed('{url: "http://127.0.0.1:9/"}', "▸{max_alerts: 1}"),
        "receiver operators: webhook_configs: url is missing; add url or url_file",
    ),
    "secret-of-mail": (
        changed("smtp_from: attente@example.org", "▸smtp_auth_password: hunter2"),
        f"global: smtp_auth_password is a secret; {ADVICE} smtp_auth_password_file: PATH",
    ),
    "secret-of-a-hook": (
        changed('{url: "http://127.0.0.1:9/"}', "{url: 'http://h/', http_config: {basic_auth: {▸password: hunter2}}}"),
        f"receiver operators: webhook_configs: password is a secret; {ADVICE} password_file: PATH",
    ),
    "secret-in-an-address": (
        changed('"http://127.0.0.1:9/"', "▸http://me:hunter2@example.org/"),
        "receiver operators: webhook_configs: url holds a password; write basic_auth with username and password_file",
    ),
    "no-mapping": (
        SOUND.replace("global: {", "global: ▸[{").replace("org}\nreceivers", "org}]\nreceivers"),
        (
            "global is a list, but must be a mapping; write a mapping like {smtp_smarthost: 'mail.example.org:587', "
            "smtp_from: attente@example.org}"
        ),
    ),
    "a-tag": (
        changed("smtp_from: attente@example.org", "smtp_from: ▸!!binary attente@example.org"),
        "global has the tag !!binary, and tags are not read; leave it out",
    ),
    "a-key-twice": (
        changed("smtp_from: attente@example.org", "smtp_from: a@example.org, ▸smtp_from: b@example.org"),
        "global: key smtp_from stands already in line 1; keep one of them",
    ),
    "a-merge": (
        changed("smtp_from: attente@example.org", "▸<<: {a: b}"),
        "global: merge keys are not read; write the merged keys out",
    ),
    "unknown-region": (
        changed("audiences: [office]", "audiences: [office], regions: [▸Ile-de-France]"),
        "route number 1: regions: Ile-de-France is not known; did you mean Île-de-France?",
    ),
    "unknown-audience": (
        changed("audiences: [office]", "audiences: [▸offices]"),
        "route number 1: audiences: offices is not known; did you mean office?",
    ),
    "unknown-severity": (
        changed("audiences: [office]", "severities: [▸warning]"),
        "route number 1: severities: warning is not known; the severities here are page, ticket",
    ),
    "a-route-for-nothing": (
        changed(REST, f"{REST}\n  - ▸{{severities: [page], receiver: reception}}"),
        (
            "route number 3: gets nothing that the routes above it do not get; "
            "put it before the more general one, or leave it out"
        ),
    ),
    "nobody-for-a-region": (
        gap(
            changed("audiences: [office]", "audiences: [office], regions: [Île-de-France]").replace(
                REST, "  - {audiences: [network, operator], receiver: operators}"
            )
        ),
        (
            "nobody gets the pages for audience office in Auvergne-Rhône-Alpes; "
            "add {audiences: [office], severities: [page], regions: [Auvergne-Rhône-Alpes], receiver: NAME}"
        ),
    ),
    "nobody-for-an-audience": (
        gap(changed(REST, "  - {severities: [page], receiver: operators}")),
        (
            "nobody gets the tickets for audience network; "
            "add {audiences: [network], severities: [ticket], receiver: NAME}"
        ),
    ),
    "nobody-for-a-region-and-what-has-none": (
        gap(
            changed(
                REST,
                """\
  - {audiences: [operator], receiver: operators}
  - {audiences: [network], regions: [Île-de-France], receiver: operators}""",
            )
        ),
        (
            "nobody gets the pages for audience network in Auvergne-Rhône-Alpes or without a region; "
            "add {audiences: [network], severities: [page], receiver: NAME}"
        ),
    ),
    "nobody-for-what-has-no-region": (
        gap(
            changed(
                REST,
                """\
  - {audiences: [network], receiver: operators}
  - {audiences: [operator], severities: [page], receiver: operators}
  - {audiences: [operator], regions: [Île-de-France, Auvergne-Rhône-Alpes], receiver: operators}""",
            )
        ),
        (
            "nobody gets the tickets for audience operator without a region; "
            "add {audiences: [operator], severities: [ticket], receiver: NAME}"
        ),
    ),
    "no-duration": (
        f"{SOUND}timing: {{page: {{group_wait: ▸soon}}}}\n",
        "timing: page: group_wait soon is no duration; write one like 90s, 20m or 24h",
    ),
    "no-time-at-all": (
        f"{SOUND}timing: {{ticket: {{repeat_interval: ▸0s}}}}\n",
        "timing: ticket: repeat_interval 0s is no time at all; write 1s or more",
    ),
    "unknown-timing": (
        f"{SOUND}timing: {{▸pages: {{group_wait: 1s}}}}\n",
        "timing: unknown key pages; did you mean page?",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_told_with_its_place_and_a_remedy(text: str, message: str) -> None:
    assert f"here: {message}" in problems(text, NETWORK)


def test_one_fault_is_one_line() -> None:
    # Those that leave something without a receiver bring a second line with them.
    several = {"nobody-for-an-audience", "nobody-for-a-region", "nobody-for-a-region-and-what-has-none"}
    more = {name for name, (text, _) in REFUSED.items() if len(problems(text, NETWORK)) > 1}

    assert more == several


def test_no_message_shows_a_secret() -> None:
    secret = [text for text, _ in REFUSED.values() if "hunter2" in text]
    said = [line for text in secret for line in problems(text, NETWORK)]

    assert len(secret) == len(said) == 3
    assert "hunter2" not in "".join(said)


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(
        Missing, match=r"receivers\.yaml: the receivers cannot be read \(No such file or directory\); name"
    ):
        load(tmp_path / "receivers.yaml", NETWORK)


def test_a_file_that_is_not_utf_8_is_told_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "receivers.yaml"
    file.write_bytes("global: {smtp_from: é@example.org}".encode("latin-1"))

    with pytest.raises(Exception, match=r"receivers\.yaml:1:1: byte 21 is not UTF-8; save the file in UTF-8"):
        load(file, NETWORK)
