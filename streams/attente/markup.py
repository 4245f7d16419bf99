"""Elements of a page. Text and attributes are escaped where the page is written, so that no name can be markup."""

from typing import Final
from xml.etree.ElementTree import Element

Child = Element | str

SVG_NS: Final = "http://www.w3.org/2000/svg"


def node(tag: str, /, *children: Child, **attributes: str | float) -> Element:
    """An element with texts and elements inside.

    Args:
        tag: its name.
        children: in order.
        attributes: an underscore stands for a hyphen, and one at the end for nothing (`class_`).
    """
    made = Element(tag, {_name(name): _value(value) for name, value in attributes.items()})
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + child
        else:
            made.text = (made.text or "") + child
    return made


def picture(title: str, text: str, width: int, height: int, *children: Element) -> Element:
    """A drawing that says what it shows to who cannot see it."""
    return node(
        "svg",
        node("title", title),
        node("desc", text),
        *children,
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=f"{title}. {text}",
        xmlns=SVG_NS,
    )


def text(x: float, y: float, words: str, *, kind: str = "", anchor: str = "start") -> Element:
    """Words in a drawing."""
    return node("text", words, x=x, y=y, text_anchor=anchor, **({"class_": kind} if kind else {}))


def rectangle(x: float, y: float, width: float, height: float, kind: str, told: str = "") -> Element:
    """A rectangle; `told` is shown to who points at it."""
    inside = (node("title", told),) if told else ()
    return node("rect", *inside, x=x, y=y, width=max(0.0, width), height=max(0.0, height), class_=kind)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Element:
    """A straight line."""
    return node("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
