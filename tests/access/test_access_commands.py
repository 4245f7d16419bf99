"""Every command there is: whoever names a broker says how to connect, and nobody takes a secret by flag."""

from collections.abc import Iterator
from dataclasses import dataclass

import click
import pytest

from attente.cli.main import attente
from attente.cli.options import CONNECTION
from attente.settings import FORMS


@dataclass(frozen=True)
class Leaf:
    """A command that does something."""

    name: str
    command: click.Command

    @property
    def options(self) -> dict[str, click.Option]:
        """Its options by the long form of their flags."""
        named = (one for one in self.command.params if isinstance(one, click.Option))
        return {flag: one for one in named for flag in (*one.opts, *one.secondary_opts) if flag.startswith("--")}


def leaves(command: click.Command, name: str = "") -> Iterator[Leaf]:
    if not isinstance(command, click.Group):
        yield Leaf(name, command)
        return
    context = click.Context(command)
    for sub in command.list_commands(context):
        found = command.get_command(context, sub)
        assert found is not None
        yield from leaves(found, f"{name} {sub}".strip())


COMMANDS = {leaf.name: leaf for leaf in leaves(attente)}
HOW = {"--" + name.replace("_", "-") for name in CONNECTION}
SECRET = ("password", "secret", "token", "key", "passphrase", "credential")
# Where a word of these names no secret, or the file of one.
FILES = {"--tls-key", "--tls-cert", "--keys", "--keys-file", "--sasl-password-file", "--token-file", "--secrets"}


def test_all_commands_are_looked_at() -> None:
    assert len(COMMANDS) >= 30
    assert {"worker", "demo", "kiosk run", "access apply", "deadletters replay", "norms explain"} <= set(COMMANDS)
    at_a_broker = {name for name, leaf in COMMANDS.items() if "--broker" in leaf.options}
    assert len(at_a_broker) >= 15


@pytest.mark.parametrize("name", COMMANDS)
def test_whoever_takes_a_broker_takes_how_to_connect_and_nobody_else_does(name: str) -> None:
    options = COMMANDS[name].options

    assert HOW & set(options) == (HOW if "--broker" in options else set())
    assert "--broker" not in options or "--config" in options


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_takes_a_secret_by_flag(name: str) -> None:
    for flag, option in COMMANDS[name].options.items():
        form = FORMS.get(option.name or "")
        assert form is None or not form.is_secret
        if any(word in flag for word in SECRET):
            assert flag in FILES
            assert option.make_metavar(click.Context(COMMANDS[name].command)).split()[0] in {"FILE", "FOLDER"}, flag


def test_every_setting_that_is_secret_has_a_file_beside_it() -> None:
    assert {name for name, form in FORMS.items() if form.is_secret} == {"sasl_password", "signing_key"}
    assert {"sasl_password_file", "keys_file"} <= set(FORMS)
