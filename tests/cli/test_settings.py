import dataclasses
import re
from pathlib import Path

import pytest

from attente.errors import Missing
from attente.settings import DEFAULT, FORMS, BadSetting, Settings, flag_of, load, prefixed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "attente.yaml"


def test_every_setting_can_be_written() -> None:
    assert set(FORMS) == {field.name for field in dataclasses.fields(Settings)} - {"origins"}


@pytest.mark.parametrize("name", [name for name in FORMS if getattr(Settings(), name) is not None])
def test_every_default_is_a_value_that_could_have_been_written(name: str) -> None:
    default = getattr(Settings(), name)

    assert FORMS[name].parse(str(default)) == default


# Where values come from


def test_without_any_source_all_is_as_by_default() -> None:
    settings = load()

    assert settings == Settings()
    assert {settings.origin(name) for name in FORMS} == {DEFAULT}


def test_a_flag_beats_the_environment_and_the_environment_beats_the_file(file: Path) -> None:
    file.write_text("group: from-file\nworker: from-file\nbroker: file:1\n")

    settings = load(
        {"group": "from-flag", "worker": None},
        {"ATTENTE_GROUP": "from-environment", "ATTENTE_WORKER": "from-environment"},
        file,
    )

    assert (settings.group, settings.worker, settings.broker) == ("from-flag", "from-environment", "file:1")


def test_each_value_remembers_its_place(file: Path) -> None:
    file.write_text("# ours\ngroup: g\n")

    settings = load({"topic_prefix": "x."}, {"ATTENTE_METRICS_PORT": "1"}, file)

    assert settings.origin("topic_prefix") == "--prefix"
    assert settings.origin("metrics_port") == "ATTENTE_METRICS_PORT"
    assert settings.origin("group") == f"{file}:2:8"
    assert settings.origin("broker") == DEFAULT


def test_the_environment_can_name_the_file(file: Path) -> None:
    file.write_text("group: g\n")

    assert load({}, {"ATTENTE_CONFIG": str(file)}).group == "g"


def test_a_file_that_is_named_by_flag_beats_the_one_of_the_environment(file: Path, tmp_path: Path) -> None:
    file.write_text("group: g\n")

    assert load({}, {"ATTENTE_CONFIG": str(tmp_path / "absent")}, file).group == "g"


def test_an_empty_file_says_nothing(file: Path) -> None:
    file.write_text("# nothing yet\n")

    assert load({}, {}, file) == Settings()


def test_a_path_in_the_file_counts_from_the_files_folder(file: Path) -> None:
    file.write_text("registry: net/registry.yaml\ndata: /var/lib/attente\n")

    settings = load({}, {}, file)

    assert settings.registry == file.parent / "net" / "registry.yaml"
    assert settings.data == Path("/var/lib/attente")


def test_a_path_in_a_flag_counts_from_where_one_stands(file: Path) -> None:
    file.write_text("group: g\n")

    assert load({"registry": "registry.yaml"}, {}, file).registry == Path("registry.yaml")


def test_a_value_can_be_put_in_afterwards_with_its_place() -> None:
    settings = load({"group": "g"}).having("broker", "b:1", "the broker in here")

    assert (settings.broker, settings.origin("broker"), settings.origin("group")) == (
        "b:1",
        "the broker in here",
        "--group",
    )


