//! Deciding each action on each resource.

use iam_policy::{
    Arn, Context, Decision, Policy, PolicyKind, PolicySet, Principal, Request, Verdict, catalogue,
};

use super::answer::{Answer, Finding};
use super::subject::Subject;
use crate::fault::Fault;
use crate::iam::input::Input;
use crate::wire::xml::Xml;

pub(in crate::iam) fn custom(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    if input.parameters.list("PolicyInputList").is_empty() {
        return Err(Fault::missing("PolicyInputList"));
    }
    Simulation::read(input, Subject::of_request(input)?)?.run(input, xml)
}

pub(in crate::iam) fn principal(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    Simulation::read(input, Subject::of_principal(input)?)?.run(input, xml)
}

/// What leaves the decision to other types of policies.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// What is asked.
struct Simulation<'a> {
    subject: Subject,
    actions: Vec<&'a str>,
    resources: Vec<&'a str>,
    context: Context,
    /// The account that the resources belong to, if the request says so.
    owner: Option<String>,
}

impl<'a> Simulation<'a> {
    fn read(input: &'a Input<'_>, mut subject: Subject) -> Result<Self, Fault> {
        let actions = input.parameters.list("ActionNames");
        if actions.is_empty() {
            return Err(Fault::missing("ActionNames"));
        }
        if let Some(action) = actions.iter().find(|action| !is_action(action)) {
            return Err(Fault::invalid_input(format!("Invalid action name: {action}")));
        }
        if let Some(arn) = input.parameters.optional("CallerArn") {
            let caller = Principal::from_arn(arn).filter(|caller| matches!(caller, Principal::User { .. }));
            subject.principal = caller.ok_or_else(|| {
                Fault::invalid_input(format!("CallerArn {arn} is not the ARN of an IAM user."))
            })?;
        } else if subject.policies.resource.is_some() && !is_named_user(&subject.principal) {
            return Err(Fault::invalid_input("CallerArn is required if a ResourcePolicy is specified."));
        }
        let mut context = subject.context.clone();
        add_entries(input, &mut context)?;
        let owner = match input.parameters.optional("ResourceOwner") {
            None => None,
            Some(owner) => Some(account_of(owner)?),
        };
        Ok(Self { subject, actions, resources: input.parameters.list("ResourceArns"), context, owner })
    }

    fn run(self, input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
        let mut page = input.page()?;
        xml.element("EvaluationResults", |xml| {
            for (index, action) in self.actions.iter().enumerate() {
                if page.takes(&format!("{index:08}")) {
                    xml.element("member", |xml| self.answer(action).write(xml));
                }
            }
        });
        page.end(xml);
        Ok(())
    }

