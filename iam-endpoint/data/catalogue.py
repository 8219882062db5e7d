"""Reads iam-policy's `catalogue.txt`: which actions, resource types and condition keys there are."""

import dataclasses
import importlib.util
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "iam-policy" / "data"


def sibling():
    """The script that writes the catalogue; it knows how to fetch pinned wheels."""
    spec = importlib.util.spec_from_file_location("iam_policy_generate", FOLDER / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclasses.dataclass
class ResourceType:
    name: str
    formats: list  # for each ARN format, the variables of its resource part
    skeletons: list  # for each ARN format, its resource part with `${}` for each variable


@dataclasses.dataclass
class Action:
    prefix: str
    name: str
    level: str
    types: dict  # name of a resource type → whether the action requires it
    keys: set  # condition keys, in lower case
    dependents: list  # `prefix:action` that its caller also needs

    @property
    def passes_role(self):
        return "iam:PassRole" in self.dependents

    @property
    def own_dependents(self):
        """Those of its own service, without its prefix."""
        return [d.partition(":")[2] for d in self.dependents if d.startswith(f"{self.prefix}:")]


class Service:
    """What the catalogue has under one prefix; names are found in any case."""

    def __init__(self, block):
        head, *lines = block.rstrip("\n").split("\n")
        self.prefix = head.split("\t")[0]
        kinds = {kind: [] for kind in "akrs"}
        for line in lines:
            kinds[line[0]].append((line[2:] + "\t\t\t\t").split("\t"))
        self.keys = {fields[0].lower(): (fields[0], fields[1]) for fields in kinds["k"]}
        sets = {fields[0]: {key.lower() for key in fields[1].split()} for fields in kinds["s"]}
        sets[""] = set()
        self.types, type_keys = {}, {}
        for name, formats, key_set, *_ in kinds["r"]:
            parts = [arn_format.split(":", 5)[5] for arn_format in formats.split(" ")]
            variables = [re.findall(r"\$\{(\w+)\}", part) for part in parts]
            self.types[name.lower()] = ResourceType(name, variables, [re.sub(r"\$\{\w+\}", "${}", p) for p in parts])
            type_keys[name] = sets[key_set]
        self.actions = {}
        for name, level, types, key_set, dependents, *_ in kinds["a"]:
            required, keys = {}, set(sets[key_set])
            for text in filter(None, types.split(",")):
                of, _, own_set = text.partition(":")
                required[of.rstrip("*")] = of.endswith("*")
                keys |= sets[own_set] | type_keys[of.rstrip("*")]
            self.actions[name.lower()] = Action(self.prefix, name, level, required, keys, dependents.split())


def services():
    """Prefix → service."""
    text = (FOLDER / "catalogue.txt").read_text(encoding="ascii")
    found = [Service(block) for block in text.split("#")[2:]]
    return {service.prefix: service for service in found}
