//! One IAM call's facts, and the checks that several operations share.

use iam_policy::{Policy, PolicyKind};

use super::named::Entity;
use crate::call::Call;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::wire::query::Parameters;
use crate::wire::xml::Xml;

/// A call to IAM.
pub(crate) struct Input<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) parameters: Parameters<'a>,
}

impl Input<'_> {
    /// A name that AWS would accept for a new resource.
    pub(super) fn name(&self, parameter: &'static str, longest: usize) -> Result<&str, Fault> {
        let name = self.parameters.required(parameter)?;
        self.parameters.check_length(parameter, 1..=longest)?;
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
        self.parameters.check_length(parameter, 1..=512)?;
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

    /// The other name that a resource is to have.
    pub(super) fn new_name(&self, parameter: &'static str, longest: usize) -> Result<Option<&str>, Fault> {
        self.parameters.optional(parameter).map(|_| self.name(parameter, longest)).transpose()
    }

    /// The other path that a resource is to have.
    pub(super) fn new_path(&self) -> Result<Option<&str>, Fault> {
        self.parameters.optional("NewPath").map(|_| self.path("NewPath")).transpose()
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

    /// One page of resources, in the order of names, from `Marker` on and at most `MaxItems`.
    pub(super) fn list<'t, T: Entity + 't>(
        &self,
        all: impl Iterator<Item = &'t T>,
        list: &str,
        xml: &mut Xml,
        write: impl Fn(&T, &mut Xml),
    ) -> Result<(), Fault> {
        let prefix = self.path("PathPrefix")?;
        let wanted = all.filter(|entity| entity.head().path.starts_with(prefix));
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
        let (size, after) = self.window()?;
        let mut page = Vec::new();
        for item in items {
            if after.as_ref().is_some_and(|after| name(&item) <= *after) {
                continue;
            }
            if page.len() == size {
                let marker = page.last().map(|last| hex::encode(name(last)));
                return Ok((page, marker));
            }
            page.push(item);
        }
        Ok((page, None))
    }

    /// How many items a page is to have, and the name that it comes after.
    fn window(&self) -> Result<(usize, Option<String>), Fault> {
        let size = self.parameters.number("MaxItems", 1..=1000_u16)?.map_or(100, usize::from);
        let Some(marker) = self.parameters.optional("Marker") else { return Ok((size, None)) };
        let name = hex::decode(marker).ok().and_then(|name| String::from_utf8(name).ok());
        Ok((size, Some(name.ok_or_else(|| Fault::validation("Invalid Marker."))?)))
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
    endpoint.policy(text, kind).map_err(|diagnostics| Fault::malformed_policy(diagnostics.to_string()))
}
