"""Fills the input of an operation: what it requires, and what a check of it may ask for, with values that can be told apart."""

import datetime
import hashlib
import itertools
import re
import re._parser as regex

BLOB = b"{}"
ACCOUNT, REGION = "123456789012", "us-east-1"

# Values that have a form which the model does not tell, by the member's name.
FORMS = {
    "assetsha256": lambda m: hashlib.sha256(BLOB).hexdigest(),
    "jobdefinition": lambda m: f"{m}:1",
    "awsservicename": lambda m: "autoscaling.amazonaws.com",
    "copysource": lambda m: f"{m}/{m}k",
    "deletiontaskid": lambda m: f"task/aws-service-role/autoscaling.amazonaws.com/{m}/{m}",
    "queueurl": lambda m: f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{m}",
    "registryid": lambda m: ACCOUNT,
    "url": lambda m: f"https://{m}.example.com",
    "statement": lambda m: f'SELECT * FROM "{m}" WHERE pk = 1',
}

# What an ARN is of, by what its member's name ends in, where the operation's own resource types do not tell.
KINDS = [
    (re.compile(r"role(arn)?$"), "arn:aws:iam::{account}:role/{m}"),
    (re.compile(r"(kms|key).*(arn|id)$"), "arn:aws:kms:{region}:{account}:key/{m}"),
    (re.compile(r"(topic|sns).*arn$"), "arn:aws:sns:{region}:{account}:{m}"),
    (re.compile(r"(bucket|s3).*arn$"), "arn:aws:s3:::{m}"),
    (re.compile(r"(lambda|function).*arn$"), "arn:aws:lambda:{region}:{account}:function:{m}"),
    (re.compile(r"secret.*arn$"), "arn:aws:secretsmanager:{region}:{account}:secret:{m}"),
    (re.compile(r"loggroup.*arn$"), "arn:aws:logs:{region}:{account}:log-group:{m}"),
    (re.compile(r"stream.*arn$"), "arn:aws:kinesis:{region}:{account}:stream/{m}"),
    (re.compile(r"capacityprovider.*arn$"), "arn:aws:lambda:{region}:{account}:capacity-provider:{m}"),
    (re.compile(r"^layer$"), "arn:aws:lambda:{region}:{account}:layer:{m}:1"),
    (re.compile(r"certificate.*arn$"), "arn:aws:acm:{region}:{account}:certificate/{m}"),
]

ANY = ("resource", "resourceid", "resourceidentifier", "resourceidlist", "resourcename")


