"""The contract in files: everything under `schemas/` that follows from the code.

    python -m attente.model.schemas build|check [FOLDER]

Examples are written by hand and quoted in the schemas; every other file there is generated.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from attente.model.schemas.asyncapi import asyncapi
from attente.model.schemas.examples import read_examples
from attente.model.schemas.json_schema import event_schemas
from attente.model.schemas.text import json_text, yaml_text
from attente.model.schemas.topic_list import topic_list
from attente.model.schemas.vectors import partition_vectors, signature_vectors

_GENERATED_WHOLE = ("json", "vectors")
"""Folders in which nothing else may lie: a file that the code no longer generates is a contract nobody keeps."""


def artefacts(folder: Path) -> dict[str, str]:
    """The text of every generated file by its path under the folder.

    Args:
        folder: where `examples/valid` lies.

    Raises:
        ValueError: an example is no event.
    """
    files = {f"json/{name}.json": json_text(schema) for name, schema in event_schemas(read_examples(folder)).items()}
    files["asyncapi.yaml"] = yaml_text(asyncapi())
    files["topics.yaml"] = yaml_text(topic_list())
    files["vectors/partitions.json"] = json_text(partition_vectors())
    files["vectors/signatures.json"] = json_text(signature_vectors())
    return files


def build(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files, and remove what is no longer one of them."""
    for name in stale(folder, files):
        (folder / name).unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def drift(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """One line for every file under the folder that is not what the code generates."""
    for name, text in sorted(files.items()):
        path = folder / name
        if not path.is_file():
            yield f"{path} is missing"
        elif path.read_bytes() != text.encode():
            yield f"{path} is not what the code generates"
    for name in stale(folder, files):
        yield f"{folder / name} is generated no more"


def stale(folder: Path, files: Mapping[str, str]) -> list[str]:
    """What lies in the generated folders and is not generated."""
    found = (path for part in _GENERATED_WHOLE for path in (folder / part).glob("**/*") if path.is_file())
    return sorted(name for name in (path.relative_to(folder).as_posix() for path in found) if name not in files)
