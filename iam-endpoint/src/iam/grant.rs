//! What a user or a role has been given: inline policies, attached policies and a permissions boundary.

use iam_policy::{Policy, PolicyKind};

use super::input::{Input, exceed};
use super::named::{Entity, capitalized};
use super::state::State;
use crate::fault::Fault;
use crate::sorted::Sorted;
use crate::wire::digits::eight;
use crate::wire::xml::Xml;

/// How many managed policies can be attached to a role or a user.
const MOST_ATTACHED: usize = 10;

/// The policies of a user or a role.
#[derive(Clone, Default)]
pub(crate) struct Grants {
    pub(crate) inline: Sorted<Policy>,
    /// ARNs, in the order of attaching.
    pub(crate) attached: Vec<String>,
    /// The boundary's ARN.
    pub(crate) boundary: Option<String>,
}

impl Grants {
    /// Why their holder cannot be deleted yet.
    pub(super) fn check_empty(&self) -> Result<(), Fault> {
        let conflict =
            |what: &str| Fault::delete_conflict(format!("Cannot delete entity, must {what} first."));
        if !self.attached.is_empty() {
            return Err(conflict("detach all policies"));
        }
        if !self.inline.is_empty() {
            return Err(conflict("delete policies"));
        }
        Ok(())
    }
}

/// Who can be given policies.
pub(super) trait Grantee: Entity {
    /// What all inline policies together may measure, in characters other than white space.
    const MOST_INLINE: usize;

    fn grants(&self) -> &Grants;
    fn grants_mut(&mut self) -> &mut Grants;

