"""What is said of a connection: from where, what goes together, and what nobody may see."""

import os
import pickle
from pathlib import Path

import pytest
from kafka.net.sasl.scram import ScramClient

from attente.doctor.machine import MASK, check_secrets, effective
from attente.errors import AttenteError, BadInput, Missing
from attente.security import PLAINTEXT, BadSecurity, Security
from attente.security.scram import Scram, WrongProof
from attente.settings import BadSetting, Settings, load
from commands import attente

PASSWORD = "correct-horse-battery"  # noqa: S105 - nobody has it


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    file.chmod(0o600)
    return file


# What goes together


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"protocol": "sasl"}, "security sasl needs a user; name it with --sasl-user"),
        ({"protocol": "sasl", "user": "u"}, "user u has no password; put it in a file"),
        ({"user": "u"}, "a user or a password is given, and security is plaintext; say security: sasl"),
        ({"protocol": "tls", "password": "p"}, "a user or a password is given, and security is tls"),
        ({"ca": Path("ca.pem")}, "certificates are given, and security is plaintext; say security: tls"),
        ({"protocol": "tls", "key": Path("k")}, "a key (k) without its certificate; name it with tls_cert"),
    ],
)
def test_parts_that_do_not_go_together_are_refused_before_anything_is_sent(parts: dict[str, object], said: str) -> None:
    with pytest.raises(BadSecurity) as refused:
        Security(**parts)  # type: ignore[arg-type]

    assert str(refused.value).startswith(said)


def test_without_any_setting_a_client_connects_in_the_open() -> None:
    assert Settings().connection == PLAINTEXT
    assert PLAINTEXT.arguments() == {"security_protocol": "PLAINTEXT"}


def test_a_user_and_a_password_are_sent_over_tls_alone(password_file: Path) -> None:
    arguments = Security(protocol="sasl", user="u", password_file=password_file).arguments()

    assert arguments.pop("ssl_context").check_hostname
    assert arguments == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": PASSWORD,
    }


def test_a_password_that_was_replaced_in_its_file_is_taken_at_the_next_connection(password_file: Path) -> None:
    security = Security(protocol="sasl", user="u", password_file=password_file)
    assert security.secret() == PASSWORD

    password_file.write_text("another")

    assert security.secret() == "another"


def test_another_process_connects_the_same_way(password_file: Path) -> None:
    security = Security(protocol="sasl", user="u", password_file=password_file)
    security.arguments()

    assert pickle.loads(pickle.dumps(security)) == security  # noqa: S301 - our own


# Files that cannot be used


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"x" * 2000])
def test_a_file_that_holds_no_password_is_refused_without_being_shown(content: bytes, password_file: Path) -> None:
    password_file.write_bytes(content)

    with pytest.raises(BadSecurity) as refused:
        Security(protocol="sasl", user="u", password_file=password_file).secret()

    assert str(refused.value) == f"{password_file}: holds no password; write it on one line, and nothing else"


def test_a_password_in_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(BadSecurity, match="pipe: is a pipe; name a file, or give the password in ATTENTE_SASL_PASS"):
        Security(protocol="sasl", user="u", password_file=tmp_path / "pipe").secret()