# What is refused


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("broker", "localhost", "is not HOST:PORT"),
        ("broker", "localhost:0", "is not HOST:PORT"),
        ("broker", "localhost:65536", "is not HOST:PORT"),
        ("broker", "a:1,,b:2", "is not HOST:PORT"),
        ("topic_prefix", "a b", "has characters that Kafka does not allow"),
        ("topic_prefix", "a" * 201, "or too many"),
        ("group", "", "has characters that Kafka does not allow"),
        ("registry", "", "is not a path"),
        ("metrics_host", "", "is not the name or the address of a host"),
        ("metrics_port", "65536", "is out of range; it must be between 0 and 65535"),
        ("metrics_port", "-1", "is out of range"),
        ("session_timeout_seconds", "10s", "is not a whole number"),
        ("session_timeout_seconds", "0", "is out of range; it must be between 1 and 3600"),
        ("checkpoint_events", "1e6", "is not a whole number"),
        ("checkpoint_events", "0", "is out of range; it must be at least 1"),
        ("checkpoint_seconds", "", "is not a whole number"),
        ("transport", "fast", "is none of raw, plain"),
        ("hash_every", "-5", "is out of range; it must be at least 0"),
    ],
)
def test_a_value_that_a_setting_does_not_take_is_refused_with_its_place(name: str, text: str, said: str) -> None:
    variable = f"ATTENTE_{name.upper()}"

    with pytest.raises(BadSetting) as caught:
        load({}, {variable: text})

    assert str(caught.value).startswith(f"{variable}: {name} {text!r} ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("brokers: a:1\n", "1:1", "unknown setting 'brokers'; did you mean 'broker'?"),
        ("xyzzy: 1\n", "1:1", "unknown setting 'xyzzy'; there are broker, topic_prefix"),
        ("group: a\ngroup: b\n", "2:1", "group is set twice; keep one"),
        ("group: [a]\n", "1:8", "group must be a single value; write 'group: NAME'"),
        ("group:\n", "1:7", "group must be a single value"),
        ("- group\n", "1:1", "the settings are not a mapping"),
        ("metrics_port: high\n", "1:15", "metrics_port 'high' is not a whole number"),
        ("group: a\n  b: c\n", "2:4", "not YAML: mapping values are not allowed here"),
    ],
)
def test_a_file_is_refused_with_line_and_column(text: str, place: str, said: str, file: Path) -> None:
    file.write_text(text)

    with pytest.raises(BadSetting) as caught:
        load({}, {}, file)

    assert str(caught.value).startswith(f"{file}:{place}: {said}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(file: Path) -> None:
    file.write_bytes(b"group: \xff\xfe\n")

    with pytest.raises(BadSetting, match=r"attente\.yaml: not YAML in UTF-8: "):
        load({}, {}, file)


def test_a_file_that_is_not_there_is_missing(file: Path) -> None:
    with pytest.raises(Missing, match=re.escape(f"{file}: there is no such settings file")):
        load({}, {}, file)


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="cannot be read: Is a directory"):
        load({}, {}, tmp_path)


def test_a_slip_in_a_variable_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"unknown setting ATTENTE_BROKR; did you mean ATTENTE_BROKER\?"):
        load({}, {"ATTENTE_BROKR": "a:1"})


@pytest.mark.parametrize(
    "name", ["ATTENTE_SERVICE_HOST", "ATTENTE_PORT_9646_TCP", "ATTENTE_CACHE", "ATTENTE_TRACEBACK"]
)
def test_variables_that_are_no_slips_are_left_alone(name: str) -> None:
    assert load({}, {name: "tcp://10.0.0.1:9646"}) == Settings()


# Forms


@pytest.mark.parametrize(
    ("text", "value"),
    [("a:1", "a:1"), ("a:1, b:2", "a:1,b:2"), ("[::1]:9092", "[::1]:9092"), ("10.0.0.1:65535", "10.0.0.1:65535")],
)
def test_brokers_are_written_as_host_and_port(text: str, value: str) -> None:
    assert load({"broker": text}).broker == value


def test_the_home_folder_can_be_written_as_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")

    assert load({"data": "~/attente"}).data == Path("/h/attente")


@pytest.mark.parametrize(("prefix", "name"), [("attente.", "attente.events"), ("a.b.", "a.b.events"), ("", "events")])
def test_a_topic_is_named_by_its_prefix(prefix: str, name: str) -> None:
    assert Settings(topic_prefix=prefix).topic("attente.events") == name == prefixed("attente.events", prefix)


@pytest.mark.parametrize(("name", "flag"), [("topic_prefix", "--prefix"), ("metrics_port", "--metrics-port")])
def test_the_flag_of_a_setting_is_its_name_unless_it_has_a_shorter_one(name: str, flag: str) -> None:
    assert flag_of(name) == flag
