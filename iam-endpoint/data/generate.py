#!/usr/bin/env python3
"""Writes `operations.txt`, the table of every operation of AWS's APIs that `iam-endpoint` compiles in.

    python3 iam-endpoint/data/generate.py                 # write the table
    python3 iam-endpoint/data/generate.py --check         # exit 1 if it is not what this script writes
    python3 iam-endpoint/data/generate.py --unmapped      # also list the operations that cannot be derived
    python3 iam-endpoint/data/generate.py --show s3 ...   # also list what the table has of these services

It joins three things: the models of AWS's APIs (a wheel of botocore, pinned below and fetched with pip), the catalogue
of actions and resource types (`iam-policy/data/catalogue.txt`), and `overlay/*.txt`, what is written by hand because no
rule reaches it. `model.py` reads the first, `catalogue.py` the second, `overlay.py` the third; `rules.py` has the rules,
`grammar.py` the grammar that rules and overlay files speak. Every name in them is verified.


The table
─────────

ASCII, for the reader of records: a first line, then a block per service, sorted by id without regard to case; in a block
a line per operation, sorted the same way. Fields are separated by tabs and may be empty; empty ones at the end are left
out.

    #ID  NAME  PREFIX  SIGNING  HOST  PROTOCOLS  TARGET  VERSION  DENIAL  FLAGS
    o OPERATION  ROUTE  FLAGS  CHECKS  KEYS

ID         botocore's name of the service: `stepfunctions`
NAME       AWS's service id: `SFN`; in lower case and with `-` or `_` for a space it is what SDKs put into `api/NAME/…`
           of the user agent
PREFIX     of its IAM actions: `states`; `-` if it has none
SIGNING    the name in the scope of a signature; HOST the first label of its endpoints
PROTOCOLS  in the model's order, separated by commas: cbor ec2 json-1.0 json-1.1 query rest-json rest-xml
TARGET     what stands before the dot in `X-Amz-Target`; VERSION its API version, `Version` of a query
DENIAL     `Code:status` of the error for who is not authorized, if the model has one of its own
FLAGS      of a service: `checked`, if all its operations were checked by hand; `passes=SERVICE`, the value of
           `iam:PassedToService` unless it is `PREFIX.amazonaws.com`.
           Of an operation: `anonymous`, it is not signed; `blob`, a REST request's whole body
           is a blob; `deprecated`; `stream`, its input is an event stream.
           Separated by spaces.
ROUTE      REST only: `METHOD /path/{Label}/{Greedy+}?name&name=value :header`: parameters and headers that every request
           for it has
CHECKS     separated by ` | `, all must be allowed; `-` if nothing need be allowed, `?` if it is not known what must be
KEYS       condition keys of the request, and what else it says, separated by ` | `


Checks and keys
───────────────

    CHECK     [PREFIX:]ACTION[@TARGET,...] [if COND] [unless COND]     on `*`, if there is no target; a request that
                                                                       no check applies to cannot be derived
    TARGET    [PREFIX:]TYPE[:N][?][+][=VALUE;...] | *[+]=VALUE           *: an ARN, of whatever type
    VALUE     PATH | 'literal' | function(VALUE, ...) | VALUE / VALUE  the first of alternatives that is there
    COND      PATH | PATH='text' | PATH~'text' [and ...]               is there; is the text; starts with it in any case
    KEY       CONDITION-KEY=VALUE [for ACTION] | tags=PATH | roles=VALUE ... | passes=SERVICE

TARGET     The values fill the variables in the resource part of the type's ARN format, in their order; N is the number
           of the format where a type has several and not the first is meant. The other variables are partition, region
           and account. A value that is an ARN of this format is the resource; another ARN in the place of a name stands
           for its last part. If one value is given for several variables, it is such an ARN, or the last variable and the
           others are `*`.
           Without values every variable is `*`: what is being created has no name yet.
           With `?` a target is left out if a value of it is not in the request, or is an ARN of another type;
           without, a missing value is `*`. If all targets are left out, the resource is `*`.
           With `+` it is made under this name, and has no tags yet; rules put it where an operation that creates is called
           after one of its targets.
PATH       Overlay files: members as AWS's API reference has them: `TableName`, `A.B`, `List[]`, `List[].Member`,
           `Map{}` for each key of a map, `Map{*}` for each value, `Map.key` for the value of this key, `Map` for all of
           it. `?name` and `:Name` are a query parameter and a header that no member stands for.
           The table: where the member stands on the wire: `/Label`, `?name`, `:header` (`:x-amz-meta-{}`: all headers
           that start so), else a path in the body, by the names of the first protocol: `Tags.member[].Key` (query),
           `TagSet.Tag[]` (XML), `Tags[]` (JSON, CBOR, ec2). For a service of JSON that also speaks query, lists are named
           as in JSON. A body that is itself a list is `[]`.
           A path with `[]` or `{}` gives a value for each item. Paths of one check that go through the same list or map
           go through it together: `object=Bucket;Objects[].Key unless Objects[].VersionId` asks of each item.
function   of `src/derive/function.rs`, which has their names and what they mean
tags=      the tags of the request: a list of structures with a key and a value, a map, or a list of keys to be removed
roles=     roles that the caller passes to the service (`iam:PassRole`), separated by spaces: ARNs or names of roles, or
           ARNs or names of instance profiles through `instance_profile(...)`
passes=    the service that gets the roles of this operation
KEY        A key that ends in `/` or `:` stands for one key per entry of a map or list of tags:
           `kms:EncryptionContext:=EncryptionContext`. Where an operation asks for several actions, each has the keys that
           the catalogue lists for it; `for` tells whose value it is. Where a path of the target goes through a list or
           map, as `table=RequestItems{}`, paths of keys and tags through the same one go into the items that name the
           resource: `leading_keys(RequestItems{*}.Keys[])` are those of each table.


Overlay files
─────────────

`overlay/PREFIX.txt` has what is known of the services with that IAM prefix beyond the rules:

    # Checked against https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    service dynamodb                     id or ids of the services that the lines below are for
    checked                              all operations of the service were checked by hand
    passes dynamodb.amazonaws.com        the service that gets roles
    denial AccessDeniedException:400     the error, where the model has none or another one
    tagging TagResource                  what is made with tags asks for this action too, though the reference does not say so
    BatchGetItem   BatchGetItem@table=RequestItems{}          replaces the checks that rules give
    TransactWriteItems  PutItem@table=TransactItems[].Put.TableName if TransactItems[].Put
                        DeleteItem@table=TransactItems[].Delete.TableName if TransactItems[].Delete
    Query +        dynamodb:Attributes=AttributesToGet[]      adds keys to those that rules give
    * +            dynamodb:Select=Select                     to each operation that supports the key and has the member

A line that starts with a space goes on with the entry above it; one item per line. `#` after a space starts a comment. A
key that rules get wrong is taken away by `KEY=-`, `tags=-`, `roles=-`. `-` and `?` may stand alone as a check.

Rules give: the action of the operation's name, on the resource types that the catalogue has for it; the action that tags
what an operation makes, where the request has tags and the catalogue has that action among the dependent ones; condition
keys that have the name of a member; tags and passed roles by the names and shapes of members. What names an existing
resource and leaves a variable of its ARN open is `unknown()` there. An overlay line need only say what
`--show` shows to be wrong or missing.
"""

