"""Reads `overlay/*.txt`, what is written by hand; every fault is reported with its file and line."""

import dataclasses
import re

DIRECTIVES = {"service", "checked", "passes", "denial", "tagging"}


@dataclasses.dataclass
class Item:
    text: str
    place: str


@dataclasses.dataclass
class Section:
    """What a file says of one service."""

    place: str
    checked: bool = False
    passes: str = ""
    denial: str = ""
    tagging: str = ""  # the action that tags what an operation makes, which the reference does not tell
    checks: dict = dataclasses.field(default_factory=dict)  # operation → items, instead of what the rules say
    keys: dict = dataclasses.field(default_factory=dict)  # operation or `*` → items, added to what the rules say


class Faults(Exception):
    """What is wrong in the overlay files, a line each."""


def read(folder):
    """Service id → section."""
    sections, faults = {}, []
    for path in sorted(folder.glob("*.txt")):
        current, items = [], None
        for number, line in enumerate(path.read_text(encoding="ascii").split("\n"), 1):
            place = f"{path.parent.name}/{path.name}:{number}"
            line = re.sub(r"(^|\s)#.*", "", line).rstrip()
            try:
                current, items = read_line(line, place, sections, current, items)
            except ValueError as fault:
                faults.append(f"{place}: {fault}")
    if faults:
        raise Faults("\n".join(faults))
    return sections


def read_line(line, place, sections, current, items):
    """The sections that the next line belongs to, and the lists of items that it goes on with."""
    if not line:
        return current, items
    first, _, rest = line.partition(" ")
    rest = rest.strip()
    if not first:
        if items is None:
            raise ValueError("there is no entry to go on with")
    elif first == "service":
        current = [sections.setdefault(id_, Section(place)) for id_ in rest.split()]
        return current, None
    elif not current:
        raise ValueError("a `service` line comes first")
    elif first in DIRECTIVES:
        for section in current:
            setattr(section, first, rest or True)
        return current, None
    else:
        adds = re.match(r"\+\s+", rest)
        rest = rest[adds.end() :] if adds else rest
        if first == "*" and not adds:
            raise ValueError("`*` can only add: `* + KEY=VALUE`")
        items = [(section.keys if adds else section.checks).setdefault(first, []) for section in current]
    if not rest:
        raise ValueError("an item is missing")
    for of_section in items:
        of_section.append(Item(rest, place))
    return current, items
