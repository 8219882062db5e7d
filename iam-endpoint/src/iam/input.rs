//! One IAM call's facts, and the checks that several operations share.

use http::StatusCode;
use iam_policy::{Policy, PolicyKind};

use super::state::{Entity, Named};
use crate::call::Call;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::query::Parameters;
use crate::xml::Xml;

/// A call to IAM.
pub(super) struct Input<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) parameters: Parameters<'a>,
}

impl Input<'_> {
    /// A name that AWS would accept for a new resource.
    pub(super) fn name(&self, parameter: &'static str, longest: usize) -> Result<&str, Fault> {
        let name = self.parameters.required(parameter)?;
        if name.len() > longest {
            return Err(Fault::violated(
                parameter,
                name,
                &format!("Member must have length less than or equal to {longest}"),
            ));
        }
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)) {
            return Err(Fault::violated(
                parameter,
                name,
                r"Member must satisfy regular expression pattern: [\w+=,.@-]+",
            ));
        }
        Ok(name)
    }

    /// The path of a new resource, or the prefix of those to list.
    pub(super) fn path(&self, parameter: &'static str) -> Result<&str, Fault> {
        let path = self.parameters.optional(parameter).unwrap_or("/");
        if path.len() > 512 {
            return Err(Fault::violated(
                parameter,
                path,
                "Member must have length less than or equal to 512",
            ));
        }
        let is_whole = parameter == "PathPrefix" || path.ends_with('/');
        if !path.starts_with('/') || !is_whole || !path.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
            return Err(Fault::validation(format!(
                "The specified value for {} is invalid. It must begin and end with / and contain only alphanumeric \
                 characters and/or / characters.",
                parameter.to_ascii_lowercase()
            )));
        }
        Ok(path)
    }

    /// The user that is named, or the one who calls.
    pub(super) fn user_name(&self) -> Result<&str, Fault> {
        match (self.parameters.optional("UserName"), self.call.caller.user_name()) {
            (Some(name), _) | (None, Some(name)) => Ok(name),
            (None, None) => {
                Err(Fault::validation("Must specify userName when calling with non-User credentials"))
            }
        }
    }

    /// A policy document among the parameters, checked.
    pub(super) fn policy(&self, parameter: &'static str, kind: PolicyKind) -> Result<Policy, Fault> {
        check_policy(self.call.endpoint, self.parameters.required(parameter)?, kind)
    }

    /// One page of what `T` there is, in the order of names, from `Marker` on and at most `MaxItems`.
    pub(super) fn list<T: Entity>(
        &self,
        all: &Named<T>,
        list: &str,
        xml: &mut Xml,
        wanted: impl Fn(&T) -> bool,
        write: impl Fn(&T, &mut Xml),
    ) -> Result<(), Fault> {
        let prefix = self.path("PathPrefix")?;
        let wanted = all.iter().filter(|entity| entity.head().path.starts_with(prefix) && wanted(entity));
        let (page, marker) = self.page(wanted, |entity| entity.head().name.to_ascii_lowercase())?;
        xml.element(list, |xml| {
            for entity in page {
                xml.element("member", |xml| write(entity, xml));
            }
        });
        end_of_page(marker, xml);
        Ok(())
    }

    /// The items of one page, and the marker of the next.
    pub(super) fn page<T>(
        &self,
        items: impl Iterator<Item = T>,
        name: impl Fn(&T) -> String,
    ) -> Result<(Vec<T>, Option<String>), Fault> {
        let size = match self.parameters.optional("MaxItems") {
            None => 100,
            Some(text) => text
                .parse()
                .ok()
                .filter(|size| (1..=1000).contains(size))
                .ok_or_else(|| Fault::violated("MaxItems", text, "Member must be between 1 and 1000"))?,
        };
        let after = match self.parameters.optional("Marker") {
            None => None,
            Some(marker) => {
                let name = hex::decode(marker).ok().and_then(|name| String::from_utf8(name).ok());
                Some(name.ok_or_else(|| Fault::validation("Invalid Marker."))?)
            }
        };
        let is_after = |item: &T| after.as_ref().is_none_or(|after| name(item) > *after);
        let mut page: Vec<T> = items.filter(is_after).take(size + 1).collect();
        let more = page.len() > size;
        page.truncate(size);
        let marker = page.last().filter(|_| more).map(|last| hex::encode(name(last)));
        Ok((page, marker))
    }
}

pub(super) fn end_of_page(marker: Option<String>, xml: &mut Xml) {
    xml.leaf("IsTruncated", if marker.is_some() { "true" } else { "false" });
    if let Some(marker) = marker {
        xml.leaf("Marker", &marker);
    }
}

/// Whether policies together measure more than IAM allows, in characters other than white space.
pub(super) fn exceed<'p>(most: usize, policies: impl Iterator<Item = &'p Policy> + Clone) -> bool {
    // There are never fewer bytes than characters, and they need no counting.
    let bytes: usize = policies.clone().map(|policy| policy.source().fragment().len()).sum();
    bytes > most && policies.map(Policy::characters).sum::<usize>() > most
}

/// Checks a policy document as IAM and STS do.
pub(crate) fn check_policy(endpoint: &Shared, text: &str, kind: PolicyKind) -> Result<Policy, Fault> {
    endpoint.policy(text, kind).map_err(|diagnostics| {
        Fault::new(StatusCode::BAD_REQUEST, "MalformedPolicyDocument", diagnostics.to_string())
    })
}
