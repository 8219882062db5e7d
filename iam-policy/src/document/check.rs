//! The rules for single values of a policy: what AWS rejects, and what could not be evaluated.

use std::collections::HashMap;

use super::parse::Parser;
use super::{Clause, Item, PolicyKind, Statement};
use crate::arn::is_account_id;
use crate::condition::Operator;
use crate::diagnostic::Diagnostic;
use crate::json::Member;
use crate::near::near;
use crate::partition::Partition;
use crate::pattern::{BadVariable, Pattern};
use crate::source::Span;

/// IAM takes a tab, line breaks, and U+0020 to U+00FF. S3 and its like have no such rule.
pub(super) fn characters(parser: &mut Parser<'_>) {
    const SHOWN: usize = 8;
    // The JSON reader reports one at the beginning.
    const BYTE_ORDER_MARK: (usize, char) = (0, '\u{FEFF}');
    if parser.kind == PolicyKind::Resource || parser.source.fragment().is_ascii() {
        return;
    }
    let start = parser.source.span().start;
    let strange: Vec<(usize, char)> = parser
        .source
        .fragment()
        .char_indices()
        .filter(|(at, c)| *c > '\u{FF}' && (*at, *c) != BYTE_ORDER_MARK)
        .take(SHOWN)
        .collect();
    for (at, c) in strange {
        let span = Span { start: start + at, end: start + at + c.len_utf8() };
        let message = format!("IAM rejects the character U+{:04X}", u32::from(c));
        parser.report(
            parser
                .error("iam::character", message, span, "")
                .help("policies may hold U+0009, U+000A, U+000D and U+0020 to U+00FF; `*` or `?` can stand for others")
                .docs("https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html"),
        );
    }
}

pub(super) fn sid(parser: &mut Parser<'_>, text: &str, span: Span) {
    // S3 and KMS allow spaces and more in theirs.
    if parser.kind == PolicyKind::Resource
        || parser.is_open(text)
        || text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return;
    }
    let help = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    parser.report(
        parser
            .error(
                "iam::sid",
                format!("`{text}` is not a statement ID for IAM"),
                span,
                "letters and digits only",
            )
            .help(if help.is_empty() { "leave it out".to_owned() } else { format!("write `{help}`") })
            .docs("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html"),
    );
}

pub(super) fn unique_sids(parser: &mut Parser<'_>, statements: &[Statement]) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for sid in
        statements.iter().filter_map(|statement| statement.sid.as_ref()).filter(|sid| !sid.text.is_empty())
    {
        if let Some(first) = seen.insert(&sid.text, sid.span) {
            parser.report(
                parser
                    .error("iam::duplicate-sid", format!("the statement ID `{}` is given twice", sid.text), sid.span, "given again here")
                    .label(parser.source, first, "first given here")
                    .help("statement IDs are unique in a policy")
                    .docs("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html"),
            );
        }
    }
}

/// The names of condition keys have no case, so that two of them may be one; of the same name in the same case the JSON
/// reader tells.
pub(super) fn keys_without_case(parser: &mut Parser<'_>, keys: &[Member<'_>]) {
    if keys.len() < 2 {
        return;
    }
    let mut seen: HashMap<String, &Member<'_>> = HashMap::new();
    for key in keys {
        let first = *seen.entry(key.key.to_ascii_lowercase()).or_insert(key);
        if first.key != key.key {
            parser.report(
                parser
                    .error("iam::duplicate-key", format!("the condition key `{}` is given twice", key.key), key.key_span, "given again here")
                    .label(parser.source, first.key_span, "first given here")
                    .help("condition keys have no case: merge their values into one list")
                    .docs("https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"),
            );
        }
    }
}

pub(super) fn action(parser: &mut Parser<'_>, text: &str, span: Span) {
    // All but a few of the actions of any policy, and the only ones that a policy may have thousands of.
    if parser.kind == PolicyKind::Trust || !is_plain_action(text) {
        odd_action(parser, text, span);
    }
}

