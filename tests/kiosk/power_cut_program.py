"""A program that adds to a spool and takes away from it at random, and tells before and after in a file of marks.

`python power_cut_program.py SPOOL MARKS SEED STEPS`. Marks are lines: `adding FIRST LAST`, `accepted LAST`,
`removing LAST`.
"""

import hashlib
import os
import random
import sys
from pathlib import Path

from attente.kiosk.spool import Spool


def value_of(number: int) -> bytes:
    """The event of a number: between 32 bytes and 6 kB, so that some need several pages."""
    digest = hashlib.sha256(str(number).encode()).digest()
    return digest * (1 + digest[0] * (digest[1] < 64) + digest[2] % 8)


def main() -> None:
    spool, marks, seed, steps = sys.argv[1:]
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    file = os.open(marks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def mark(*words: object) -> None:
        os.write(file, f"{' '.join(map(str, words))}\n".encode())

    with Spool(Path(spool)) as held:
        last = 0
        for _ in range(int(steps)):
            if dice.random() < 0.7:
                first, last = last + 1, last + dice.choice((1, 1, 1, 2, 30))
                mark("adding", first, last)
                assert held.add([value_of(number) for number in range(first, last + 1)]) == last
                mark("accepted", last)
            else:
                upto = last if dice.random() < 0.3 else max(0, last - dice.randrange(40))
                if dice.random() < 0.2:  # as after a full disk: then an empty file is made small again
                    Path(f"{spool}-reserve").unlink(missing_ok=True)
                mark("removing", upto)
                held.remove_up_to(upto)


if __name__ == "__main__":
    main()
