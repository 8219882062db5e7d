"""What most operations need, by rules: the action of the same name, on the resources that its members name.

The rules answer in the grammar of the overlay files, and what they say is verified as if it were written by hand.
"""

import collections
import re

import grammar

# Services whose callers show tokens of their own, which IAM does not know.
WITH_TOKENS = ("codecatalyst", "connectparticipant", "sso")

# Services whose IAM prefix is neither their signing name nor their endpoint's, nor that of most of their actions' names.
PREFIXES = {
    "account-access-runtime": "account-access",
    "apigateway": "apigateway",
    "apigatewaymanagementapi": "execute-api",
    "apigatewayv2": "apigateway",
    "iotthingsgraph": None,  # shut down
    "applicationcostprofiler": None,  # shut down
    "keyspaces": "cassandra",
    "opensearchmemory": "opensearch",
} | dict.fromkeys(WITH_TOKENS)

# What an operation does; the rest of its name is its noun.
VERB = re.compile(
    "(Batch)?(Accept|Activate|Add|Allocate|Apply|Assign|Associate|Attach|Authorize|Cancel|Close|Complete|Confirm|Copy|Create"
    "|Deactivate|Delete|Deploy|Deregister|Describe|Detach|Disable|Disassociate|Enable|Execute|Export|Generate|Get|Import"
    "|Invoke|List|Lock|Modify|Move|Pause|Post|Promote|Provision|Publish|Purchase|Put|Query|Reboot|Register|Reject|Release"
    "|Remove|Request|Reset|Resize|Restore|Resume|Retry|Revoke|Rotate|Run|Search|Send|Set|Start|Stop|Submit|Tag|Terminate"
    "|Test|Unlock|Untag|Update|Upload|Validate|Verify)?"
)
CREATES = {
    "Allocate", "Apply", "Copy", "Create", "Deploy", "Generate", "Import", "Provision", "Publish", "Purchase", "Put",
    "Register", "Request", "Restore", "Run", "Start", "Submit", "Upload",
}  # fmt: skip
# Whatever it is; services which ask with it themselves for what a request only names: `stack/NAME/*`.
STAR = "'*'"
WITH_STARS = {"cloudformation"}
LISTS = {"Describe", "List", "Query", "Search"}

# Members of any service that name any of its resources.
ANY_ARN = {"resourcearn", "arn", "resourceidentifier", "taggableresourcearn", "resourcearnlist", "chimebearer"}
ANY_ID = {"resourceid", "resource", "resourcename"}

# Members that are no names of anything.
TOKENS = re.compile(r".*token|maxresults|marker|creatorrequestid|client(request)?id|requestid|pagesize|.*accountid")

# Different words for one thing: what a member calls it → what the resource type calls it.
ALIASES = {
    "app": "application",
    "cacert": "cacertificate",
    "dbcluster": "cluster",
    "dbclusterparametergroup": "clusterpg",
    "dbclustersnapshot": "clustersnapshot",
    "dbinstance": "db",
    "dbparametergroup": "pg",
    "dbproxy": "proxy",
    "dbproxyendpoint": "proxyendpoint",
    "dbsecuritygroup": "secgrp",
    "dbsnapshot": "snapshot",
    "dbsubnetgroup": "subgrp",
    "eventsubscription": "es",
    "jobflow": "cluster",
    "optiongroup": "og",
    "policystore": "policystore",
}

# Variables of ARN formats that a service's API calls by quite another name: (prefix, variable) → member.
VARIABLES = {
    ("codecommit", "resourcename"): "repositoryname",
    ("codeartifact", "packageformat"): "format",
    ("databrew", "resourceid"): "name",
    ("mobiletargeting", "appid"): "applicationid",
    ("s3", "bucketname"): "bucket",
    ("s3", "objectname"): "key",
    ("s3-outposts", "bucketname"): "bucket",
}

ROLE = re.compile(r"role(arn|name)?s?$")
SURELY_PASSED = re.compile(
    r"^((iam|service|execution|task|job|lambda|glue|dataaccess|access|default|sagemaker|cluster|instance|service"
    r"|servicerole|customer|logging|monitoring|cloudwatch|cloudwatchlogs?|taskexecution|domainiam|import)*role(arn)?)$"
)
PASSING = re.compile(r"(?!Assume|Get|List|Describe|Search|Delete|Batch(Get|Delete)|Tag|Untag|Test|Disassociate|Remove|Validate)")
TAGS_IT = re.compile("(Add|Create)?Tags?(Resource|ToResource)?$")
TAGS = re.compile(r"(resource)?tag(s|list|set|ging|specifications|map)?|newtags|addtags|tagstoadd")
# `UserPoolTags`, where nothing has a name of those.
TAGS_OF = re.compile(r"\w*tags(list)?")


