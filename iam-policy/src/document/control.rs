//! What AWS Organizations asks of service control policies and resource control policies beyond the grammar.
//!
//! See [SCP syntax](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html) and
//! [RCP syntax](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html).

use super::parse::Parser;
use super::{Clause, Effect, Item, PolicyKind, PrincipalMatcher, Statement};
use crate::diagnostic::Diagnostic;
use crate::near::near;
use crate::pattern::Pattern;
use crate::source::Span;

const SCP_SYNTAX: &str =
    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html";
const RCP_SYNTAX: &str =
    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html";

/// The prefixes of the [services that support RCPs](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services).
const SERVICES: [&str; 62] = [
    "aoss",
    "appconfig",
    "appstream",
    "autoscaling",
    "autoscaling-plans",
    "budgets",
    "clouddirectory",
    "cloudfront",
    "cloudsearch",
    "cloudtrail-data",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codepipeline",
    "cognito-identity",
    "cognito-idp",
    "comprehend",
    "comprehendmedical",
    "compute-optimizer",
    "cost-optimization-hub",
    "dax",
    "dsql",
    "dynamodb",
    "ecr",
    "ecr-public",
    "events",
    "firehose",
    "fis",
    "fms",
    "gamelift",
    "health",
    "inspector-scan",
    "kendra",
    "kinesisvideo",
    "kms",
    "logs",
    "memorydb",
    "networkmonitor",
    "notifications",
    "opensearch",
    "pca-connector-ad",
    "personalize",
    "polly",
    "pricing",
    "resource-groups",
    "rolesanywhere",
    "s3",
    "secretsmanager",
    "servicediscovery",
    "signin",
    "sqs",
    "sts",
    "support",
    "swf",
    "textract",
    "timestream-influxdb",
    "transcribe",
    "transfer",
    "translate",
    "wafv2",
    "workspaces",
    "xray",
];

/// "Every SCP must include a `Version` element with the value `2012-10-17`", and so must every RCP.
pub(super) fn version(parser: &mut Parser<'_>, place: Span) {
    let docs = match parser.kind {
        PolicyKind::ResourceControl => RCP_SYNTAX,
        PolicyKind::ServiceControl => SCP_SYNTAX,
        _ => return,
    };
    if parser.has_variables() {
        return;
    }
    let message = format!("{} is of version `2012-10-17`", parser.kind);
    let error = parser.error("iam::version", message, place, "").docs(docs);
    parser.report(error.help("write `\"Version\": \"2012-10-17\"` before `Statement`"));
}

/// What a statement of an RCP may say.
pub(super) fn statement(parser: &mut Parser<'_>, statement: &Statement, effect: Span) {
    if parser.kind != PolicyKind::ResourceControl || is_full_access(statement) {
        return;
    }
    if statement.effect == Effect::Allow {
        let message = "a resource control policy allows nothing";
        let error = parser.error("iam::effect", message, effect, "").docs(RCP_SYNTAX);
        parser
            .report(error.help("write `Deny`: only AWS's own `RCPFullAWSAccess` allows, and it allows all"));
    }
    for item in &statement.action.items {
        action(parser, item);
    }
}

/// Whether the statement is that of `RCPFullAWSAccess`.
fn is_full_access(statement: &Statement) -> bool {
    let is_all = |clause: &Clause<Pattern>| {
        !clause.negated && matches!(clause.items.as_slice(), [item] if &*item.text == "*")
    };
    statement.effect == Effect::Allow
        && statement.conditions.is_empty()
        && is_all(&statement.action)
        && statement.resource.as_ref().is_some_and(is_all)
}

fn action(parser: &mut Parser<'_>, item: &Item<Pattern>) {
    let error = |message: String| parser.error("iam::action", message, item.span, "");
    let error = match item.text.split_once(':') {
        None if &*item.text == "*" => all(error),
        Some(("*", "*")) => all(error),
        // What has no prefix, or a wildcard in it, is reported already.
        None => return,
        Some((prefix, _)) if prefix.contains(['*', '?']) => return,
        Some((prefix, _)) if SERVICES.iter().any(|service| service.eq_ignore_ascii_case(prefix)) => return,
        Some((prefix, _)) => {
            let error = error(format!("resource control policies do not reach the service `{prefix}`"));
            match near(prefix, SERVICES).first() {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("AWS's page lists the services that they reach"),
            }
            .docs("https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services")
        }
    };
    parser.report(error);
}

fn all(error: impl FnOnce(String) -> Diagnostic) -> Diagnostic {
    error("a resource control policy names the services that it is about".to_owned())
        .help("write `service:*` for each of them")
        .docs(RCP_SYNTAX)
}

/// "You can only specify `*` in the `Principal` element of an RCP", and `NotPrincipal` it has none.
pub(super) fn principal(parser: &mut Parser<'_>, clause: &Clause<PrincipalMatcher>) {
    let everyone = |item: &Item<PrincipalMatcher>| item.matcher == PrincipalMatcher::Everyone;
    if parser.kind != PolicyKind::ResourceControl || !clause.negated && clause.items.iter().all(everyone) {
        return;
    }
    let message = "the principal of a resource control policy is `\"*\"`";
    let error = parser.error("iam::principal", message, clause.span, "").docs(RCP_SYNTAX);
    parser.report(
        error.help("write `\"Principal\": \"*\"`, and name principals in a condition on `aws:PrincipalArn`"),
    );
}

/// `NotAction`, which an RCP has none.
pub(super) fn not_action(parser: &mut Parser<'_>, place: Span) {
    if parser.kind == PolicyKind::ResourceControl {
        let message = format!("{} has no `NotAction`", parser.kind);
        let error = parser.error("iam::action", message, place, "not allowed here").docs(RCP_SYNTAX);
        parser.report(error.help("write `Action`"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn the_services_are_in_order_and_known() {
        assert!(SERVICES.is_sorted());
        for prefix in SERVICES {
            // AWS's page has the prefix of the ARNs, `es` being that of the actions.
            assert!(catalogue::service(prefix).is_some() || prefix == "opensearch", "{prefix}");
        }
    }
}
