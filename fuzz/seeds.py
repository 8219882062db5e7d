#!/usr/bin/env python3
"""Writes the first inputs of every target into corpus/: the policies of iam-policy's tests, some of AWS's, and random choices."""

import hashlib
import json
import pathlib
import random

HERE = pathlib.Path(__file__).parent
POLICY_CRATE = HERE.parent / "iam-policy"
# The digits are those of `kind_and_text`, the names those of the corpus and of a policy set's fields.
KINDS = {
    "boundary": 0, "identity": 1, "resource": 2, "resourceControl": 3, "rcps": 3,
    "serviceControl": 4, "scps": 4, "session": 5, "trust": 6,
}  # fmt: skip
TEMPLATE = '/a/0\n{"a": [%s]}'


def policies():
    """Pairs of a kind and a policy's text."""
    for file in sorted(POLICY_CRATE.glob("tests/corpus/*.json")):
        for case in json.loads(file.read_text()):
            if "kind" in case:
                yield case["kind"], case["policy"].replace("…", "x")
            else:
                for name, value in case["policies"].items():
                    yield from ((name, json.dumps(policy)) for policy in flat(value))
    _, *managed = (POLICY_CRATE / "data/managed-policies.txt").read_text().splitlines()
    for line in managed[::16]:
        document = line.split("\t")[3]
        if len(document) < 2_000:
            yield "identity", document


def flat(value):
    return [value] if isinstance(value, dict) else [policy for one in value for policy in flat(one)]


def write(target, data):
    directory = HERE / "corpus" / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / hashlib.sha1(data).hexdigest()).write_bytes(data)


for kind, text in policies():
    data = f"{KINDS[kind]}{text}".encode()
    write("parse", data)
    write("roundtrip", data)
    write("parse", f"{KINDS[kind]}{TEMPLATE % text}".replace("alice", "${user}").encode())

choices = random.Random(1)
for _ in range(300):
    write("decide", choices.randbytes(choices.randrange(100, 2_000)))