def normal(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def singular(name):
    if name.endswith("ies"):
        return name[:-3] + "y"
    if name.endswith("sses"):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name


def stem(name):
    for suffix in ("identifier", "arn", "name", "id"):
        if name.endswith(suffix) and len(name) > len(suffix):
            name = name[: -len(suffix)]
            break
    return ALIASES.get(name, name)


class Rules:
    def __init__(self, catalogue):
        self.catalogue = catalogue
        self.owners = collections.defaultdict(set)
        for service in catalogue.values():
            for name in service.actions:
                self.owners[name].add(service.prefix)

    def prefix(self, service):
        """The IAM prefix of a service: one of its own names, unless another has clearly more of its actions."""
        if service.id in PREFIXES:
            return PREFIXES[service.id]
        counts = collections.Counter(p for name in service.operations for p in self.owners[name.lower()])
        names = [service.signing, service.metadata["endpointPrefix"], service.id, normal(service.metadata["serviceId"])]
        own = [name for name in names if name in self.catalogue]
        most, count = (counts.most_common(1) or [(None, 0)])[0]
        if own:
            best = max(own, key=lambda name: (counts[name], -own.index(name)))
            if counts[best] >= min(0.5 * count, 0.3 * len(service.operations)):
                return best
        return most

    def checks(self, operation, own):
        """The checks of an operation, as in an overlay file; `["?"]` if they cannot be derived."""
        if operation.is_anonymous or operation.service.id in WITH_TOKENS:
            return ["-"]
        if own is None:
            return ["?"]
        if own.prefix == "apigateway":
            return self.by_path(operation, own)
        action = own.actions.get(operation.name.lower())
        if not action:
            return ["?"]
        return [self.check(operation, action, own)]

    def tagging(self, operation, own, checks, by_hand):
        """The check of the tags that go to what an operation makes; it asks for a second action where the reference says so.

        The reference has that action among the dependent ones; EC2 asks for it wherever a request has tags:
        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
        """
        if own is None or checks[0] in ("-", "?"):
            return []
        name, _, rest = checks[0].partition("@")
        action = own.actions.get(name.lower())
        path = tags(operation, action)
        if not path or path.endswith("Keys[]"):
            return []
        found = [own.actions[d.lower()] for d in action.own_dependents if TAGS_IT.match(d)] if action else []
        if action and by_hand and VERB.match(operation.name)[2] in CREATES:
            found = found or [own.actions[by_hand.lower()]]
        if has_tag_specifications(operation):
            found, path = [own.actions["createtags"]], "TagSpecifications"
        if not found or any(check.partition("@")[0] == found[0].name for check in checks):
            return []
        targets = list(filter(None, grammar.split(re.split(r" (?:if|unless) ", rest)[0], ",")))
        made = [target for target in targets if "=" not in target]
        if not has_tag_specifications(operation):
            return [f"{found[0].name}@{self.made(operation, own, found[0], targets)} if {path}"]
        if len(made) > 1:
            return [f"CreateTags@{name} if {path}[].ResourceType='{name}'" for name in made]
        return [f"CreateTags@{name} if {path}" for name in made]

    @staticmethod
    def made(operation, own, tagging, targets):
        """What gets the tags: the resource that an operation is called after, else the only new one."""
        noun = noun_of(operation)
        types = [*tagging.types, *(type_of(target) for target in targets if target[0] != "*")]
        of = best_named(noun, types)
        of_type = [target for target in targets if type_of(target) == of]
        of_type = [target for target in of_type if "=Target" in target] or of_type
        if of_type and "=Source" not in of_type[0]:
            return of_type[0].replace("?", "", 1)
        if of:
            found = None if of_type else Binding.best(operation, own, own.types[of.lower()], noun, False)
            return f"{of}{found.number}={';'.join(value or STAR for value in found.values)}" if found and found.values else of
        new = [target for target in targets if "=" not in target and target in tagging.types]
        return new[0] if len(new) == 1 else "*=unknown()"

    @staticmethod
    def marked(operation, own, checks):
        """The checks with a `+` at what the operation makes under a name, which has no tags yet."""
        if own is None or own.prefix == "apigateway" or VERB.match(operation.name)[2] != "Create":
            return checks
        targets = [target for target in grammar.split(targets_of(checks[0]), ",") if target and target[0] != "*"]
        of = best_named(noun_of(operation), map(type_of, targets))
        made = {target for target in targets if type_of(target) == of and "?" not in target.partition("=")[0]}
        # A log stream has the tags of its group.
        is_tagged = any(of in action.types for action in own.actions.values() if re.match("(Add|Create)?Tag", action.name))
        if len(made) != 1 or not is_tagged or not all("=" in target for target in made):
            return checks
        (made,) = made
        head, _, values = made.partition("=")
        return [re.sub(rf"(?<=[@,]){re.escape(made)}(?=,| if | unless |$)", lambda _: f"{head}+={values}", check) for check in checks]

    def by_path(self, operation, own):
        """API Gateway has an action for each HTTP method, and ARNs that are the paths of its API.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/security_iam_service-with-iam.html
        """
        method, uri = operation.model["http"]["method"], operation.model["http"]["requestUri"].partition("?")[0]
        labels = re.findall(r"\{(\w+)\+?\}", uri)
        path = re.sub(r"\{\w+\+?\}", "${}", uri.removeprefix("/v2"))
        members = {ref.get("locationName"): name for name, ref in operation.input["members"].items()}
        for of in own.types.values():
            for number, skeleton in enumerate(of.skeletons, 1):
                if skeleton == path:
                    nth = f":{number}" if len(of.skeletons) > 1 else ""
                    values = ";".join(members[label] for label in labels)
                    return [f"{method}@{of.name}{nth}{'=' if values else ''}{values}"]
        return ["?"]

    def check(self, operation, action, own):
        match = VERB.match(operation.name)
        verb, noun = match[2] or "", singular(normal(operation.name[match.end() :]))
        # What is created has no name yet, and a list is of all; else AWS knows what the request does not say.
        is_open = verb in CREATES | LISTS or action.level == "L"
        rest = STAR if verb in CREATES or action.level == "L" or own.prefix in WITH_STARS else "unknown()"
        bound = {}
        for name in action.types:
            found = Binding.best(operation, own, own.types[name.lower()], noun, len(action.types) == 1)
            if found and (action.types[name] or found.values and found.is_sure):
                bound[name] = found
        lost = self.share(bound)
        targets = []
        for name, required in action.types.items():
            if found := bound.get(name):
                optional = "?" if found.is_shared or not required else ""
                values = f"={';'.join(value or rest for value in found.values)}" if found.values else ""
                targets.append(f"{name}{found.number}{optional}{values}")
            elif required and name not in lost and not any(other.is_shared for other in bound.values()):
                targets.append(name if is_open else f"{name}=unknown()")
        return action.name + ("@" if targets else "") + ",".join(targets)

    @staticmethod
    def share(bound):
        """One member cannot name two things, unless it is an ARN, which tells of what type it is.

        Returns the types that have lost their member to another: the two are alternatives.
        """
        by_path, lost = collections.defaultdict(list), set()
        for name, binding in bound.items():
            if binding.values:
                by_path[binding.own].append(name)
        for names in by_path.values():
            if len(names) == 1:
                continue
            if all(bound[name].is_arn for name in names):
                for name in names:
                    bound[name].is_shared = True
            else:
                best = max(names, key=lambda name: bound[name].rank)
                lost |= set(names) - {best}
        for name in lost:
            del bound[name]
        return lost


def noun_of(operation):
    """What an operation is called after."""
    noun = singular(normal(operation.name[VERB.match(operation.name).end() :]))
    noun = re.sub("(from|topoint|toregion|by).*", "", noun)
    return ALIASES.get(noun, noun)


def best_named(noun, types):
    """The type that has the noun's name."""
    named = [of for of in types if noun.endswith(normal(of)) or noun and normal(of).endswith(noun)]
    return max(named, key=lambda of: (normal(of) == noun, len(of)), default=None)


def targets_of(check):
    return re.split(r" (?:if|unless) ", check)[0].partition("@")[2]


def type_of(target):
    return re.split(r"[=?:+]", target)[0]


class Binding:
    """Which members name a resource."""

    def __init__(self, values, score, own=None):
        self.values, self.score, self.own = values, score, own
        self.number, self.is_shared = "", False

    @property
    def rank(self):
        return (None not in self.values, self.score)

    @property
    def is_sure(self):
        return self.score >= (55 if self.own.depth == 0 else 66)

    @property
    def is_arn(self):
        leaf = normal(self.own.leaf)
        return leaf.endswith(("arn", "arns")) or leaf in ANY_ARN | ANY_ID

    @staticmethod
    def best(operation, own, of, noun, alone):
        found = []
        for number in range(len(of.formats)):
            nth = f":{number + 1}" if len(of.formats) > 1 else ""
            binding = bind(operation, own.prefix, of, number, noun, alone)
            if binding:
                binding.number = nth if len(binding.values) > 1 else ""
                found.append(binding)
        return max(found, key=lambda binding: binding.rank, default=None)


def bind(operation, prefix, of, number, noun, alone):
    variables, skeleton = of.formats[number], of.skeletons[number]
    leaves = []
    for member in operation.members:
        leaf = normal(member.leaf)
        leaf = singular(leaf) if member.in_list else leaf
        is_tag = TAGS.fullmatch(normal(member.path.split(".")[0])) and "[]." in member.path
        if member.kind != "other" and member.depth <= 2 and not is_tag and not TOKENS.fullmatch(leaf):
            leaves.append((leaf, member))
    required = [m for _, m in leaves if m.required and m.depth == 0 and m.kind in ("string", "enum")]
    only = required[0] if len(required) == 1 and alone and required[0].kind == "string" else None
    type_name = normal(of.name)
    if not variables:
        return Binding([], 100)

    whole = max(
        ((arn_score(operation.name, leaf, member, type_name, noun, only, bool(variables)), member) for leaf, member in leaves),
        key=lambda pair: pair[0],
        default=(0, None),
    )
    scores = []
    for at, variable in enumerate(variables):
        last = at == len(variables) - 1
        for leaf, member in leaves:
            score = variable_score(leaf, member, prefix, variable, last, type_name, noun, only, alone)
            if score:
                scores.append((score - 12 * member.depth, last, -len(member.path), at, member))
    chosen = {}
    for score, _, _, at, member in sorted(scores, key=lambda s: s[:4], reverse=True):
        if score >= 45 and at not in chosen and all(member is not m for _, m in chosen.values()):
            chosen[at] = (score, member)
    own_score, own_member = chosen.get(own_variable(variables, chosen, type_name), (0, None))
    if whole[0] > own_score:
        return Binding([whole[1].path], whole[0], whole[1])
    if not own_member:
        return None
    values = [chosen[at][1].path if at in chosen else None for at in range(len(variables))]
    binding = Binding(values, own_score, own_member)
    if binding.is_arn:
        binding.values = [own_member.path]
    return binding


def own_variable(variables, chosen, type_name):
    """The variable that is the resource's own; after a name there may be an identifier that AWS adds."""
    last = len(variables) - 1
    named = [at for at in chosen if stem(normal(variables[at])) == type_name]
    return max(named, default=last) if last not in chosen else last


def arn_score(operation, leaf, member, type_name, noun, only, has_variables):
    """How surely a member is the ARN of the resource."""
    if member.kind != "string":
        return 0
    if leaf in (type_name + "arn", singular(type_name) + "arn"):
        return 95 - 10 * member.depth
    if member.depth:
        return 0
    if not has_variables and stem(leaf) == type_name:
        return 80
    if leaf == noun + "arn" and (noun in type_name or type_name in noun):
        return 75
    if leaf.endswith(type_name + "arn"):
        return 66
    if leaf in ANY_ARN and (member.required or leaf != "resourceidentifier"):
        return 64
    if leaf.endswith("arn") and member is only and not ROLE.search(leaf):
        return 58
    return 64 if leaf in ANY_ID and "tag" in operation.lower() else 0


def variable_score(leaf, member, prefix, variable, last, type_name, noun, only, alone):
    """How surely a member is the value of a variable of the ARN format."""
    variable = normal(variable)
    if leaf == variable or leaf == VARIABLES.get((prefix, variable)):
        return 100
    # A number and a word of a few are only ever what their name says, and a name is no id.
    if member.kind != "string" or (variable.endswith("id") and leaf.endswith("name")):
        return 0
    if variable.endswith("name") and leaf.endswith("id"):
        return 0
    if leaf == singular(variable):
        return 95
    if stem(leaf) == stem(variable) and stem(leaf) != "resource":
        return 86
    if variable in (leaf + "withpath", leaf + "withoutleadingslash", leaf + "nameidentifier", leaf + "identifier"):
        return 84
    if last:
        types = (type_name, singular(type_name))
        if leaf in [t + suffix for t in types for suffix in ("", "id", "name", "identifier", "arn")]:
            return 80
        if stem(leaf) == type_name:
            return 78
        generic = leaf in ("id", "name", "identifier")
        related = noun == type_name or (len(type_name) > 3 and type_name in noun) or (len(noun) > 3 and noun in type_name)
        if generic and member.depth == 0 and related:
            return 72
        if variable in ("id", "name", "resourceid", "resourcename", "identifier", "arn") and leaf == noun + variable:
            return 70
        if noun and stem(leaf) == noun and (noun in type_name or type_name in noun):
            return 66
        if len(stem(leaf)) >= 4 and type_name.endswith(stem(leaf)) and leaf != stem(leaf):
            return 63
        if (generic or leaf in ANY_ID) and member.depth == 0 and alone and only in (member, None):
            return 60
        if variable in ("id", "resourceid", "identifier", "name") and member is only:
            return 57
    if member.depth == 0 and min(len(leaf), len(variable)) > 4 and (leaf.endswith(variable) or variable.endswith(leaf)):
        return 55
    return 0


def tags(operation, action):
    """The path of the request's tags, or of the keys of tags that it removes."""
    path = tags_named(operation, TAGS)
    return path or (tags_named(operation, TAGS_OF) if action and "aws:tagkeys" in action.keys else None)


def can_have_tags(operation):
    """Whether a member of the request may be tags, by its name: a stage is none."""
    names = [*operation.input["members"], *(member.path for member in operation.members)]
    return any(re.search("tag(?!e)", normal(name)) for name in names)


def tags_named(operation, names):
    shapes = operation.service.shapes
    for name, ref in operation.input["members"].items():
        for path, inner in [(name, ref), *nested(operation, name, ref)]:
            shape, leaf = shapes[inner["shape"]], normal(path.removesuffix(".Items").split(".")[-1])
            if shape["type"] == "map" and names.fullmatch(leaf):
                return path
            if shape["type"] != "list":
                continue
            item = shapes[shape["member"]["shape"]]
            removes = re.match("Untag|Remove", operation.name) and "tag" in leaf
            if item["type"] == "string" and (leaf == "tagkeys" or removes):
                return path + "[]"
            if item["type"] != "structure" or not names.fullmatch(leaf):
                continue
            of_item = {normal(member) for member in item["members"]}
            if of_item & {"key", "tagkey"} and len(of_item) <= 4:
                return path + "[]"
            if "tags" in of_item:
                inside = next(member for member in item["members"] if normal(member) == "tags")
                return f"{path}[].{inside}[]"
    return None


def nested(operation, name, ref):
    """The members of what the body is, and of a wrapper of tags: `Tags.Items`."""
    shape = operation.service.shapes[ref["shape"]]
    if shape["type"] == "structure" and (operation.input.get("payload") == name or TAGS.fullmatch(normal(name))):
        for inner, inner_ref in shape["members"].items():
            yield f"{name}.{inner}", inner_ref
            if operation.service.shapes[inner_ref["shape"]]["type"] == "structure" and TAGS.fullmatch(normal(inner)):
                for innermost, innermost_ref in operation.service.shapes[inner_ref["shape"]]["members"].items():
                    yield f"{name}.{inner}.{innermost}", innermost_ref


def roles(operation, own):
    """The paths of roles that the caller passes to the service."""
    if own.prefix in ("iam", "sts", "signin") or not PASSING.match(operation.name):
        return []
    action = own.actions.get(operation.name.lower())
    passes = bool(action and action.passes_role)
    wanted = ROLE.search if passes else SURELY_PASSED.fullmatch
    return [m.path for m in operation.members if m.kind == "string" and wanted(singular(normal(m.leaf)))]


def has_tag_specifications(operation):
    return operation.service.id == "ec2" and "TagSpecifications" in operation.input["members"]


def keys(operation, action):
    """Condition keys of the action that have the name of a member."""
    if has_tag_specifications(operation):
        yield "ec2:createaction", f"'{operation.name}'"
    leaves = {normal(m.leaf): m.path for m in operation.members if m.depth == 0}
    for key in sorted(action.keys):
        name = key.partition(":")[2]
        if not key.startswith("aws:") and normal(name) in leaves and "$" not in name:
            yield key, leaves[normal(name)]