def normal(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def minimal(model, wanted, types, number, given):
    """The parameters of an operation, and the texts in them: by the path of the member, whether it is required.

    `given` has values of members that something has to be there for.
    """
    filler = Filler(model, wanted, types, number, given)
    return (filler.structure(model.input_shape, "", True, ()) if model.input_shape else {}), filler.texts


class Filler:
    def __init__(self, model, wanted, types, number, given):
        self.model, self.wanted, self.types, self.number, self.given = model, wanted, types, number, given
        self.texts = {}

    def structure(self, shape, path, required, seen):
        filled = {}
        is_union = getattr(shape, "is_tagged_union", False)
        names = list(shape.members)
        if is_union:
            names = [next((n for n in names if self.is_wanted(n, shape.members[n])), names[0])]
        for name in names:
            member = shape.members[name]
            needed = is_union or name in shape.required_members
            if member.metadata.get("idempotencyToken") and not needed:
                continue
            if needed or self.is_wanted(name, member):
                if member.name in seen and not needed:
                    continue
                filled[name] = self.value(member, name, f"{path}.{name}".lstrip("."), required and needed, seen)
        return filled

    def is_wanted(self, name, member):
        names = {name.lower(), str(member.serialization.get("name", name)).lower()}
        return bool(names & self.wanted)

    def value(self, shape, name, path, required, seen):
        match shape.type_name:
            case "structure" if getattr(shape, "is_document_type", False):
                return {}
            case "structure" if seen.count(shape.name) > 1 or getattr(shape, "is_eventstream", False):
                return {}
            case "structure":
                return self.structure(shape, path, required, (*seen, shape.name))
            case "list":
                count = max(1, shape.metadata.get("min", 1))
                if seen.count(shape.name) > 1:
                    return []
                within = (*seen, shape.name)
                return [self.value(shape.member, name, f"{path}[{i}]", required, within) for i in range(min(count, 25))]
            case "map":
                key = self.value(shape.key, name, path + "{}", required, seen)
                return {key: self.value(shape.value, name, path + "{*}", required, (*seen, shape.name))}
            case "string" | "character":
                return self.text(shape, name, path, required)
            case "integer" | "long":
                least, most = shape.metadata.get("min"), shape.metadata.get("max")
                number = 1 if least is None else int(least)
                number = min(number, int(most)) if most is not None else number
                self.texts[path] = (str(number), required)
                return number
            case "float" | "double":
                return float(shape.metadata.get("min", 1))
            case "boolean":
                return True
            case "timestamp":
                return datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
            case "blob":
                return BLOB
        raise ValueError(f"{shape.type_name} of {path}")

    def text(self, shape, name, path, required):
        if shape.serialization.get("jsonvalue"):
            return {} if shape.serialization.get("location") == "header" else "{}"
        if shape.enum:
            chosen = shape.enum[0]
            self.texts[path] = (chosen, required)
            return chosen
        if name in self.given:
            self.texts[path] = (self.given[name], required)
            return self.given[name]
        mark = f"z{self.number:x}q{len(self.texts):02d}"
        leaf, pattern = normal(name), shape.metadata.get("pattern", "")
        leaf = leaf.removesuffix("s") if "[" in path else leaf
        text = self.fitting(leaf, mark, pattern)
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
        text = text + "0" * (int(least) - len(text))
        if most is not None and len(text) > int(most):
            text = (f"{self.number:x}q{len(self.texts)}" if int(most) > 3 else "a1")[-int(most) :]
        self.texts[path] = (text, required)
        return text

    def fitting(self, leaf, mark, pattern):
        if leaf in FORMS:
            return FORMS[leaf](mark)
        if leaf.endswith("accountid"):
            return ACCOUNT
        if leaf.endswith("region") or leaf == "regionname":
            return REGION
        is_arn = leaf.endswith("arn") or re.match(r"\W*arn[:(\\]", pattern) or self.is_arn_of_any(leaf)
        texts = list(self.arns(leaf, mark)) if is_arn else [mark, f"/{mark}"]
        for text in texts:
            if matches(pattern, text):
                return text
        if pattern and (generated := generate(pattern, mark)):
            fits = lambda text: matches(pattern, text) and (not is_arn or self.is_of_type(text))
            return next(filter(fits, [*at_home(generated), generated]), texts[0])
        return texts[0]

    def is_arn_of_any(self, leaf):
        """Tags are of whatever has an ARN; where not, the request tells the type."""
        names = self.model.input_shape.members
        return "Tag" in self.model.name and leaf in ANY and "ResourceType" not in names and "resources" not in names

    def arns(self, leaf, mark):
        """ARNs that the member may be meant for, the likeliest first."""
        stem = leaf.removesuffix("arn").removesuffix("id")
        fill = lambda arn_format: re.sub(r"\$\{(\w+)\}", lambda v: self.variable(v[1], mark), arn_format)
        near = [t for t in self.types if stem and (normal(t.name) in stem or stem in normal(t.name))]
        near.sort(key=lambda t: -len(normal(t.name)) if normal(t.name) in stem else 1)
        near = [t for t in near if normal(t.name) == stem] or near
        for of in near:
            yield fill(of.formats[0])
        for ends, form in KINDS:
            if ends.search(leaf):
                yield form.format(account=ACCOUNT, region=REGION, m=mark)
        for of in self.types:
            yield from map(fill, of.formats)
        if not self.types:
            yield f"arn:aws:{self.model.service_model.signing_name}:{REGION}:{ACCOUNT}:thing/{mark}"

    def is_of_type(self, arn):
        return not self.types or any(p.fullmatch(arn) for of in self.types for p, _ in of.patterns)

    @staticmethod
    def variable(name, mark):
        known = {"Partition": "aws", "Region": REGION, "Account": ACCOUNT, "StreamType": "stream"}
        return known.get(name) or f"{mark}{normal(name)[:2]}"


def at_home(arn):
    """The ARN in our own region and account, or in none."""
    parts = arn.split(":", 5)
    if len(parts) == 6:
        for region, account in itertools.product((REGION, ""), (ACCOUNT, "", parts[4])):
            yield ":".join(("arn", "aws", parts[2], region, account, parts[5]))


def matches(pattern, text):
    try:
        return not pattern or re.fullmatch(pattern, text) is not None
    except re.error:
        return True


def generate(pattern, mark):
    """A text that a regular expression takes, with the mark in it if there is room; `None` for what Python does not read."""
    try:
        return walk(regex.parse(pattern), mark)
    except (re.error, ValueError, RecursionError, OverflowError):
        return None


ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_/.:=@+,"


def walk(tokens, mark):
    text = ""
    for op, argument in tokens:
        match str(op):
            case "LITERAL":
                text += chr(argument)
            case "NOT_LITERAL":
                text += next(c for c in ALPHABET if ord(c) != argument)
            case "ANY":
                text += "x"
            case "IN":
                text += pick(argument, mark, len(text))
            case "BRANCH":
                text += walk(argument[1][0], mark)
            case "SUBPATTERN":
                text += walk(argument[3], mark)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, inner = argument
                inner = list(inner)
                if len(inner) == 1 and str(inner[0][0]) == "IN" and least <= len(mark) <= int(most):
                    if all(has(inner[0][1], c) for c in mark):
                        text += mark
                        continue
                for turn in range(max(int(least), 1 if int(most) and len(inner) == 1 and least else int(least))):
                    piece = walk(inner, mark)
                    if len(inner) == 1 and str(inner[0][0]) == "IN":
                        piece = pick(inner[0][1], mark, turn)
                    text += piece
            case "AT" | "ASSERT" | "ASSERT_NOT":
                pass
            case _:
                raise ValueError(op)
    return text


def has(items, character):
    negated, found = False, False
    for op, argument in items:
        match str(op):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found |= ord(character) == argument
            case "RANGE":
                found |= argument[0] <= ord(character) <= argument[1]
            case "CATEGORY":
                name = str(argument)
                kinds = {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s"}
                kind = next(kind for word, kind in kinds.items() if name.endswith(word))
                found |= bool(re.match(kind, character)) != ("NOT" in name)
    return found != negated


def pick(items, mark, turn):
    """A character of a class; which one depends on the mark, so that generated texts differ too."""
    digits = [c for c in ALPHABET if has(items, c)] or [c for c in map(chr, range(32, 127)) if has(items, c)]
    letters = [c for c in digits if c.isalnum()] or digits
    seed = sum(ord(c) * 31**i for i, c in enumerate(mark)) + turn * 7
    return letters[(seed >> (turn % 7)) % len(letters)]
