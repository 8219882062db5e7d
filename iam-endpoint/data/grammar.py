"""The grammar of checks and keys: read in the terms of AWS's API documentation, verified, written with wire paths."""

import difflib
import pathlib
import re

# The functions that the endpoint has.
SOURCE = pathlib.Path(__file__).resolve().parents[1] / "src" / "derive" / "function.rs"
FUNCTIONS = set(re.findall(r'Function \{ name: "(\w+)"', SOURCE.read_text(encoding="utf-8")))

FUNCTION = re.compile(r"(\w+)\((.*)\)")
CONDITION = re.compile(r" (if|unless) ")


def split(text, separator):
    """Splits where neither quotes nor parentheses are open."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted:
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth == 0 and text.startswith(separator, at) and at >= start:
                parts.append(text[start:at].strip())
                start = at + len(separator)
    return [*parts, text[start:].strip()]


def value(text, operation):
    """`VALUE`: alternatives of paths, literals and functions."""
    return " / ".join(term(part, operation) for part in split(text, " / "))


def term(text, operation):
    if re.fullmatch(r"'[^']*'", text):
        return text
    if called := FUNCTION.fullmatch(text):
        if called[1] not in FUNCTIONS:
            raise ValueError(f"`{called[1]}` is none of the functions of {SOURCE.name}")
        arguments = [value(part, operation) for part in split(called[2], ",")] if called[2] else []
        return f"{called[1]}({', '.join(arguments)})"
    if not text:
        raise ValueError("a value is missing")
    return operation.wire(text)


def condition(text, operation):
    terms = []
    for part in split(text, " and "):
        match = re.fullmatch(r"([^'=~]+)(?:([=~])('[^']*'))?", part)
        if not match:
            raise ValueError(f"`{part}` is no condition: `PATH`, `PATH='text'` or `PATH~'text'`")
        terms.append(operation.wire(match[1]) + (match[2] or "") + (match[3] or ""))
    return " and ".join(terms)


def check(text, operation, catalogue, own):
    """`CHECK`: an action, on what, and when."""
    if text in ("-", "?"):
        return text
    main, *conditions = CONDITION.split(text)
    name, at, targets = main.partition("@")
    prefix, action = resolve(name, catalogue, own, "actions")
    done = [target(part, operation, catalogue, prefix) for part in split(targets, ",")] if at else []
    spelled = action.name if prefix == own.prefix else f"{prefix}:{action.name}"
    pairs = zip(conditions[::2], conditions[1::2])
    when = "".join(f" {word} {condition(terms, operation)}" for word, terms in pairs)
    return spelled + at + ",".join(done) + when


def resolve(name, catalogue, own, kind):
    """The service and the action or resource type that `[prefix:]name` means."""
    prefix, colon, rest = name.rpartition(":")
    service = catalogue.get(prefix) if colon else own
    found = getattr(service, kind).get(rest.strip().lower()) if service else None
    if not found:
        near = difflib.get_close_matches(rest.strip().lower(), getattr(service, kind), 3) if service else []
        near = f"; near it: {', '.join(getattr(service, kind)[name].name for name in near)}" if near else ""
        raise ValueError(f"`{rest.strip()}` is none of the {kind} of `{prefix or own.prefix}`{near}")
    return service.prefix, found


def target(text, operation, catalogue, prefix):
    head, equals, values = text.partition("=")
    if head == "*":
        return f"*={value(values, operation)}"
    optional = head[len(head.rstrip("?+")) :]
    match = re.fullmatch(r"(.*?)(?::(\d))?", head.rstrip("?+"))
    of_prefix, of = resolve(match[1], catalogue, catalogue[prefix], "types")
    number = int(match[2] or 1)
    spelled = (of.name if of_prefix == prefix else f"{of_prefix}:{of.name}") + (f":{number}" if match[2] else "")
    if not equals:
        return spelled + optional
    values = split(values, ";")
    variables = of.formats[number - 1]
    if len(values) not in (1, len(variables)):
        raise ValueError(f"`{of.name}` has the variables {', '.join(variables)}; here are {len(values)} values")
    return f"{spelled}{optional}={';'.join(value(v, operation) for v in values)}"


def key(text, operation, catalogue, own):
    """An item of `KEYS`: `key=VALUE`, `key=VALUE for ACTION`, `tags=PATH`, `roles=PATH …`, `passes=SERVICE`."""
    name, _, given = text.partition("=")
    given, *actions = split(given, " for ")
    if name == "passes":
        return text
    if name not in ("tags", "roles"):
        verify_key(name, catalogue)
    if given == "-":
        return None
    if name == "roles":
        return "roles=" + " ".join(value(part, operation) for part in split(given, " "))
    return f"{name}={value(given, operation)}" + "".join(f" for {resolve(a, catalogue, own, 'actions')[1].name}" for a in actions)


def verify_key(name, catalogue):
    service = catalogue.get(name.partition(":")[0])
    if not service:
        raise ValueError(f"no service has condition keys like `{name}`")
    for known in service.keys:
        template = known.partition("${")[0]
        if name.lower() in (known, template) or (template != known and name.lower().startswith(template)):
            return
        if name.endswith("/") and known.startswith(name.lower()):
            return
    raise ValueError(f"there is no condition key `{name}`")