#[cold]
fn odd_action(parser: &mut Parser<'_>, text: &str, span: Span) {
    if matches!(text, "*" | "*:*") {
        if parser.kind == PolicyKind::Trust {
            parser.report(not_sts(parser, text, span));
        }
        return;
    }
    let (problem, help) = match text.split_once(':') {
        None if text.is_empty() => ("the action is empty", "write `service:Action`".to_owned()),
        None => {
            ("the action has no service prefix", "write `service:Action`, such as `s3:GetObject`".to_owned())
        }
        Some((_, name)) if name.contains(':') => {
            ("an action has only one colon", "an ARN belongs into `Resource`".to_owned())
        }
        Some((prefix, _)) if prefix.contains(['*', '?']) => {
            ("the service prefix has a wildcard", "name the service, or write `*` for all of them".to_owned())
        }
        Some((prefix, _)) if !is_word(prefix, PREFIX) => {
            ("this is not a service prefix", "letters, digits and `-` before the colon".to_owned())
        }
        Some((prefix, "")) => {
            ("the action has no name", format!("write `{prefix}:*` for all of the service"))
        }
        Some((_, name)) if !is_word(name, NAME) => {
            ("this is not an action", "letters, digits, `*` and `?` after the colon".to_owned())
        }
        Some((prefix, _)) if parser.kind == PolicyKind::Trust && !prefix.eq_ignore_ascii_case("sts") => {
            parser.report(not_sts(parser, text, span));
            return;
        }
        Some(_) => return,
    };
    let (problem, help) = if text.contains("${") {
        ("an action has no variables", "variables stand in `Resource` and `Condition`".to_owned())
    } else {
        (problem, help)
    };
    parser.report(
        parser
            .error("iam::action", problem, span, "")
            .help(help)
            .docs("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html"),
    );
}

fn not_sts(parser: &Parser<'_>, text: &str, span: Span) -> Diagnostic {
    parser
        .error(
            "iam::action",
            format!("`{text}` is more than a role trust policy may allow"),
            span,
            "only `sts:` actions",
        )
        .help("write `sts:AssumeRole`; what the role may do stands in its other policies")
        .docs("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html")
}

/// Whether a text is `service:Action`, wildcards in the action included.
fn is_plain_action(text: &str) -> bool {
    let length = text.bytes().take_while(|byte| may_stand_in(PREFIX, *byte)).count();
    match text.as_bytes().get(length..) {
        Some([b':', name @ ..]) => {
            length > 0 && !name.is_empty() && name.iter().all(|byte| may_stand_in(NAME, *byte))
        }
        _ => false,
    }
}

fn is_word(text: &str, of: u8) -> bool {
    !text.is_empty() && text.bytes().all(|byte| may_stand_in(of, byte))
}

fn may_stand_in(of: u8, byte: u8) -> bool {
    SIGNS.get(usize::from(byte)).is_some_and(|signs| signs & of != 0)
}

const PREFIX: u8 = 1;
const NAME: u8 = 2;

/// For every byte, whether it may stand in a service prefix, and whether in an action's name.
static SIGNS: [u8; 256] = {
    let mut signs = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let name = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*' | b'?');
        let prefix = byte.is_ascii_alphanumeric() || byte == b'-';
        #[expect(clippy::indexing_slicing, reason = "while compiling")]
        {
            signs[byte as usize] = if prefix { PREFIX } else { 0 } | if name { NAME } else { 0 };
        }
        byte += 1;
    }
    signs
};

/// Whether a statement needs no `Resource`: the policies of some services are about what they are attached to, as
/// [those of ECR](https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html) and
/// [of EFS](https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html).
pub(super) fn is_about_its_own_resource(parser: &Parser<'_>, actions: Option<&Clause<Pattern>>) -> bool {
    const SERVICES: [&str; 3] = ["ecr", "ecr-public", "elasticfilesystem"];
    let is_of_such = |item: &Item<Pattern>| {
        item.text.split_once(':').is_some_and(|(prefix, _)| SERVICES.contains(&&*prefix.to_ascii_lowercase()))
    };
    let of_such = |clause: &Clause<Pattern>| !clause.items.is_empty() && clause.items.iter().all(is_of_such);
    parser.kind == PolicyKind::Resource && actions.is_some_and(of_such)
}

