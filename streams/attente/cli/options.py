"""Options that several commands share: the settings, and output for machines."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from attente.broker.server import Layout
from attente.broker.state import running
from attente.errors import BadInput
from attente.registry.scalars import Unreadable
from attente.registry.zones import zone_name
from attente.settings import CONFIG, DEFAULT, FORMS, Form, Settings, load

LOCAL_BROKER: Final = "broker"
"""The folder of the local broker inside the data folder."""

CONNECTION: Final = ("security", "tls_ca", "tls_cert", "tls_key", "sasl_user", "sasl_password_file")
"""The settings that say how to connect to a broker."""

Function = Callable[..., Any]


class _Text(click.ParamType):
    """A setting as text, checked where click can still say which flag is wrong; `settings.load` parses it again."""

    def __init__(self, form: Form) -> None:
        self.name = form.metavar
        self._form = form

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check a value."""
        try:
            self._form.parse(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)
        return str(value)


class Zone(click.ParamType):
    """The name of an IANA time zone."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Text to the name of a zone that there is."""
        try:
            return zone_name(str(value))
        except Unreadable as error:
            self.fail(str(error), param, ctx)


def with_settings(*names: str, local_broker: bool = True) -> Callable[[Function], Function]:
    """Give a command the flags of some settings, and call it with all of them as the argument `settings`.

    The flag `--config FILE` comes with it.

    Whoever may name a broker may also say how to connect to it; a secret has no flag, because everybody on a machine
    can see the flags of its programs.

    Args:
        names: of the settings; those that are secret come from the environment or the file alone.
        local_broker: when nobody names a broker and the local one of the data folder runs, that one is meant.
    """
    given = [one for name in names for one in ((name, *CONNECTION) if name == "broker" else (name,))]
    shown = [name for name in dict.fromkeys(given) if not FORMS[name].is_secret]

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, config: Path | None, **values: Any) -> Any:
            flags = {name: values.pop(name) for name in shown}
            settings = load(flags, os.environ, config)
            if local_broker:
                settings = _with_local_broker(settings, is_asked="broker" in shown)
            return function(*args, settings=settings, **values)

        decorated: Function = click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help=f"A YAML file of settings.  [env: {CONFIG}]",
        )(call)
        for name in reversed(shown):
            decorated = _option(name, FORMS[name])(decorated)
        return decorated

    return decorate


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def local_broker_folder(settings: Settings) -> Path:
    """Where the local broker lies."""
    return settings.data / LOCAL_BROKER


def _option(name: str, form: Form) -> Callable[[Function], Function]:
    flags = (*form.flags, "--" + name.replace("_", "-"))
    return click.option(*flags, name, type=_Text(form), metavar=form.metavar, help=f"{form.help}{_shown(name)}")


def _shown(name: str) -> str:
    default = getattr(Settings(), name)
    return "" if default is None else f"  [default: {default}]"


def _with_local_broker(settings: Settings, *, is_asked: bool) -> Settings:
    if settings.origin("broker") != DEFAULT:
        return settings
    folder = local_broker_folder(settings)
    state = running(folder / "broker.json")
    if state is None:
        return settings
    if is_asked and state.tls_port and settings.origin("security") == DEFAULT:
        access = Layout(folder).access
        msg = f"the broker in {folder} is secured; say who you are: --config {access / 'admin.yaml'}, or another file"
        raise BadInput(f"{msg} there (worker.yaml, reader.yaml, sender.yaml)")  # noqa: EM102 - two parts
    return settings.having("broker", state.bootstrap, f"the broker in {folder}")