import argparse
import collections
import pathlib
import sys
import tempfile

import catalogue
import grammar
import model
import overlay
import rules

# AWS's API models. Apache-2.0.
WHEELS = {"botocore==1.44.5": "8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921"}
(BOTOCORE,) = WHEELS

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--unmapped", action="store_true", help="list the operations that cannot be derived")
    parser.add_argument("--show", nargs="+", default=[], metavar="SERVICE", help="list what the table has of services")
    arguments = parser.parse_args()

    sibling = catalogue.sibling()
    with tempfile.TemporaryDirectory() as folder:
        services = list(model.services(sibling.fetch(WHEELS, pathlib.Path(folder))[BOTOCORE]))
    try:
        table = Table(services, overlay.read(HERE / "overlay"))
    except overlay.Faults as faults:
        sys.exit(str(faults))

    path = HERE / "operations.txt"
    stale = not sibling.same(path, table.text)
    if arguments.check and stale:
        sys.exit(f"not what generate.py writes: {path.name}")
    if stale:
        path.write_bytes(table.text.encode("ascii"))
    print(f"{path.name}: {len(table.text)} bytes, {'written' if stale else 'unchanged'}")
    table.print_statistics()
    for service, line in table.lines:
        if service in arguments.show or (arguments.unmapped and kind(line[3]) in ("unmapped", "unknown")):
            print(service, *line, sep="\t")


