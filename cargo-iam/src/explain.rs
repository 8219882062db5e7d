//! `cargo iam explain`: one request, and why it is allowed or denied.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;

use iam_policy::{
    Context, ElementTrace, Explanation, Policies, Policy, PolicyKind, PolicySet, Request, Source,
    StatementTrace,
};
use serde::Serialize;

use crate::failure::Failure;
use crate::format::Format;
use crate::statement::StatementName;
use crate::{input, paint, request};

/// Decide one request and tell why
///
/// The policies are those that apply to the request. A FILE may be part of a larger one, named by a JSON pointer
/// (`template.json#/Resources/Reader/Policy`), or `-` for standard input. Nothing is known of condition keys that are not given:
/// they are taken as absent, and named.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status: 0 if the request is allowed, 1 if it is denied, 2 if there is no answer.

Examples:
  cargo iam explain --policy reader.json --principal arn:aws:iam::123456789012:user/alice \\
      --action s3:GetObject --resource arn:aws:s3:::reports/may.csv
  cargo iam explain --policy reader.json --boundary b.json --scp root.json --scp ou.json,a.json \\
      --principal arn:aws:sts::123456789012:assumed-role/reader/test \\
      --action s3:ListBucket --resource arn:aws:s3:::reports --context s3:prefix=2026/
  cargo iam explain --resource-policy trust.json --principal lambda.amazonaws.com \\
      --action sts:AssumeRole --resource arn:aws:iam::123456789012:role/worker")]
pub(crate) struct Args {
    /// An identity-based policy of the principal; may be repeated
    #[arg(long, value_name = "FILE")]
    policy: Vec<String>,

    /// A permissions boundary of the principal; may be repeated, each must allow
    #[arg(long, value_name = "FILE")]
    boundary: Vec<String>,

    /// A session policy; may be repeated, one must allow
    #[arg(long, value_name = "FILE")]
    session: Vec<String>,

    /// The resource's own policy: of a bucket, a queue, a key, or the trust policy of a role
    #[arg(long, value_name = "FILE")]
    resource_policy: Option<String>,

    /// The service control policies of a level of the principal's organization; repeated from the root down
    #[arg(long, value_name = "FILE[,FILE]…")]
    scp: Vec<String>,

    /// The resource control policies of a level of the resource's organization; repeated from the root down
    #[arg(long, value_name = "FILE[,FILE]…")]
    rcp: Vec<String>,

    /// Who asks: an ARN, a service such as `lambda.amazonaws.com`, or `*` for nobody. A role's ARN is a session of it
    #[arg(long, value_name = "ARN")]
    principal: String,

    /// The role of a session, where the role has a path
    #[arg(long, value_name = "ARN")]
    role: Option<String>,

    /// What for, such as `s3:GetObject`
    #[arg(long)]
    action: String,

    /// The ARN of the resource, or `*` where the action acts on none
    #[arg(long, value_name = "ARN", default_value = "*")]
    resource: String,

    /// The account of the resource, where its ARN does not tell
    #[arg(long, value_name = "ACCOUNT")]
    resource_account: Option<String>,

    /// A condition key of the request; repeated for several values of a key
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,

    /// For people, or the whole tree of statements and elements
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let request = args.request()?;
    let explanation = args.policies()?.explain(&request);
    let text = match args.format {
        Format::Human => paint::report(&explanation.to_string()),
        // Strings and numbers are always JSON.
        Format::Json => serde_json::to_string_pretty(&Report::new(&explanation)).unwrap_or_default(),
    };
    writeln!(anstream::stdout(), "{text}").map_err(Failure::Output)?;
    Ok(ExitCode::from(u8::from(!explanation.decision().is_allowed())))
}

impl Args {
    fn request(&self) -> Result<Request, Failure> {
        let principal = request::principal(&self.principal)
            .and_then(|principal| request::behind(principal, self.role.as_deref(), None));
        let account = self.resource_account.as_deref().map(request::account).transpose();
        Ok(Request {
            principal: principal.map_err(Failure::Usage)?,
            action: request::action(&self.action).map_err(Failure::Usage)?,
            resource: request::resource(&self.resource).map_err(Failure::Usage)?,
            resource_account: account.map_err(Failure::Usage)?,
            context: context(&self.context)?,
        })
    }