    /// Whether its policies may be changed.
    fn check_modifiable(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// Says that a kind of resource with `grants` can be given policies.
macro_rules! grantee {
    ($kind:ty, $most_inline:literal, { $($more:item)* }) => {
        impl $crate::iam::grant::Grantee for $kind {
            const MOST_INLINE: usize = $most_inline;

            fn grants(&self) -> &$crate::iam::grant::Grants {
                &self.grants
            }

            fn grants_mut(&mut self) -> &mut $crate::iam::grant::Grants {
                &mut self.grants
            }

            $($more)*
        }
    };
}
pub(super) use grantee;

pub(super) fn put_inline<T: Grantee>(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let name = input.name("PolicyName", 128)?;
    let policy = input.policy("PolicyDocument", PolicyKind::Identity)?;
    let mut iam = input.call.endpoint.iam_mut();
    let grantee = modifiable::<T>(&mut iam, input)?;
    if exceed(T::MOST_INLINE, &with(&grantee.grants().inline, name, &policy)) {
        return Err(Fault::limit(format!(
            "Maximum policy size of {} bytes exceeded for {} {}.",
            T::MOST_INLINE,
            T::WHAT,
            grantee.head().name
        )));
    }
    grantee.grants_mut().inline.insert(name.to_owned(), policy);
    Ok(())
}

/// All inline policies, once this one is among them.
fn with<'p>(inline: &'p Sorted<Policy>, name: &str, policy: &'p Policy) -> Vec<&'p Policy> {
    let mut all = vec![policy];
    for (other, policy) in inline.iter() {
        if other != name {
            all.push(policy);
        }
    }
    all
}

pub(super) fn read_inline<T: Grantee>(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let name = input.parameters.required("PolicyName")?;
    let iam = input.call.endpoint.iam();
    let grantee = iam.get::<T>(input)?;
    let policy = grantee.grants().inline.get(name).ok_or_else(|| no_inline::<T>(name))?;
    xml.leaf(T::PARAMETER, &grantee.head().name);
    xml.leaf("PolicyName", name);
    xml.leaf("PolicyDocument", &document(policy));
    Ok(())
}

pub(super) fn delete_inline<T: Grantee>(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let name = input.parameters.required("PolicyName")?;
    let mut iam = input.call.endpoint.iam_mut();
    let grantee = modifiable::<T>(&mut iam, input)?;
    grantee.grants_mut().inline.remove(name).map(drop).ok_or_else(|| no_inline::<T>(name))
}

pub(super) fn list_inline<T: Grantee>(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    write_names(&input.call.endpoint.iam().get::<T>(input)?.grants().inline, input, xml)
}

fn write_names(inline: &Sorted<Policy>, input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let mut page = input.page()?;
    xml.element("PolicyNames", |xml| {
        for name in inline.names() {
            if page.takes(name) {
                xml.leaf("member", name);
            }
        }
    });
    page.end(xml);
    Ok(())
}

pub(super) fn attach<T: Grantee>(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let arn = input.parameters.required("PolicyArn")?;
    let mut iam = input.call.endpoint.iam_mut();
    iam.managed_policy(arn)?;
    let grantee = modifiable::<T>(&mut iam, input)?;
    let attached = &mut grantee.grants_mut().attached;
    if attached.iter().any(|other| other == arn) {
        return Ok(());
    }
    if attached.len() >= MOST_ATTACHED {
        let quota = format!("PoliciesPer{}", capitalized(T::WHAT));
        return Err(Fault::limit(format!("Cannot exceed quota for {quota}: {MOST_ATTACHED}")));
    }
    attached.push(arn.to_owned());
    Ok(())
}

pub(super) fn detach<T: Grantee>(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let arn = input.parameters.required("PolicyArn")?;
    let mut iam = input.call.endpoint.iam_mut();
    let attached = &mut modifiable::<T>(&mut iam, input)?.grants_mut().attached;
    let at = attached.iter().position(|other| other == arn);
    let at = at.ok_or_else(|| Fault::no_such_entity(format!("Policy {arn} was not found.")))?;
    attached.remove(at);
    Ok(())
}

pub(super) fn list_attached<T: Grantee>(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let prefix = input.path("PathPrefix")?;
    let mut attached = input.call.endpoint.iam().get::<T>(input)?.grants().attached.clone();
    attached.retain(|arn| has_path(arn, prefix));
    write_page(attached, input, xml)
}

fn write_page(mut attached: Vec<String>, input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let mut page = input.page()?;
    attached.sort();
    xml.element("AttachedPolicies", |xml| {
        for arn in &attached {
            if page.takes(arn) {
                write_attached(arn, xml);
            }
        }
    });
    page.end(xml);
    Ok(())
}

/// Whether the path of a managed policy begins so.
pub(super) fn has_path(arn: &str, prefix: &str) -> bool {
    arn.split_once(":policy").is_some_and(|(_, path)| path.starts_with(prefix))
}

pub(super) fn write_attached(arn: &str, xml: &mut Xml) {
    xml.element("member", |xml| {
        xml.leaf("PolicyName", arn.rsplit('/').next().unwrap_or(arn));
        xml.leaf("PolicyArn", arn);
    });
}

/// Inline policies with their documents, as `GetAccountAuthorizationDetails` tells them.
pub(super) fn write_inline(grants: &Grants, xml: &mut Xml) {
    for (name, policy) in grants.inline.iter() {
        xml.element("member", |xml| {
            xml.leaf("PolicyName", name);
            xml.leaf("PolicyDocument", &document(policy));
        });
    }
}

pub(super) fn put_boundary<T: Grantee>(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let arn = input.parameters.required("PermissionsBoundary")?;
    let mut iam = input.call.endpoint.iam_mut();
    iam.managed_policy(arn)?;
    modifiable::<T>(&mut iam, input)?.grants_mut().boundary = Some(arn.to_owned());
    Ok(())
}

pub(super) fn delete_boundary<T: Grantee>(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let grantee = modifiable::<T>(&mut iam, input)?;
    let gone = grantee.grants_mut().boundary.take().map(drop);
    gone.ok_or_else(|| {
        let name = &grantee.head().name;
        Fault::no_such_entity(format!("{} {name} does not have a permission boundary.", capitalized(T::WHAT)))
    })
}

/// A new resource's grants: nothing but the boundary that it is made with.
pub(super) fn of_new(input: &Input<'_>, iam: &State) -> Result<Grants, Fault> {
    let boundary = input.parameters.optional("PermissionsBoundary");
    if let Some(arn) = boundary {
        iam.managed_policy(arn)?;
    }
    Ok(Grants { boundary: boundary.map(str::to_owned), ..Grants::default() })
}

pub(super) fn write_boundary(grants: &Grants, xml: &mut Xml) {
    if let Some(arn) = &grants.boundary {
        xml.element("PermissionsBoundary", |xml| {
            xml.leaf("PermissionsBoundaryType", "Policy");
            xml.leaf("PermissionsBoundaryArn", arn);
        });
    }
}

/// A document as IAM answers it: its text as it was put, percent-encoded.
pub(super) fn document(policy: &Policy) -> String {
    let text = policy.source().fragment();
    let mut encoded = Vec::with_capacity(2 * text.len());
    // As for decoding, patterns on slices: every CreateRole answers a document, and a debug build pays for each step.
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(*byte),
            _ => {
                let [_, _, _, _, _, _, high, low] = eight((*byte).into()).to_be_bytes();
                encoded.extend_from_slice(&[b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]);
            }
        }
    }
    String::from_utf8(encoded).unwrap_or_default()
}

fn modifiable<'s, T: Grantee>(iam: &'s mut State, input: &Input<'_>) -> Result<&'s mut T, Fault> {
    let grantee = iam.get_mut::<T>(input)?;
    grantee.check_modifiable()?;
    Ok(grantee)
}

fn no_inline<T: Grantee>(name: &str) -> Fault {
    Fault::no_such_entity(format!("The {} policy with name {name} cannot be found.", T::WHAT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_answered_with_everything_but_unreserved_characters_encoded() {
        let text = r#"{"Id": "é~_.-/", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
        let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
        let encoded = document(&policy);
        assert!(
            encoded.starts_with("%7B%22Id%22%3A%20%22%C3%A9~_.-%2F%22%2C%20%22Statement%22"),
            "{encoded}"
        );
        assert_eq!(crate::wire::query::percent_decode(&encoded).unwrap(), text);
    }
}