@pytest.mark.parametrize(
    ("parts", "kind", "said"),
    [
        ({"ca": "absent"}, Missing, "absent: cannot be read: No such file or directory; tls_ca must name a PEM file"),
        ({"cert": "absent"}, Missing, "absent: cannot be read: No such file or directory; tls_cert and tls_key"),
        ({"ca": "junk"}, BadSecurity, "junk: cannot be used ("),
        ({"cert": "junk"}, BadSecurity, "junk: cannot be used ("),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_setting(
    parts: dict[str, str], kind: type[AttenteError], said: str, tmp_path: Path
) -> None:
    (tmp_path / "junk").write_text("no certificate")
    files = {name: tmp_path / file for name, file in parts.items()}

    with pytest.raises(kind) as refused:
        Security(protocol="tls", **files).context()  # type: ignore[arg-type]

    assert str(refused.value).startswith(f"{tmp_path}/{said}")
    assert "\n" not in str(refused.value)


# Where secrets come from, and where they are not seen


def test_a_password_comes_from_the_environment() -> None:
    settings = load({"security": "sasl", "sasl_user": "u"}, {"ATTENTE_SASL_PASSWORD": PASSWORD})

    assert settings.connection.secret() == PASSWORD


def test_a_password_in_a_file_of_settings_is_refused_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "attente.yaml"
    file.write_text(f"sasl_password: {PASSWORD}\n")

    with pytest.raises(BadSetting) as refused:
        load(file=file)

    assert str(refused.value).startswith(f"{file}:1:1: sasl_password does not belong in a file of settings; ")
    assert PASSWORD not in str(refused.value)


def test_a_password_that_cannot_be_one_is_not_shown() -> None:
    with pytest.raises(BadSetting) as refused:
        load({}, {"ATTENTE_SASL_PASSWORD": f"{PASSWORD}\n{PASSWORD}"})

    assert PASSWORD not in str(refused.value)


def test_no_command_has_a_flag_for_a_password() -> None:
    for command in ("doctor", "worker", "replay"):
        assert "--sasl-password-file" in attente(command, "--help").stdout
        refused = attente(command, "--sasl-password", PASSWORD)
        assert refused.returncode == 2


def test_settings_and_what_is_made_of_them_do_not_show_the_password() -> None:
    settings = load({"security": "sasl", "sasl_user": "u"}, {"ATTENTE_SASL_PASSWORD": PASSWORD})

    assert PASSWORD not in f"{settings!r} {settings} {settings.connection!r}"
    assert {one.name: one.value for one in effective(settings)}["sasl_password"] == MASK


def test_the_doctor_warns_of_a_secret_that_others_can_read(password_file: Path) -> None:
    settings = Settings(security="sasl", sasl_user="u", sasl_password_file=password_file)
    assert [check.said for check in check_secrets(settings)] == ["connects over TLS, as user u"]

    password_file.chmod(0o644)

    (check,) = check_secrets(settings)
    assert (check.verdict, check.remedy) == ("warn", f"chmod 600 {password_file}")


def test_the_doctor_says_what_does_not_go_together() -> None:
    (check,) = check_secrets(Settings(sasl_user="u"))

    assert (check.verdict, check.remedy) == ("fail", "say security: sasl")


def test_a_user_whose_name_would_part_the_fields_of_an_exchange_is_refused() -> None:
    with pytest.raises(BadInput, match="sasl_user 'a,b' has characters"):
        load({"sasl_user": "a,b"})


# The exchange


def challenge(nonce: str) -> bytes:
    return f"r={nonce}server,s=c2FsdHNhbHQ=,i=4096".encode()


def test_a_password_is_proved_as_kafkas_own_client_proves_it() -> None:
    theirs = ScramClient("attente.worker", PASSWORD, "SCRAM-SHA-512")
    nonce = theirs.nonce.decode()
    ours = Scram("attente.worker", PASSWORD, nonce)

    assert ours.first() == theirs.first_message()
    theirs.process_server_first_message(challenge(nonce))
    assert ours.final(challenge(nonce)) == theirs.final_message()


def test_a_broker_that_does_not_know_the_password_is_found_out() -> None:
    ours = Scram("u", PASSWORD, "abc")
    ours.final(challenge("abc"))

    with pytest.raises(WrongProof):
        ours.verify(b"v=" + b"A" * 88)


@pytest.mark.parametrize("answer", [b"", b"r=other,s=c2Fs,i=4096", b"r=abcd,s=c2Fs,i=2000000", b"r=abcd,s=c2Fs,i=-1"])
def test_a_challenge_that_answers_somebody_else_or_takes_for_ever_is_refused(answer: bytes) -> None:
    with pytest.raises(WrongProof):
        Scram("u", PASSWORD, "abc").final(answer)