    fn policies(&self) -> Result<PolicySet, Failure> {
        let of_resource = request::kind_of_resource_policy(&self.resource);
        let resource = self.resource_policy.as_deref().map(|file| parse(file, of_resource)).transpose()?;
        Ok(PolicySet {
            identity: parse_all(&self.policy, PolicyKind::Identity)?,
            resource,
            boundary: parse_all(&self.boundary, PolicyKind::Boundary)?,
            session: match &*self.session {
                [] => None,
                files => Some(parse_all(files, PolicyKind::Session)?),
            },
            scps: parse_levels(&self.scp, PolicyKind::ServiceControl)?,
            rcps: parse_levels(&self.rcp, PolicyKind::ResourceControl)?,
        })
    }
}

fn context(pairs: &[String]) -> Result<Context, Failure> {
    let mut context = Context::new();
    for pair in pairs {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Failure::Usage(format!("`--context {pair}` has no value: write `{pair}=VALUE`"))
        })?;
        let mut values = context.lookup(key).unwrap_or_default().to_vec();
        values.push(value.to_owned());
        context.set_many(key.to_owned(), values);
    }
    Ok(context)
}

fn parse_levels(levels: &[String], kind: PolicyKind) -> Result<Vec<Policies>, Failure> {
    levels.iter().map(|files| parse_all(files.split(','), kind)).collect()
}

fn parse_all<L: FromIterator<Policy>>(
    files: impl IntoIterator<Item = impl AsRef<str>>,
    kind: PolicyKind,
) -> Result<L, Failure> {
    files.into_iter().map(|file| parse(file.as_ref(), kind)).collect()
}

fn parse(file: &str, kind: PolicyKind) -> Result<Policy, Failure> {
    Policy::parse(input::read(file)?, kind).map_err(Failure::Policy)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'e> {
    decision: String,
    reason: String,
    principal: String,
    action: &'e str,
    resource: &'e str,
    context: BTreeMap<&'e str, &'e [String]>,
    /// Whether the decision is the same whatever the missing keys hold.
    certain: bool,
    missing_context: &'e [String],
    by: Vec<StatementName<'e>>,
    near_misses: Vec<StatementName<'e>>,
    statements: Vec<StatementReport<'e>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatementReport<'e> {
    #[serde(flatten)]
    name: StatementName<'e>,
    policy_type: String,
    file: &'e str,
    effect: String,
    line: usize,
    column: usize,
    matches: bool,
    elements: Vec<ElementReport<'e>>,
}

#[derive(Serialize)]
struct ElementReport<'e> {
    element: &'static str,
    matches: bool,
    /// What was compared, and how it came out.
    text: &'e str,
    line: usize,
    column: usize,
}

impl<'e> Report<'e> {
    fn new(explanation: &'e Explanation) -> Report<'e> {
        let (request, decision) = (explanation.request(), explanation.decision());
        let name = |trace: &'e StatementTrace| StatementName::from(trace.statement());
        Report {
            decision: decision.verdict.to_string(),
            reason: decision.reason.sentence(&request.action),
            principal: request.principal.to_string(),
            action: &request.action,
            resource: &request.resource,
            context: request.context.iter().collect(),
            certain: decision.is_certain(),
            missing_context: &decision.missing_context,
            by: explanation.deciding().map(name).collect(),
            near_misses: explanation.near_misses().into_iter().map(name).collect(),
            statements: explanation.statements().iter().map(StatementReport::new).collect(),
        }
    }
}

impl<'e> StatementReport<'e> {
    fn new(trace: &'e StatementTrace) -> StatementReport<'e> {
        let statement = trace.statement();
        let source = statement.policy().source();
        let location = statement.location();
        StatementReport {
            name: statement.into(),
            policy_type: statement.policy_type().to_string(),
            file: source.name(),
            effect: statement.statement().effect().to_string(),
            line: location.line,
            column: location.column,
            matches: trace.matches(),
            elements: trace.elements().iter().map(|element| ElementReport::new(element, source)).collect(),
        }
    }
}

impl<'e> ElementReport<'e> {
    fn new(trace: &'e ElementTrace, source: &Source) -> ElementReport<'e> {
        let location = source.location(trace.span().start);
        ElementReport {
            element: trace.element(),
            matches: trace.matches(),
            text: trace.text(),
            line: location.line,
            column: location.column,
        }
    }
}
