//! The condition keys that policies ask for.

use iam_policy::{Policy, PolicyKind};

use super::subject::{Subject, parse};
use crate::fault::Fault;
use crate::iam::input::Input;
use crate::wire::xml::Xml;

pub(in crate::iam) fn custom_context_keys(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let texts = input.parameters.list("PolicyInputList");
    if texts.is_empty() {
        return Err(Fault::missing("PolicyInputList"));
    }
    let mut policies = Vec::with_capacity(texts.len());
    for text in texts {
        policies.push(parse(text, PolicyKind::Identity)?);
    }
    write(&policies.iter().collect::<Vec<_>>(), xml);
    Ok(())
}

pub(in crate::iam) fn principal_context_keys(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    write(&Subject::of_principal(input)?.all(), xml);
    Ok(())
}

/// Each key once, in the order and the case in which the policies first name it.
fn write(policies: &[&Policy], xml: &mut Xml) {
    let mut names: Vec<&str> = Vec::new();
    for policy in policies {
        for statement in policy.statements() {
            for (key, _) in statement.condition_keys() {
                if !names.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                    names.push(key);
                }
            }
        }
    }
    xml.element("ContextKeyNames", |xml| {
        for name in names {
            xml.leaf("member", name);
        }
    });
}
