//! One IAM call's facts, and the checks that several operations share.

use iam_policy::{Policy, PolicyKind};

use super::named::{Entity, Head, Named};
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

    /// One page of the resources that are wanted, in the order of names.
    pub(super) fn list<T: Entity>(
        &self,
        all: &Named<T>,
        is_wanted: &dyn Fn(&T) -> bool,
        list: &str,
        xml: &mut Xml,
        write: &dyn Fn(&T, &mut Xml),
    ) -> Result<(), Fault> {
        let (prefix, mut page) = (self.path("PathPrefix")?, self.page()?);
        xml.element(list, |xml| {
            for entity in all.iter() {
                let Head { path, name, .. } = entity.head();
                if path.starts_with(prefix) && is_wanted(entity) && page.takes(&name.to_ascii_lowercase()) {
                    xml.element("member", |xml| write(entity, xml));
                }
            }
        });
        page.end(xml);
        Ok(())
    }

    /// The page that is asked for: from `Marker` on, and at most `MaxItems`.
    pub(super) fn page(&self) -> Result<Page, Fault> {
        let size = self.parameters.number("MaxItems", 1..=1000_u16)?.map_or(100, usize::from);
        let mut page = Page { size, after: None, taken: 0, last: String::new(), is_truncated: false };
        if let Some(marker) = self.parameters.optional("Marker") {
            let name = hex::decode(marker).ok().and_then(|name| String::from_utf8(name).ok());
            page.after = Some(name.ok_or_else(|| Fault::validation("Invalid Marker."))?);
        }
        Ok(page)
    }
}

/// One page of a list.
pub(super) struct Page {
    size: usize,
    /// What the last item of the page before is called.
    after: Option<String>,
    taken: usize,
    last: String,
    is_truncated: bool,
}

impl Page {
    /// Whether an item is of the page; items come in the order of their names.
    pub(super) fn takes(&mut self, name: &str) -> bool {
        if self.after.as_ref().is_some_and(|after| name <= after.as_str()) {
            return false;
        }
        if self.taken == self.size {
            self.is_truncated = true;
            return false;
        }
        self.taken += 1;
        name.clone_into(&mut self.last);
        true
    }

    /// Tells whether there is more, and where it goes on.
    pub(super) fn end(&self, xml: &mut Xml) {
        xml.leaf("IsTruncated", if self.is_truncated { "true" } else { "false" });
        if self.is_truncated {
            xml.leaf("Marker", &hex::encode(&self.last));
        }
    }
}

/// Whether policies together measure more than IAM allows, in characters other than white space.
pub(super) fn exceed(most: usize, policies: &[&Policy]) -> bool {
    let (mut bytes, mut characters) = (0, 0);
    for policy in policies {
        bytes += policy.source().fragment().len();
    }
    // There are never fewer bytes than characters, and they need no counting.
    if bytes <= most {
        return false;
    }
    for policy in policies {
        characters += policy.characters();
    }
    characters > most
}

/// Checks a policy document as IAM and STS do.
pub(crate) fn check_policy(endpoint: &Shared, text: &str, kind: PolicyKind) -> Result<Policy, Fault> {
    endpoint.policy(text, kind).map_err(|diagnostics| Fault::malformed_policy(diagnostics.to_string()))
}
