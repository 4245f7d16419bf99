"""Where the contract's files lie, and its examples as the tests read them."""

import json
from dataclasses import dataclass
from pathlib import Path

SCHEMAS = Path(__file__).parents[2] / "schemas"
VALID = sorted((SCHEMAS / "examples" / "valid").glob("*.json"))
INVALID = SCHEMAS / "examples" / "invalid"


@dataclass(frozen=True)
class Invalid:
    file: str
    reason: str
    why: str

    @property
    def raw(self) -> bytes:
        return (INVALID / self.file).read_bytes()


INDEX = [Invalid(file, **said) for file, said in json.loads((INVALID / "index.json").read_bytes()).items()]

EXAMPLES = {path.stem: path.read_bytes() for path in VALID}
OBJECTS: dict[str, dict[str, object]] = {name: json.loads(raw) for name, raw in EXAMPLES.items()}
