//! Reads a line: who asks for what, and which policies apply.

use std::borrow::Cow;
use std::rc::Rc;

use iam_policy::{Context, Policies, Policy, PolicyKind, PolicySet, Principal, Request, near};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::lines::LONGEST;
use super::members::{Members, Text};
use super::policies::KnownPolicies;
use super::problem::Problem;
use crate::request;

/// What a line asks.
pub(super) struct Question<'l> {
    /// As it is written; `null` where the line has none.
    pub(super) id: &'l RawValue,
    /// Or all that is wrong with it.
    pub(super) asked: Result<(Rc<PolicySet>, Request), Vec<Problem>>,
}

impl<'l> Question<'l> {
    pub(super) fn read(line: &'l [u8], number: usize, policies: &mut KnownPolicies) -> Question<'l> {
        let mut reader = Reader { number, line, policies, problems: Vec::new() };
        let (id, asked) = match reader.line() {
            Some(members) => {
                let id = members.0.iter().find(|(name, _)| name == "id").map_or(RawValue::NULL, |(_, id)| id);
                (id, reader.question(members))
            }
            None => (RawValue::NULL, None),
        };
        let asked =
            if reader.problems.is_empty() { asked.ok_or_else(Vec::new) } else { Err(reader.problems) };
        Question { id, asked }
    }
}

/// The members of a line, and those of its parts.
const LINE: [&str; 7] = ["id", "principal", "action", "resource", "resourceAccount", "context", "policies"];
const PRINCIPAL: [&str; 4] = ["arn", "account", "roleArn", "userArn"];
const POLICIES: [&str; 6] = ["identity", "resource", "boundary", "session", "scps", "rcps"];

/// A line, and what was found to be wrong with it. A method that finds something answers `None`.
struct Reader<'l, 'p> {
    number: usize,
    line: &'l [u8],
    policies: &'p mut KnownPolicies,
    problems: Vec<Problem>,
}

impl<'l> Reader<'l, '_> {
    fn line(&mut self) -> Option<Members<'l>> {
        if self.number == 1 {
            // Some editors begin a file with a byte order mark.
            self.line = self.line.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(self.line);
        }
        if self.line.len() > LONGEST {
            let message = format!("the line is longer than {} MiB", LONGEST >> 20);
            return self.problem_at(0, "decide::too-long", message);
        }
        let text = match std::str::from_utf8(self.line) {
            Ok(text) => text,
            Err(error) => {
                return self.problem_at(error.valid_up_to(), "decide::utf-8", "the line is not UTF-8");
            }
        };
        match serde_json::from_str(text) {
            Ok(members) => Some(members),
            Err(error) => {
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                let offset = error.column().saturating_sub(1);
                self.problem_at(offset, "decide::json", format!("the line is not a JSON object: {message}"))
            }
        }
    }

    fn question(&mut self, members: Members<'l>) -> Option<(Rc<PolicySet>, Request)> {
        let [_, principal, action, resource, account, context, policy_set] = self.named(members, LINE, true);
        let principal = self.required(principal, "principal").and_then(|value| self.principal(value));
        let action = self.required(action, "action").and_then(|value| self.checked(value, request::action));
        let resource = self.required(resource, "resource");
        let resource = resource.and_then(|value| self.checked(value, request::resource));
        let resource_account = account.map(|value| self.checked(value, request::account));
        let context = context.map_or(Some(Context::new()), |value| self.context(value));
        let policy_set = self.required(policy_set, "policies");
        let policy_set = policy_set.and_then(|value| {
            let of_resource =
                resource.as_deref().map_or(PolicyKind::Resource, request::kind_of_resource_policy);
            self.policy_set(value, of_resource)
        });
        let request = Request {
            principal: principal?,
            action: action?,
            resource: resource?,
            resource_account: resource_account.flatten(),
            context: context?,
        };
        Some((policy_set?, request))
    }

    fn principal(&mut self, value: &'l RawValue) -> Option<Principal> {
        let members = self.members(value)?;
        let [arn, account, role, user] = self.named(members, PRINCIPAL, false);
        let text = match arn {
            Some(arn) => self.text(arn)?,
            None => match account.or(role).or(user) {
                Some(other) => return self.problem(other, MISSING, "`arn` is missing beside this"),
                None => return Some(Principal::Anonymous),
            },
        };
        let at = arn.unwrap_or(value);
        let role = role.map_or(Some(None), |role| self.text(role).map(Some))?;
        let user = user.map_or(Some(None), |user| self.text(user).map(Some))?;
        let principal = request::principal(&text)
            .and_then(|principal| request::behind(principal, role.as_deref(), user.as_deref()));
        let principal = self.good(at, principal)?;
        if let Some(account) = account {
            let id = self.checked(account, request::account)?;
            if principal.account().is_some_and(|own| own != id) {
                return self.problem(account, VALUE, format!("`{text}` is not of account `{id}`"));
            }
        }
        Some(principal)
    }

    fn context(&mut self, value: &'l RawValue) -> Option<Context> {
        // Keys are compared with each other: a hostile line could have a million of them.
        const MOST: usize = 1_000;
        let mut context = Context::new();
        let members = self.members(value)?.0;
        if members.len() > MOST {
            return self.problem(value, VALUE, format!("a request has at most {MOST} condition keys"));
        }
        for (key, value) in members {
            if context.lookup(&key).is_some() {
                return self.problem(value, DUPLICATE, format!("the condition key `{key}` is given twice"));
            }
            let values = match kind(value) {
                Kind::List => all(self.list(value)?.into_iter().map(|item| self.scalar(item)))?,
                _ => vec![self.scalar(value)?],
            };
            context.set_many(key.into_owned(), values);
        }
        Some(context)
    }

    /// A value of a condition key: numbers and booleans stand for their text.
    fn scalar(&mut self, value: &'l RawValue) -> Option<Cow<'l, str>> {
        match kind(value) {
            Kind::Text => self.text(value),
            Kind::Bool | Kind::Number => Some(Cow::Borrowed(value.get())),
            Kind::List | Kind::Null | Kind::Object => {
                self.problem(value, TYPE, "a condition key has strings, numbers, booleans, or a list of them")
            }
        }
    }

    fn policy_set(&mut self, value: &'l RawValue, of_resource: PolicyKind) -> Option<Rc<PolicySet>> {
        if let Some(known) = self.policies.known(value.get(), of_resource) {
            return Some(known);
        }
        let set = Rc::new(self.new_policy_set(value, of_resource)?);
        // A slip in a member's name leaves a policy set that must not pass the next time.
        if self.problems.is_empty() {
            self.policies.remember(value.get(), of_resource, &set);
        }
        Some(set)
    }

    fn new_policy_set(&mut self, value: &'l RawValue, of_resource: PolicyKind) -> Option<PolicySet> {
        let members = self.members(value)?;
        let [identity, resource, boundary, session, scps, rcps] = self.named(members, POLICIES, false);
        let identity = self.layer(identity, "identity", PolicyKind::Identity);
        let resource = match resource {
            Some(value) => self.policy(value, "resource", of_resource).map(Some),
            None => Some(None),
        };
        let boundary = self.layer(boundary, "boundary", PolicyKind::Boundary);
        let has_session = session.is_some();
        let session = self.layer(session, "session", PolicyKind::Session);
        let scps = self.levels(scps, "scps", PolicyKind::ServiceControl);
        let rcps = self.levels(rcps, "rcps", PolicyKind::ResourceControl);
        Some(PolicySet {
            identity: identity?,
            resource: resource?,
            boundary: boundary?,
            session: session.map(|policies| has_session.then_some(policies))?,
            scps: scps?,
            rcps: rcps?,
        })
    }

    fn levels(&mut self, value: Option<&'l RawValue>, name: &str, kind: PolicyKind) -> Option<Vec<Policies>> {
        let Some(value) = value else { return Some(Vec::new()) };
        let levels = self.list(value)?.into_iter().enumerate();
        all(levels.map(|(level, value)| self.layer(Some(value), &format!("{name}[{level}]"), kind)))
    }

    fn layer<L: Default + FromIterator<Policy>>(
        &mut self,
        value: Option<&'l RawValue>,
        name: &str,
        kind: PolicyKind,
    ) -> Option<L> {
        let Some(value) = value else { return Some(L::default()) };
        let items = self.list(value)?.into_iter().enumerate();
        all(items.map(|(index, item)| self.policy(item, &format!("{name}[{index}]"), kind)))
    }

    fn policy(&mut self, value: &'l RawValue, name: &str, kind: PolicyKind) -> Option<Policy> {
        let policy = self.policies.parse(value, kind);
        for problem in policy.as_ref().err().into_iter().flatten() {
            self.add(|_| Problem::of(name, problem));
        }
        policy.ok()
    }

    /// The members that have these names, each at most once. A `null` is as none.
    ///
    /// Where other members are `free`, they are the user's own notes, but for such as look like a slip of one that is not
    /// there.
    fn named<const N: usize>(
        &mut self,
        members: Members<'l>,
        names: [&'static str; N],
        free: bool,
    ) -> [Option<&'l RawValue>; N] {
        let mut found = [None; N];
        let mut others = Vec::new();
        for (name, value) in members.0 {
            match found.iter_mut().zip(names).find(|(_, known)| name == *known) {
                Some((place, _)) if place.is_some() => {
                    self.problem::<()>(value, DUPLICATE, format!("the member `{name}` is given twice"));
                }
                Some((place, _)) => *place = Some(value),
                None => others.push((name, value)),
            }
        }
        for (name, value) in others {
            let missing = names.into_iter().zip(found).filter(|(_, value)| value.is_none());
            let help = match near(&name, missing.map(|(name, _)| name)).first() {
                Some(near) => format!("did you mean `{near}`?"),
                None if free => continue,
                None => format!("there is `{}`", names.join("`, `")),
            };
            self.problem::<()>(value, UNKNOWN, format!("there is no member `{name}`; {help}"));
        }
        found.map(|value| value.and_then(present))
    }

    fn required(&mut self, value: Option<&'l RawValue>, name: &str) -> Option<&'l RawValue> {
        value.or_else(|| self.problem_at(0, MISSING, format!("`{name}` is missing")))
    }

    fn checked<T>(&mut self, value: &'l RawValue, check: fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(value)?;
        self.good(value, check(&text))
    }

    fn good<T>(&mut self, value: &'l RawValue, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|message| self.problem::<()>(value, VALUE, message)).ok()
    }

    fn text(&mut self, value: &'l RawValue) -> Option<Cow<'l, str>> {
        self.typed(value, "a string").map(|Text(text)| text)
    }

    fn list(&mut self, value: &'l RawValue) -> Option<Vec<&'l RawValue>> {
        self.typed(value, "a list")
    }

    fn members(&mut self, value: &'l RawValue) -> Option<Members<'l>> {
        self.typed(value, "an object")
    }

    fn typed<T: Deserialize<'l>>(&mut self, value: &'l RawValue, expected: &str) -> Option<T> {
        serde_json::from_str(value.get())
            .map_err(|_| self.problem::<()>(value, TYPE, format!("this is not {expected}")))
            .ok()
    }

    fn problem<T>(&mut self, at: &'l RawValue, code: &'static str, message: impl Into<String>) -> Option<T> {
        // The value's text is a part of the line.
        let offset = at.get().as_ptr().addr().saturating_sub(self.line.as_ptr().addr());
        self.problem_at(offset, code, message)
    }

    fn problem_at<T>(&mut self, offset: usize, code: &'static str, message: impl Into<String>) -> Option<T> {
        self.add(|reader| Problem::at((reader.number, reader.line), offset, code, message));
        None
    }

    /// Nobody reads more than so many, and a hostile line could have millions.
    const MOST: usize = 64;

    fn add(&mut self, problem: impl FnOnce(&Self) -> Problem) {
        if self.problems.len() < Self::MOST {
            self.problems.push(problem(self));
        }
    }
}

const DUPLICATE: &str = "decide::duplicate";
const MISSING: &str = "decide::missing";
const TYPE: &str = "decide::type";
const UNKNOWN: &str = "decide::unknown";
const VALUE: &str = "decide::value";

enum Kind {
    Bool,
    List,
    Null,
    Number,
    Object,
    Text,
}

/// What a value is: its first character tells.
fn kind(value: &RawValue) -> Kind {
    match value.get().bytes().next() {
        Some(b'"') => Kind::Text,
        Some(b'[') => Kind::List,
        Some(b'{') => Kind::Object,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

/// All of them, asked for to the last, so that every problem is seen.
fn all<T, L: FromIterator<T>>(values: impl Iterator<Item = Option<T>>) -> Option<L> {
    let values: Vec<Option<T>> = values.collect();
    values.into_iter().collect()
}

fn present(value: &RawValue) -> Option<&RawValue> {
    (!matches!(kind(value), Kind::Null)).then_some(value)
}
