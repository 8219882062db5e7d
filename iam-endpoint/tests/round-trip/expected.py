"""What an operation ought to ask for, from AWS's Service Authorization Reference and `renames.txt`: not from the endpoint's table."""

import collections
import dataclasses
import fnmatch
import functools
import pathlib
import re

from values import ACCOUNT, REGION, normal

HERE = pathlib.Path(__file__).resolve().parent
CATALOGUE = HERE.parents[2] / "iam-policy" / "data" / "catalogue.txt"


@dataclasses.dataclass
class Type:
    name: str
    formats: list

    @functools.cached_property
    def patterns(self):
        return [as_pattern(text) for text in self.formats]


def as_pattern(arn_format):
    # Where no text stands between two, their values are one.
    parts = re.split(r"\$\{(\w+)\}", re.sub(r"(\}\$\{\w+)+", "", arn_format))
    known = {"Partition": "aws", "Region": f"(?:{REGION}|\\*|)", "Account": f"(?:{ACCOUNT}|\\*|aws|)"}
    text = "".join(known.get(part, "(.+)") if at % 2 else re.escape(part) for at, part in enumerate(parts))
    names = [name for name in parts[1::2] if name not in known]
    return re.compile(text), names


@dataclasses.dataclass
class Action:
    prefix: str
    name: str
    level: str
    types: dict  # resource type → whether it is required
    of: dict = dataclasses.field(repr=False)

    @property
    def resource_types(self):
        return [self.of[name] for name in self.types if name in self.of]


@functools.cache
def catalogue():
    """Prefix → action in lower case → action."""
    found = {}
    for block in CATALOGUE.read_text(encoding="ascii").split("\n#")[2:]:
        head, *lines = block.split("\n")
        prefix = head.split("\t")[0]
        fields = [(line[:1], (line[2:] + "\t\t\t").split("\t")) for line in lines if line]
        types = {f[0]: Type(f[0], f[1].split(" ")) for kind, f in fields if kind == "r"}
        actions = {}
        for kind, (name, level, of, *_) in fields:
            if kind == "a":
                named = [text.partition(":")[0] for text in of.split(",") if text]
                actions[name.lower()] = Action(
                    prefix, name, level, {n.rstrip("*"): n.endswith("*") for n in named}, types
                )
        found[prefix] = actions
    return found


Renames = collections.namedtuple("Renames", "prefixes actions others resources")


@functools.cache
def renames():
    """What `renames.txt` says, in four dictionaries."""
    found = Renames({}, {}, {}, {})
    for line in (HERE / "renames.txt").read_text(encoding="ascii").split("\n"):
        match line.partition("#")[0].split():
            case [service, "=", *names]:
                found.prefixes[service] = names
            case [action, "on", *arns]:
                found.resources[action] = arns
            case [service, operations, "+", *actions]:
                found.others.update({(service, name): actions for name in operations.split(",")})
            case [service, operations, *actions]:
                found.actions.update({(service, name): actions for name in operations.split(",")})
    return found


def prefixes(model):
    if model.service_name in renames().prefixes:
        return renames().prefixes[model.service_name]
    names = [model.signing_name, model.endpoint_prefix, model.service_name, model.service_name.removesuffix("v2")]
    return [name for name in dict.fromkeys(names) if name in catalogue()]


def actions(model, operation):
    """The actions that an operation may ask for first, by `prefix:name` in lower case."""
    own = prefixes(model)
    if model.service_name in ("apigateway", "apigatewayv2"):
        names = [operation.http["method"]]
    else:
        names = renames().actions.get((model.service_name, operation.name), [operation.name])
    found = {}
    for name in names:
        prefix, _, action = name.rpartition(":")
        for of in [prefix] if prefix else own:
            if action.lower() in catalogue()[of]:
                found[f"{of}:{action}".lower()] = catalogue()[of][action.lower()]
                break
    return found


def find(action):
    prefix, _, name = action.partition(":")
    return catalogue().get(prefix.lower(), {}).get(name.lower())


def fault_of_resource(operation, action, resource, texts, creates):
    """What is wrong with the resource that an action was asked for on; `None` if nothing is."""
    if action.prefix == "apigateway" and is_path(operation, resource):
        return None
    by_hand = renames().resources.get(f"{action.prefix}:{action.name}", ())
    if any(fnmatch.fnmatchcase(resource, arn) for arn in by_hand):
        return None
    types = action.resource_types
    required = [name for name, needed in action.types.items() if needed]
    if resource == "*":
        if required and not creates and (named := named_by(types, texts)):
            return f"`*`, though {named} is in the request"
        return None
    # Words of the path say something too: a channel of Pinpoint is `/v1/apps/{application-id}/channels/sms`.
    path = operation.http["requestUri"].partition("?")[0]
    said = [text for text, _ in texts.values()] + [word for word in path.split("/") if "{" not in word]
    for of in types:
        for pattern, names in of.patterns:
            if found := pattern.fullmatch(resource):
                faults = [fault_of_variable(n, v, said) for n, v in zip(names, found.groups())]
                if not any(faults):
                    return None
    if not any(pattern.fullmatch(resource) for of in types for pattern, _ in of.patterns):
        return f"{resource} has no format of {', '.join(t.name for t in types) or 'a type'}"
    return f"{resource} has what is not in the request"


def is_path(operation, resource):
    """API Gateway's resources are the paths of its API."""
    path = operation.http["requestUri"].partition("?")[0].removeprefix("/v2")
    pattern = "".join("[^/]+" if at % 2 else re.escape(part) for at, part in enumerate(re.split(r"(\{[^}]+\})", path)))
    return re.fullmatch(f"arn:aws:apigateway:{REGION}:(?:{ACCOUNT})?:{pattern}", resource)


def fault_of_variable(name, value, said):
    """The variable, if its value is not made of what the request says."""
    for part in filter(None, re.split(r"[:/*]", value)):
        rest = part
        for text in sorted(said, key=len, reverse=True):
            rest = rest.replace(text, "")
        # Secrets Manager makes names of secrets longer.
        rest = re.sub(r"^-\w{6}$", "", rest)
        if part not in LITERALS and rest and not any(part in text for text in said):
            return name
    return None


# What AWS puts into ARNs that no request says.
LITERALS = {"aws-service-role", "AWSServiceRoleForAutoScaling", "log-stream", "*", ACCOUNT, REGION, "default", "$default", "$LATEST", "primary", "regional", "a1b2c3d4e5"}


def named_by(types, texts):
    """A required member of the request that surely names a resource of one of the types."""
    for path, (_, required) in texts.items():
        leaf = normal(path.split(".")[-1].partition("[")[0])
        if required and "." not in path and "[" not in path:
            for of in types:
                name = normal(of.name)
                if len(name) > 3 and leaf in (name, name + "name", name + "id", name + "arn", name + "identifier"):
                    return path
    return None


def may_be_asked_too(model, operation, action):
    """What an operation may ask for besides: the tags of what it makes, the role that it passes, what `renames.txt` says."""
    name = action.partition(":")[2]
    by_hand = renames().others.get((model.service_name, operation.name), ())
    return action == "iam:PassRole" or re.match(r"(Tag|CreateTags|AddTags)", name) or {action, name} & set(by_hand)


def of_head(operation, actions, parameters):
    """What an operation asked for whose denial has no body: S3's."""
    name = "/".join(parameters[member] for member in ("Bucket", "Key") if member in parameters)
    return [(f"{action.prefix}:{action.name}", f"arn:aws:s3:::{name}") for action in actions.values()]