    fn answer(&self, action: &'a str) -> Answer<'_> {
        let findings = if self.resources.is_empty() { vec!["*"] } else { self.resources.clone() };
        let findings = findings.into_iter().map(|resource| self.find(action, resource)).collect();
        Answer { action, resource: self.resource_name(action), findings, resources: self.resources.len() }
    }

    fn find(&self, action: &str, resource: &'a str) -> Finding<'_> {
        let policies = &self.subject.policies;
        let request = self.request(action, resource);
        let decision = policies.decide(&request);
        let bounded = (!policies.boundary.is_empty()).then(|| {
            let alone = PolicySet { identity: policies.boundary.clone().into(), ..PolicySet::default() };
            let owner = self.subject.principal.account().map(str::to_owned);
            alone.decide(&Request { resource_account: owner, ..request.clone() }).is_allowed()
        });
        let by_organization = (!policies.scps.is_empty()).then(|| {
            let everything = Policy::parse(EVERYTHING, PolicyKind::Identity).ok();
            let identity = everything.into_iter().collect::<Vec<_>>().into();
            let alone = PolicySet { identity, scps: policies.scps.clone(), ..PolicySet::default() };
            alone.decide(&request).is_allowed()
        });
        let by_type = self.by_type(&request);
        Finding { subject: &self.subject, resource, decision, bounded, by_organization, by_type }
    }

    /// How each type of policy takes a request across accounts, where both have to allow.
    fn by_type(&self, request: &Request) -> Vec<(&'static str, Verdict)> {
        let own = request.principal.account();
        let owner = request.resource_account.as_deref();
        let Some(policy) =
            self.subject.policies.resource.as_ref().filter(|_| owner.is_some() && owner != own)
        else {
            return Vec::new();
        };
        // Asked alone, each type is asked as within one account.
        let request = Request { resource_account: own.map(str::to_owned), ..request.clone() };
        let identity = PolicySet { resource: None, ..self.subject.policies.clone() };
        let resource = PolicySet { resource: Some(policy.clone()), ..PolicySet::default() };
        let verdict = |policies: PolicySet| -> Decision { policies.decide(&request) };
        vec![("IAM Policy", verdict(identity).verdict), ("Resource Policy", verdict(resource).verdict)]
    }

    fn request(&self, action: &str, resource: &str) -> Request {
        let of_arn = Arn::parse(resource).map(|arn| arn.account.to_owned()).filter(|id| !id.is_empty());
        Request {
            principal: self.subject.principal.clone(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            resource_account: self
                .owner
                .clone()
                .or(of_arn.filter(|_| self.subject.policies.resource.is_some()))
                .or_else(|| self.subject.principal.account().map(str::to_owned)),
            context: self.context.clone(),
        }
    }

    /// Where several resources are asked about, AWS names the form that ARNs of the action's resources have.
    fn resource_name(&self, action: &str) -> String {
        match self.resources.as_slice() {
            [] => "*".to_owned(),
            [one] => (*one).to_owned(),
            [first, ..] => {
                let partition = Arn::parse(first).map_or("aws", |arn| arn.partition);
                let types = catalogue::action(action).into_iter().flat_map(catalogue::Action::resources);
                let mut types = types.map(catalogue::ActionResource::resource_type);
                let format = types.find(|of| of.matches(first)).and_then(|of| of.arn_formats().next());
                format.map_or_else(|| "*".to_owned(), |format| format.replace("${Partition}", partition))
            }
        }
    }
}

fn is_action(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let parts = name.split_once(':').map(|(service, action)| [service, action]);
    parts.is_some_and(|parts| parts.iter().all(|part| !part.is_empty() && part.bytes().all(allowed)))
}

fn is_named_user(principal: &Principal) -> bool {
    matches!(principal, Principal::User { arn } if !arn.ends_with('*'))
}

/// An account's number, or that in an ARN.
fn account_of(owner: &str) -> Result<String, Fault> {
    let account = Arn::parse(owner).map_or(owner, |arn| arn.account);
    if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(account.to_owned());
    }
    Err(Fault::invalid_input(format!("ResourceOwner {owner} names no account.")))
}

fn add_entries(input: &Input<'_>, context: &mut Context) -> Result<(), Fault> {
    let entries = input.parameters.members("ContextEntries", ["ContextKeyName", "ContextKeyType"]);
    for (index, [name, kind]) in entries.into_iter().enumerate() {
        let name = name.ok_or_else(|| Fault::missing("ContextKeyName"))?;
        let values = input.parameters.list(&format!("ContextEntries.member.{}.ContextKeyValues", index + 1));
        check_values(name, kind.unwrap_or("string"), &values)?;
        context.set_many(name.to_owned(), values);
    }
    Ok(())
}

/// Whether the values of a key are of the type that the request says.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ContextEntry.html>
fn check_values(key: &str, kind: &str, values: &[&str]) -> Result<(), Fault> {
    let (kind, is_list) = kind.strip_suffix("List").map_or((kind, false), |kind| (kind, true));
    let fits: fn(&str) -> bool = match kind {
        "binary" => |text| base64_simd::STANDARD.check(text.as_bytes()).is_ok(),
        "boolean" => |text| ["true", "false"].contains(&text.to_ascii_lowercase().as_str()),
        "date" => |text| text.contains('-') || text.bytes().all(|b| b.is_ascii_digit()),
        "ip" => |text| {
            let (address, width) = text.split_once('/').unwrap_or((text, "0"));
            address.parse::<std::net::IpAddr>().is_ok() && width.parse::<u8>().is_ok()
        },
        "numeric" => |text| text.parse::<f64>().is_ok_and(f64::is_finite),
        "string" => |_| true,
        _ => {
            let words = "string, stringList, numeric, numericList, boolean, booleanList, ip, ipList, binary, binaryList, \
                         date, dateList";
            let rule = format!("Member must satisfy enum value set: [{words}]");
            return Err(Fault::violated("ContextKeyType", kind, &rule));
        }
    };
    if !is_list && values.len() > 1 {
        return Err(Fault::invalid_input(format!(
            "Context key {key} of type {kind} has more than one value."
        )));
    }
    if let Some(value) = values.iter().find(|value| !fits(value)) {
        return Err(Fault::invalid_input(format!(
            "Context key {key} has the value {value}, which is not of type {kind}."
        )));
    }
    Ok(())
}
