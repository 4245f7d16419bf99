"""One secured Kafka for all tests of access control, with a network whose rights have been applied."""

import logging
import secrets
import shutil
from collections.abc import Iterator

import pytest

from access.secured import OF_OTHERS, UNLISTED, Secured
from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.state import read_state
from attente.errors import Missing
from commands import attente
from needs import cannot_run, program


@pytest.fixture(scope="session")
def network(broker_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    program("openssl")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    folder = tmp_path_factory.mktemp("secured")
    broker = LocalBroker(folder / "broker")
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, secret in OF_OTHERS.items():
                patch.setenv(name, secret)
            up = attente("broker", "up", "--secure", "--data", str(folder))
        if up.returncode == Missing.exit_code:
            cannot_run(up.stderr)
        assert up.returncode == 0, up.stderr
        state = read_state(broker.layout.state)
        assert state is not None
        made = Secured(folder, broker, f"127.0.0.1:{state.tls_port}")
        admin = ("--config", made.config("admin"))
        for command in (
            ("topics", "apply", *admin, "--partitions", "2"),
            ("access", "apply", *admin, "--registry", str(made.registry), "--secrets", str(made.secrets)),
        ):
            done = attente(*command)
            assert done.returncode == 0, done.stderr
        password = secrets.token_urlsafe(20)
        made.add_stranger(password)
        with connect(broker.bootstrap, broker.admin) as connection:
            assert connection.set_password(UNLISTED, password) is None
        yield made
    finally:
        broker.down()
        shutil.rmtree(broker.layout.data, ignore_errors=True)
