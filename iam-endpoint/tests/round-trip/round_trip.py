#!/usr/bin/env python3
"""Calls every operation of AWS's APIs at the embedded endpoint, as botocore serialises it.

    round_trip.py URL ACCESS-KEY SECRET-KEY [SERVICE ...] [--jobs N] [--update] [--details]

Each operation is called with what its model requires,

    as a role without permissions     denied, with the code and the status that the model has for it, and asking for
                                      the action and the resource that AWS's Service Authorization Reference has
    as a role that may do exactly     answered, an error of the service's own, or `AuthorizedNotPerformed`
    what was asked
    as a role that may do the same    denied
    to a sibling of the resource

first at AWS's own host names, then at the endpoint's, as clients with `endpoint_url` send it. What is expected does not
come from the endpoint's table: `expected.py` says from where.

Exits with 1 if fewer operations of a service pass than `floor.txt` says; `--update` writes that file.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import itertools
import os
import pathlib
import re
import sys
import time
import urllib.parse
import uuid

import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, MissingDependencyException

from botocore.tokens import FrozenAuthToken

import expected
import values
import wire

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parents[1] / "data" / "operations.txt"

DENIED = re.compile(r"is not authorized to perform: (\S+) on resource: (.+?)(?: because |$)", re.DOTALL)
CREATES = re.compile(
    r"(Batch)?(Accept|Add|Allocate|Associate|Attach|Authorize|Build|Bulk|Clone|Configure|Copy|Create|Define|Deploy|Enable|Export|"
    r"Generate|Import|Initiate|Install|Issue|Launch|List|Post|Provision|Publish|Purchase|Put|Register|Request|Run|Schedule|"
    r"Send|Set|Start|Submit|Subscribe|Upload)[A-Z]"
)
DENIAL = re.compile(r"(AccessDenied|AuthorizationError|Forbidden|NotAuthorized|Unauthorized)(Error)?(Exception)?")

# How the protocols say it where the model does not.
DENIALS = {
    "ec2": ("UnauthorizedOperation", 403),
    "json": ("AccessDeniedException", 400),
    "query": ("AccessDenied", 403),
    "rest-json": ("AccessDeniedException", 403),
    "rest-xml": ("AccessDenied", 403),
    "smithy-rpc-v2-cbor": ("AccessDeniedException", 400),
}

# What is called by presigned URLs too: requests without headers of their own.
PRESIGNED = " by presigned URLs"
URLS = {"DecodeAuthorizationMessage", "DeleteObject", "GetObject", "HeadObject", "ListBuckets", "ListObjectsV2", "PutObject"}

# What passes, and what is counted apart: neither right nor wrong.
PASSED = ("on a resource", "on `*`", "needs nothing")
APART = ("not mapped", "not evaluable", "stream", "not signed with SigV4", "without a body")


@dataclasses.dataclass
class Outcome:
    service: str
    protocol: str
    variation: str
    operation: str
    kind: str
    what: str

    def __str__(self):
        return f"{self.service}:{self.operation}{self.variation}: {self.kind}: {' '.join(self.what.split())[:300]}"


@dataclasses.dataclass
class Answer:
    """What the client made of an answer."""

    code: str
    status: int
    message: str
    error: type

    @property
    def denied(self):
        found = DENIED.search(self.message)
        return found and (found[1], found[2])


class Failure(Exception):
    pass


class Traveller:
    """One process: its connection, its roles, its client of the moment."""

    def __init__(self, url, key, secret):
        self.wire = wire.Wire(url)
        self.iam = wire.Iam(self.wire, key, secret)
        self.name = f"somebody-{uuid.uuid4()}"
        nobody = f"nobody-{uuid.uuid4()}"
        self.roles = self.iam.role(nobody), self.iam.role(self.name)
        self.users = self.iam.user(nobody), self.iam.user(self.name)
        # What has to be there, for an operation to be allowed: a role whose trust policy lets the account in.
        self.given = {
            "AssumeRole": {"RoleArn": f"arn:aws:iam::{values.ACCOUNT}:role/{self.name}"},
            # The model does not say that it is an ARN.
            "PutBucketReplication": {"Role": f"arn:aws:iam::{values.ACCOUNT}:role/replicates"},
            # Targets by their tags are told by no request.
            "SendCommand": {"Key": "InstanceIds"},
        }
        self.session = botocore.session.Session()
        self.session.set_credentials("none", "none")
        self.session._auth_token = FrozenAuthToken("token")
        self.at_endpoint = False

    def service(self, name):
        """The outcome of each operation of a service: a kind, and what else there is to say."""
        members = bound_members().get(name, {})
        for variation, client in self.clients(name):
            client.meta.events.register_first("before-sign", self.readdress)
            client.meta.events.register("before-send", lambda request, **_: self.wire.send(request))
            self.client, model = client, client.meta.service_model
            self.is_presigned = variation == PRESIGNED
            names = [name for name in model.operation_names if not self.is_presigned or name in URLS]
            for number, operation in enumerate(map(model.operation_model, names)):
                try:
                    outcome = self.operation(model, operation, members.get(operation.name, set()), number)
                except Failure as failure:
                    outcome = "failed", str(failure)
                except MissingDependencyException:
                    outcome = "not signed with SigV4", "SigV4a"
                except (BotoCoreError, wire.Refused) as error:
                    outcome = "failed", f"{type(error).__name__}: {error}"
                except Exception as error:
                    raise RuntimeError(f"{name}:{operation.name}") from error
                yield Outcome(name, model.resolved_protocol, variation, operation.name, *outcome)

    def clients(self, name):
        """The client of a service as it is, and those that say the same in another way, with words for that."""
        model = self.session.get_service_model(name)
        # Who asks for its endpoint first gets the one that everybody knows.
        known = f"https://{model.endpoint_prefix}.us-east-1.amazonaws.com"
        url = known if model.endpoint_discovery_required else None
        client = lambda style="path", **more: self.session.create_client(
            name,
            "us-east-1",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": style}, **more),
            endpoint_url=url,
        )
        yield "", client()
        if name == "s3":
            yield " at virtual hosts", client("virtual")
        if name in ("s3", "sts"):
            # Without a word of it, botocore presigns for S3 as it did before SigV4.
            yield PRESIGNED, client(signature_version="s3v4" if name == "s3" else "v4")
        spoken = model.metadata.get("protocols", [])
        for protocol in spoken:
            if protocol != model.resolved_protocol:
                # The loader gives the same model to the next client.
                loaded = self.session.get_component("data_loader").load_service_model(name, "service-2")
                loaded["metadata"]["protocols"] = [protocol]
                yield " as second choice", client()
                loaded["metadata"]["protocols"] = spoken

    def readdress(self, request, **_):
        if self.at_endpoint:
            request.context.setdefault("signing", {})["region"] = values.REGION
            url = urllib.parse.urlsplit(request.url)
            bucket, is_virtual, _ = url.netloc.partition(".s3.")
            port = self.wire.address.rpartition(":")[2]
            host = f"{bucket}.localhost:{port}" if is_virtual else self.wire.address
            request.url = urllib.parse.urlunsplit(("http", host, *url[2:]))

    def operation(self, model, operation, members, number):
        actions = expected.actions(model, operation)
        types = {of.name: of for action in actions.values() for of in action.resource_types}
        given = self.given.get(operation.name, {})
        parameters, texts = values.minimal(operation, members | {name.lower() for name in given}, list(types.values()), number, given)
        # Only a user may ask for a federated user, or has a password.
        is_user = (model.service_name, operation.name) in (("iam", "ChangePassword"), ("sts", "GetFederationToken"))
        kind = "User" if is_user else "Role"
        nobody, somebody = self.users if kind == "User" else self.roles
        allow = lambda pairs: self.iam.allow(kind, self.name, pairs)
        answer = self.call(operation, parameters, nobody)
        if outcome := apart(answer):
            return outcome, answer.message
        if "bearer" in (operation.auth_type, model.signature_version) or model.signature_version == "v2":
            if answer.status // 100 != 4 or answer.denied:
                raise Failure(f"is answered {answer}, though not signed with SigV4")
            return "not signed with SigV4", answer.message
        if answer.status == 403 and operation.http["method"] == "HEAD":
            if model.service_name != "s3":
                return "without a body", ""
            asked = expected.of_head(operation, actions, parameters)
        elif not answer.denied:
            if actions and operation.auth_type != "none":
                raise Failure(f"is not denied: {answer.status} {answer.code} {answer.message}")
            return "needs nothing", ""
        else:
            self.check_denial(model, operation, answer)
            asked = [answer.denied]
        self.at_endpoint = True
        try:
            allow(asked)
            while denied := (answer := self.call(operation, parameters, somebody)).denied:
                if denied in asked or len(asked) == 50:
                    raise Failure(f"is denied {denied} though allowed {asked}")
                self.check_denial(model, operation, answer)
                asked.append(denied)
                allow(asked)
            if outcome := apart(answer):
                return outcome, answer.message
            if not actions:
                raise Failure(f"asks for {asked}, and no action is expected")
            self.check_asked(model, operation, actions, asked, texts)
            siblings = [(action, sibling(resource, texts)) for action, resource in asked]
            if siblings == asked:
                return "on `*`", ""
            allow(siblings)
            answer = self.call(operation, parameters, somebody)
            if outcome := apart(answer):
                return outcome, answer.message
            if not answer.denied and not (operation.http["method"] == "HEAD" and answer.status == 403):
                raise Failure(f"is not denied to who may do {siblings}: {answer.code} {answer.message}")
            return "on a resource", ""
        finally:
            self.at_endpoint = False

    def call(self, operation, parameters, credentials):
        self.client._request_signer._credentials = credentials
        if self.is_presigned:
            return self.follow(operation, parameters)
        try:
            response = self.client._make_api_call(operation.name, parameters)
            if operation.name == "DeleteObjects" and response.get("Errors"):
                said = response["Errors"][0]
                return Answer(said["Code"], 403, said["Message"], type(None))
            return Answer("", 200, "", type(None))
        except ClientError as error:
            said = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return Answer(said.get("Code", ""), status, said.get("Message", ""), type(error))

    def follow(self, operation, parameters):
        """Sends a presigned URL, as any HTTP client does."""
        url = self.client.generate_presigned_url(xform_name(operation.name), parameters)
        response = self.wire.send(AWSRequest(operation.http["method"], url).prepare())
        answer = {"headers": response.headers, "status_code": response.status_code, "body": response.content}
        if response.status_code < 300:
            return Answer("", response.status_code, "", type(None))
        said = self.client._response_parser.parse(answer, operation.output_shape)["Error"]
        return Answer(said.get("Code", ""), response.status_code, said.get("Message", ""), type(None))

    def check_denial(self, model, operation, answer):
        wanted = denials(model, operation)
        if wanted.get(answer.code) != answer.status:
            raise Failure(f"is denied with {answer.code} {answer.status}, expected {wanted}")

    def check_asked(self, model, operation, actions, asked, texts):
        names = [action.lower() for action, _ in asked]
        if not set(names) & set(actions):
            raise Failure(f"asks for {asked}, expected {list(actions)}")
        for action, resource in asked:
            of = expected.find(action)
            if not of:
                raise Failure(f"asks for {action}, which is no action")
            if action.lower() not in actions and not expected.may_be_asked_too(model, operation, action):
                raise Failure(f"asks for {action} too")
            creates = CREATES.match(operation.name) or of.level == "L"
            if fault := expected.fault_of_resource(operation, of, resource, texts, creates):
                raise Failure(f"asks for {action} on {fault}")


def apart(answer):
    if answer.code == "OperationNotMapped":
        return "stream" if "stream of events" in answer.message else "not mapped"
    return "not evaluable" if answer.code.endswith("NotEvaluable") else None


def denials(model, operation):
    """Code and status of the errors by which a client of the service may know a denial.

    IAM denies before the service sees the request, with the error that most protocols have for it, whatever else the model
    has for users of its own; but the model's status holds where that error is in the model.
    """
    default = DENIALS[model.resolved_protocol]
    found = {default[0]: default[1]}
    for shape in [*model.error_shapes, *operation.error_shapes]:
        error = shape.metadata.get("error", {})
        if DENIAL.fullmatch(shape.name):
            code = error.get("code", shape.name)
            found[code] = error.get("httpStatusCode", found.get(code, default[1]))
    named = {code: status for code, status in found.items() if code.startswith(("AccessDenied", "AuthorizationError"))}
    is_modelled = any(DENIAL.fullmatch(shape.name) and shape.name.startswith("A") for shape in model.error_shapes)
    return named if is_modelled else found


def sibling(resource, texts):
    """The resource with other names."""
    if not resource.startswith("arn:"):
        return resource
    for text, _ in sorted(texts.values(), key=lambda pair: -len(pair[0])):
        tail = re.split(r"[:/]", text)[-1]
        for part in (text, tail):
            if len(part) > 1 and part in resource.split(":", 5)[-1]:
                head, _, rest = resource.rpartition(part)
                return f"{head}{part}-sibling{rest}"
    return resource + "-sibling"


def bound_members():
    """Service → operation → what its checks call members, in lower case, so that they are in the request.

    This much is read from the endpoint's table: what to send, never what to expect.
    """
    found, service = {}, None
    for line in TABLE.read_text(encoding="ascii").split("\n")[1:]:
        if line.startswith("#"):
            service = line[1:].split("\t")[0]
        elif line.startswith("o "):
            name, _, _, checks, *_ = (line[2:] + "\t" * 4).split("\t")
            words = set()
            for check in checks.split(" | "):
                targets = re.split(r" (?:if|unless) ", check)[0].partition("@")[2]
                words |= {word.lower() for word in re.findall(r"[\w-]+", re.sub(r"'[^']*'|[\w-]+(:\d)?\??=", " ", targets))}
            found.setdefault(service, {})[name] = words
    return found


def begin(*address):
    global traveller  # of this process
    traveller = Traveller(*address)


def travel(name):
    return list(traveller.service(name))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("secret")
    parser.add_argument("services", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--update", action="store_true", help="write floor.txt")
    parser.add_argument("--details", action="store_true", help="print each operation that does not pass")
    arguments = parser.parse_args()
    start = time.monotonic()
    names = arguments.services or botocore.session.Session().get_available_services()
    address = (arguments.url, arguments.key, arguments.secret)
    with concurrent.futures.ProcessPoolExecutor(arguments.jobs, initializer=begin, initargs=address) as pool:
        outcomes = list(itertools.chain.from_iterable(pool.map(travel, names)))
    report(outcomes, arguments.details)
    print(f"{time.monotonic() - start:.0f} s")
    if arguments.update:
        write_floor(outcomes)
    else:
        sys.exit(fallen(outcomes))


def report(outcomes, details):
    by_protocol = collections.defaultdict(collections.Counter)
    for outcome in outcomes:
        by_protocol[outcome.protocol + outcome.variation][outcome.kind] += 1
        if not outcome.variation:
            by_protocol["all"][outcome.kind] += 1
    for protocol, kinds in sorted(by_protocol.items()):
        total, passed = kinds.total(), sum(kinds[kind] for kind in PASSED)
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        print(f"{protocol}: {passed} of {total} operations pass, {100 * passed / total:.2f} %: {counts}")
    if details:
        print(*(outcome for outcome in outcomes if outcome.kind not in PASSED), sep="\n")


def grouped(outcomes):
    """The outcomes of each service, and of each variation of it."""
    key = lambda outcome: outcome.service + outcome.variation.replace(" ", "-")
    return {name: list(group) for name, group in itertools.groupby(sorted(outcomes, key=key), key)}


FLOOR = HERE / "floor.txt"
HEAD = "# Services of which not every operation passes: how many do, of how many. Written by `round_trip.py --update`.\n"


def passing(outcomes):
    return sum(outcome.kind in PASSED for outcome in outcomes)


def write_floor(outcomes):
    counts = [(name, passing(group), len(group)) for name, group in grouped(outcomes).items()]
    lines = [f"{name} {passed} {total}\n" for name, passed, total in counts if passed < total]
    FLOOR.write_text(HEAD + "".join(lines), encoding="ascii")


def fallen(outcomes):
    """What there is to say of services of which fewer operations pass than before."""
    lines = [line.split() for line in FLOOR.read_text(encoding="ascii").split("\n")[1:] if line]
    floor = {name: int(passed) for name, passed, _ in lines}
    faults = []
    for name, group in grouped(outcomes).items():
        least = floor.get(name, len(group))
        if passing(group) < least:
            faults.append(f"{name}: {passing(group)} of {len(group)} operations pass, and {least} did before:")
            faults += [f"    {outcome}" for outcome in group if outcome.kind not in PASSED]
    return "\n".join(faults) or 0


if __name__ == "__main__":
    main()