pub(super) fn resource(parser: &mut Parser<'_>, text: &str, span: Span) {
    if text == "*" {
        return;
    }
    // API Gateway's resource policies leave out the part that is the API's own.
    if parser.kind == PolicyKind::Resource && text.starts_with("execute-api:/") {
        return;
    }
    let parts = parts_of_arn(text);
    let (problem, help) = match parts.as_slice() {
        ["arn", partition, rest @ ..] => match rest {
            _ if !partition.contains(['*', '?', '$']) && Partition::named(partition).is_none() => {
                (format!("`{partition}` is not a partition"), "write `aws`, `aws-cn` or `aws-us-gov`, or `*`")
            }
            [] | [""] => ("the ARN has no service".to_owned(), SIX_PARTS),
            [service, ..] if service.contains(['*', '?', '$']) => (
                "the service of the ARN has a wildcard".to_owned(),
                "name the service, or write `*` for every resource",
            ),
            [_, _, account, ..]
                if !is_account_id(account)
                    && !account.is_empty()
                    && account.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                (format!("`{account}` is not an account id"), "it has twelve digits")
            }
            // The last part that is written may stand for the rest: `arn:aws:codebuild:*`.
            [.., last] if rest.len() < 4 && !last.ends_with('*') => {
                (format!("the ARN has {} parts", parts.len()), SIX_PARTS)
            }
            _ => return,
        },
        _ => {
            ("the resource is not an ARN".to_owned(), "write an ARN, such as `arn:aws:s3:::bucket/*`, or `*`")
        }
    };
    parser.report(
        parser.error("iam::resource", problem, span, "").help(help).docs(
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html",
        ),
    );
}

const SIX_PARTS: &str = "an ARN is `arn:partition:service:region:account:resource`; `*` can stand for a part";

/// The parts of an ARN; a colon in a variable does not part them, nor does one in the last part.
fn parts_of_arn(text: &str) -> Vec<&str> {
    let mut parts = Vec::with_capacity(6);
    let (mut start, mut depth) = (0, 0_usize);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && parts.len() < 5 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

pub(super) fn bad_principal(parser: &Parser<'_>, element: &str, text: &str, span: Span) -> Diagnostic {
    let help = match element {
        "AWS" if text.contains('*') => {
            "a wildcard cannot stand for a part of a principal: write `*`, and a condition on `aws:PrincipalArn`"
        }
        "AWS" => "write `*`, an account id of 12 digits, or the ARN of a user, role or session",
        "Service" => "write a service's principal name, such as `lambda.amazonaws.com`",
        "Federated" => "write an identity provider's ARN or name, such as `cognito-identity.amazonaws.com`",
        _ => "write the canonical user id of an account",
    };
    parser
        .error("iam::principal", format!("`{text}` is not a principal for `{element}`"), span, "")
        .help(help)
}

pub(super) fn bad_operator(parser: &Parser<'_>, name: &str, span: Span) -> Diagnostic {
    let error = parser
        .error("iam::condition-operator", format!("there is no condition operator `{name}`"), span, "")
        .docs("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html");
    let candidates = Operator::candidates(name);
    match near(name, candidates.iter().map(String::as_str)).first() {
        _ if name.ends_with("NullIfExists") => error.help("`Null` takes no `IfExists`"),
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

pub(super) fn bad_operand(parser: &Parser<'_>, operator: Operator, text: &str, span: Span) -> Diagnostic {
    let compared = operator.comparison.test;
    parser
        .error("iam::condition-value", format!("`{text}` is not {}", compared.value_name()), span, format!("`{operator}` compares it as {}", compared.value_name()))
        .help(compared.value_example())
        .docs("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html")
}

pub(super) fn bad_variable(parser: &Parser<'_>, bad: &BadVariable, text: &str, span: Span) -> Diagnostic {
    // A span of its own can be told only where the JSON text has no escapes.
    let inside = Span { start: span.start + 1 + bad.at, end: span.end - 1 };
    let exact = span.end - span.start == text.len() + 2;
    parser
        .error("iam::variable", bad.problem, if exact { inside } else { span }, "")
        .help(bad.help)
        .docs("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html")
}
