"""botocore's models of AWS's APIs: services, their operations, and where a member stands in a request."""

import collections
import difflib
import functools
import gzip
import json
import re

PROTOCOLS = {
    "ec2": "ec2",
    "query": "query",
    "rest-json": "rest-json",
    "rest-xml": "rest-xml",
    "smithy-rpc-v2-cbor": "cbor",
}

# Where a REST request carries a member, if not in the body: what its wire path starts with.
LOCATIONS = {"header": ":", "headers": ":", "querystring": "?", "uri": "/"}

Member = collections.namedtuple("Member", "path leaf kind in_list required depth")

SEGMENT = re.compile(r"([\w$ -]+)((?:\[\]|\{\*?\})*)")


def services(wheel):
    """The newest model of each service, by its id."""
    newest = {}
    for name in wheel.namelist():
        match = re.fullmatch(r"botocore/data/([^/]+)/([0-9-]+)/service-2\.json(?:\.gz)?", name)
        if match:
            newest[match[1]] = max(newest.get(match[1], ("", "")), (match[2], name))
    for id_, (_, name) in sorted(newest.items()):
        content = wheel.read(name)
        yield Service(id_, json.loads(gzip.decompress(content) if name.endswith(".gz") else content))


class UnknownMember(ValueError):
    """A path that leads to no member of an operation's input."""


class Service:
    def __init__(self, id_, model):
        self.id, self.metadata, self.shapes = id_, model["metadata"], model["shapes"]
        self.operations = {name: Operation(self, name, o) for name, o in model["operations"].items()}

    @property
    def signing(self):
        return self.metadata.get("signingName") or self.metadata["endpointPrefix"]

    @property
    def protocols(self):
        """In the order in which the model prefers them."""
        names = self.metadata.get("protocols") or [self.metadata["protocol"]]
        json_name = f"json-{self.metadata.get('jsonVersion')}"
        return [json_name if name == "json" else PROTOCOLS[name] for name in names]

    @property
    def is_rest(self):
        return self.protocols[0].startswith("rest-")

    def denial(self):
        """The error by which the service refuses who is not authorized, if the model has one: `Code:status`."""
        for name in ["AccessDeniedException", "AccessDenied", "AuthorizationErrorException", "ForbiddenException"]:
            shape = self.shapes.get(name, {})
            if shape.get("exception"):
                error = shape.get("error", {})
                status = error.get("httpStatusCode", 403 if self.is_rest or "query" in self.protocols[0] else 400)
                return f"{error.get('code', name)}:{status}"
        return ""


class Operation:
    def __init__(self, service, name, model):
        self.service, self.name, self.model = service, name, model
        self.input = service.shapes[model["input"]["shape"]] if "input" in model else {"members": {}}

    @property
    def is_anonymous(self):
        return self.model.get("authtype") == "none" or self.model.get("auth") == ["smithy.api#noAuth"]

    @property
    def has_event_stream_input(self):
        members = self.input["members"].values()
        return any(self.service.shapes[ref["shape"]].get("eventstream") for ref in members)

    @property
    def has_blob_body(self):
        """Whether the body of a REST request is bytes that mean nothing to the API."""
        payload = self.input["members"].get(self.input.get("payload"))
        return self.service.is_rest and payload is not None and self.service.shapes[payload["shape"]]["type"] == "blob"

    def route(self):
        """Method and URI template, with the query parameters and headers that every such request has."""
        http = self.model["http"]
        if not self.service.is_rest:
            return ""
        required = [self.input["members"][name] for name in self.input.get("required", [])]
        at = lambda location: [r["locationName"] for r in required if r.get("location") == location]
        path, _, literals = http["requestUri"].partition("?")
        query = [*filter(None, literals.split("&")), *at("querystring")]
        headers = "".join(f" :{name.lower()}" for name in at("header"))
        return f"{http['method']} {path}{'?' if query else ''}{'&'.join(query)}{headers}"

    @functools.cached_property
    def members(self):
        """The members of the input that can name something, those of structures in it included."""
        return list(self._members(self.input, "", 0, (), True))

    def _members(self, shape, before, depth, seen, required):
        for name, ref in shape["members"].items():
            of, path = self.service.shapes[ref["shape"]], before + name
            needed = required and name in shape.get("required", [])
            in_list = of["type"] == "list"
            if in_list:
                ref, path = of["member"], path + "[]"
                of = self.service.shapes[ref["shape"]]
            if of["type"] not in ("structure", "list", "map", "blob"):
                kind = {"string": "string", "integer": "number", "long": "number"}.get(of["type"], "other")
                kind = "enum" if "enum" in of else kind
                yield Member(path, name, kind, in_list, needed, depth)
            elif of["type"] == "structure" and ref["shape"] not in seen and depth < 4:
                # The body of a REST request is one member: its own members are the request's.
                deeper = depth if self.input.get("payload") == name and not before else depth + 1
                yield from self._members(of, path + ".", deeper, (*seen, ref["shape"]), needed)

    def wire(self, path):
        """Where a request has what stands at a path of members; `ValueError` if there is nothing."""
        if path[0] in ":?":
            return path.lower() if path[0] == ":" else path
        shape, wire = self.input, []
        location = ""
        for number, segment in enumerate(path.split(".")):
            match = SEGMENT.fullmatch(segment)
            if not match:
                raise ValueError(f"`{segment}` of `{path}` is no member")
            name, marks = match[1], re.findall(r"\[\]|\{\*?\}", match[2])
            if shape.get("type") == "map":
                wire.append(name)
                ref = shape["value"]
            elif name in shape.get("members", {}):
                ref = shape["members"][name]
                if number == 0:
                    location = LOCATIONS.get(ref.get("location"), "")
                wire.append(self._wire_name(name, ref, location, number))
            else:
                near = difflib.get_close_matches(name, shape.get("members", {}), 3)
                near = f"; near it: {', '.join(near)}" if near else ""
                inside = f" of `{path}`" if path != segment else ""
                raise UnknownMember(f"`{self.name}` has no `{name}`{inside}{near}")
            shape = self.service.shapes[ref["shape"]]
            for mark in marks:
                if shape["type"] != ("list" if mark == "[]" else "map"):
                    raise ValueError(f"`{name}` of `{path}` is a {shape['type']}")
                wire[-1] = self._wire_item(wire[-1], ref, shape, location) + mark
                ref = shape["member"] if mark == "[]" else shape["value"]
                shape = self.service.shapes[ref["shape"]]
        return location + ".".join(filter(None, wire))

    def _wire_name(self, name, ref, location, number):
        on_wire = ref.get("locationName", name)
        if location == ":":
            return on_wire.lower()
        if number == 0 and not location and self.input.get("payload") == name:
            return ""
        if self.service.protocols[0] == "ec2":
            return ref.get("queryName") or on_wire[0].upper() + on_wire[1:]
        return on_wire

    def _wire_item(self, name, ref, shape, location):
        """The name that an item of a list goes by."""
        if shape["type"] != "list" or location or self.service.protocols[0] not in ("query", "rest-xml"):
            return name
        item = shape["member"].get("locationName")
        if not (shape.get("flattened") or ref.get("flattened")):
            return f"{name}.{item or 'member'}"
        return (item or name) if self.service.protocols[0] == "query" else name