class Table:
    def __init__(self, services, sections):
        self.catalogue = catalogue.services()
        self.rules = rules.Rules(self.catalogue)
        self.sections = sections
        self.faults = []
        self.lines = []  # (service id, fields of an operation)
        self.text = f"AWS's APIs, from PyPI {BOTOCORE}\n"
        for id_ in sections.keys() - {service.id for service in services}:
            self.faults.append(f"{sections[id_].place}: there is no service `{id_}`")
        for service in sorted(services, key=lambda service: service.id):
            self.text += self.block(service)
        if self.faults:
            raise overlay.Faults("\n".join(sorted(set(self.faults))))
        assert self.text.count("#") == len(services), "`#` must stand for the start of a block only"

    def block(self, service):
        prefix = self.rules.prefix(service)
        own = self.catalogue.get(prefix)
        section = self.sections.get(service.id, overlay.Section(""))
        metadata = service.metadata
        flags = ["checked"] * section.checked + [f"passes={section.passes}"] * bool(section.passes)
        head = [
            service.id,
            metadata["serviceId"],
            prefix or "-",
            service.signing,
            metadata["endpointPrefix"],
            ",".join(service.protocols),
            metadata.get("targetPrefix", ""),
            metadata["apiVersion"],
            section.denial or service.denial(),
            " ".join(flags),
        ]
        for name, items in [*section.checks.items(), *section.keys.items()]:
            if name != "*" and name not in service.operations:
                self.faults.append(f"{items[0].place}: `{service.id}` has no operation `{name}`")
        text = "#" + "\t".join(head).rstrip("\t") + "\n"
        for name, operation in sorted(service.operations.items(), key=lambda pair: pair[0].lower()):
            checks = self.checks(operation, own, section)
            keys = self.keys(operation, own, section, checks)
            fields = [name, operation.route(), self.flags(operation), " | ".join(checks), " | ".join(keys)]
            self.lines.append((service.id, fields))
            text += "o " + "\t".join(fields).rstrip("\t") + "\n"
        return text

    @staticmethod
    def flags(operation):
        flags = ["anonymous"] * operation.is_anonymous
        flags += ["blob"] * operation.has_blob_body
        flags += ["deprecated"] * operation.model.get("deprecated", False)
        flags += ["stream"] * operation.has_event_stream_input
        return " ".join(flags)

    def checks(self, operation, own, section):
        by_hand = section.checks.get(operation.name) or [
            overlay.Item(text, f"what rules say of {operation.service.id}:{operation.name}")
            for text in self.rules.checks(operation, own)
        ]
        tagging = self.rules.tagging(operation, own, [item.text for item in by_hand], section.tagging)
        items = by_hand + [overlay.Item(text, by_hand[0].place) for text in tagging]
        checks = list(filter(None, (self.verified(item, grammar.check, operation, own) for item in items)))
        return self.rules.marked(operation, own, checks)

    def keys(self, operation, own, section, checks):
        """The condition keys of an operation: what rules find, then what is written by hand instead or besides."""
        if not own or not checks or checks[0] in ("-", "?"):
            return []
        actions = [self.action(check, own) for check in checks]
        found = {}
        for action in actions:
            for key, path in rules.keys(operation, action):
                found[key] = f"{self.spelled(key)}={grammar.value(path, operation)}"
        if path := rules.tags(operation, actions[0]):
            found["tags"] = f"tags={operation.wire(path)}"
        elif any("aws:tagkeys" in action.keys for action in actions) and not rules.can_have_tags(operation):
            found["tags"] = "tags=nothing()"
        if paths := rules.roles(operation, own):
            found["roles"] = "roles=" + " ".join(dict.fromkeys(map(operation.wire, paths)))
        # What is asked of tags is about the resource to come, which has no such keys of its own.
        main = [action for action in actions if action is actions[0] or not rules.TAGS_IT.match(action.name)]
        for item in section.keys.get("*", []):
            self.add_where_it_fits(item, operation, own, main, found)
        for item in section.keys.get(operation.name, []):
            name = item.text.partition("=")[0].lower()
            action = "".join(item.text.partition(" for ")[1:])
            found[name + action] = self.verified(item, grammar.key, operation, own)
        return [text for _, text in sorted(found.items()) if text]

    def action(self, check, own):
        name = check.partition(" ")[0].partition("@")[0]
        return grammar.resolve(name, self.catalogue, own, "actions")[1]

    def spelled(self, key):
        return next(s.keys[key][0] for s in self.catalogue.values() if key in s.keys)

    def add_where_it_fits(self, item, operation, own, actions, found):
        name, _, _ = item.text.partition("=")
        start = name.lower()
        is_it = lambda key: key.startswith(start) if start[-1] in ":/" else key == start
        if not any(is_it(key) for action in actions for key in action.keys):
            return
        try:
            found[name.lower()] = grammar.key(item.text, operation, self.catalogue, own)
        except model.UnknownMember:
            pass
        except ValueError as fault:
            self.faults.append(f"{item.place}: {fault}")

    def verified(self, item, parse, operation, *own):
        try:
            return parse(item.text, operation, self.catalogue, *own)
        except ValueError as fault:
            self.faults.append(f"{item.place}: {fault}")
            return None

    def print_statistics(self):
        counts = collections.defaultdict(collections.Counter)
        for service, (_, _, _, checks, _) in self.lines:
            kinds = {kind(check) for check in checks.split(" | ")}
            # The least that is known of its checks is what is known of an operation.
            least = next(kind for kind in KINDS if kind in kinds)
            for of in (service, "all"):
                counts[of]["operations"] += 1
                counts[of][least] += 1
        print(f"{'':24}", *(f"{name:>10}" for name in ("operations", *KINDS)), f"{'mapped':>8}")
        for of in ("all", *MOST_USED):
            count = counts[of]
            share = 100 - 100 * count["unmapped"] / count["operations"]
            checked = " checked" if of in self.sections and self.sections[of].checked else ""
            numbers = (f"{count[name]:10}" for name in ("operations", *KINDS))
            print(f"{of:24}", *numbers, f"{share:6.1f} %{checked}")


# What is known of the resource of a check, the least first.
KINDS = ["unmapped", "unknown", "open", "named", "*", "none"]

# Of the services that people use most, for the statistics.
MOST_USED = [
    "s3", "s3control", "dynamodb", "dynamodbstreams", "sqs", "sns", "kms", "secretsmanager", "ssm", "lambda", "ec2", "ecs",
    "ecr", "eks", "iam", "sts", "cloudwatch", "logs", "events", "stepfunctions", "kinesis", "firehose", "rds", "elasticache",
    "route53", "cloudfront", "apigateway", "apigatewayv2", "acm", "cognito-idp", "cognito-identity", "athena", "glue",
    "cloudformation", "cloudtrail", "config", "organizations", "backup", "batch", "ses", "sesv2", "bedrock",
    "bedrock-runtime", "opensearch", "redshift", "efs",
]  # fmt: skip


def kind(check):
    if check in ("-", "?"):
        return {"-": "none", "?": "unmapped"}[check]
    targets = grammar.split(check.partition("@")[2], ",")
    if "unknown()" in check:
        return "unknown"
    if not targets[0]:
        return "*"
    return "named" if all("=" in target for target in targets) else "open"


if __name__ == "__main__":
    main()
