"""Words of messages that depend on a number."""


def counted(number: int, noun: str) -> str:
    """A number with its noun, which forms its plural with an s: `1 event`, `2,000 events`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
