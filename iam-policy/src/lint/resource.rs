//! Resources that do not fit the actions of their statement.

use std::cmp::Reverse;

use super::Subject;
use crate::arn::Arn;
use crate::catalogue::{self, AccessLevel, Action, ActionResource, ResourceType, Service};
use crate::diagnostic::{Diagnostic, quoted};
use crate::document::{Clause, Item};
use crate::pattern::Pattern;

pub(super) fn resource_type(subject: &Subject<'_>) -> Vec<Diagnostic> {
    misfits(subject)
        .filter_map(|misfit| {
            let types = || {
                misfit.actions.iter().flat_map(|action| action.resources()).map(ActionResource::resource_type)
            };
            let example = misfit.nearest(types().flat_map(ResourceType::arn_formats))?;
            let mut names: Vec<&str> = types().map(ResourceType::name).collect();
            names.sort_unstable();
            names.dedup();
            let message = format!("`{}` acts on no resource of this statement", misfit.action.text);
            let finding = subject
                .finding(message, misfit.action.span, format!("acts on {}", quoted(names)))
                .help(format!("name such a resource: `{example}`"));
            Some(subject.beside(finding, misfit.resources.span, misfit.found()))
        })
        .collect()
}

pub(super) fn wildcard_only(subject: &Subject<'_>) -> Vec<Diagnostic> {
    misfits(subject)
        .filter(|misfit| misfit.actions.iter().all(|action| action.resources().next().is_none()))
        .map(|misfit| {
            let message = format!("`{}` acts on no particular resource", misfit.action.text);
            let finding = subject.finding(message, misfit.action.span, "").help(
                "give it `\"Resource\": \"*\"`, in a statement of its own where other actions keep theirs",
            );
            subject.beside(finding, misfit.resources.span, "so that this never matches")
        })
        .collect()
}

/// An action, or a pattern of some, none of which acts on a resource of its statement.
struct Misfit<'p> {
    action: &'p Item<Pattern>,
    actions: Vec<Action>,
    resources: &'p Clause<Pattern>,
}

impl Misfit<'_> {
    /// The format of an ARN that is most like what is written: global or not, of an account or not.
    fn nearest(&self, formats: impl Iterator<Item = &'static str>) -> Option<&'static str> {
        let written = self.resources.items.first().and_then(|item| Arn::parse(&item.text));
        let likeness = |format: &&str| {
            let (Some(format), Some(written)) = (Arn::parse(format), written) else { return 0 };
            [
                (format.service, written.service),
                (format.region, written.region),
                (format.account, written.account),
            ]
            .iter()
            .filter(|(format, written)| format == written || !format.is_empty() && !written.is_empty())
            .count()
        };
        // Of formats that are as near, the first.
        formats.min_by_key(|format| Reverse(likeness(format)))
    }

    /// What the resources are, where AWS knows.
    fn found(&self) -> String {
        let types = self.resources.items.iter().flat_map(|item| {
            let service = Arn::parse(&item.text).and_then(|arn| catalogue::service(arn.service));
            let types = service.into_iter().flat_map(Service::resource_types);
            types.filter(|of| of.matches(&item.text))
        });
        let mut names: Vec<&str> = types.map(ResourceType::name).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() { String::new() } else { format!("this is {}", quoted(names)) }
    }
}

fn misfits<'p>(subject: &Subject<'p>) -> impl Iterator<Item = Misfit<'p>> {
    let clauses = subject.statements.iter().filter_map(|statement| {
        let resources = statement.resource.as_ref()?;
        let plain = !statement.action.negated && !resources.negated;
        (plain && !resources.items.iter().any(|item| is_any(&item.text)))
            .then_some((&statement.action, resources))
    });
    clauses.flat_map(|(actions, resources)| {
        actions.items.iter().filter(|item| *item.text != *"*").filter_map(move |action| {
            let actions: Vec<Action> = catalogue::expand(&action.text).collect();
            let fits = |one: &Action| resources.items.iter().any(|item| acts_on(*one, &item.text));
            (!actions.is_empty() && !actions.iter().any(fits)).then_some(Misfit {
                action,
                actions,
                resources,
            })
        })
    })
}

fn acts_on(action: Action, resource: &str) -> bool {
    let mut types = action.resources().peekable();
    // Of the resources that take tags, the Reference leaves out many.
    if action.access_level() == AccessLevel::Tagging {
        let formats = types.flat_map(|on| on.resource_type().arn_formats());
        return Arn::parse(resource)
            .is_some_and(|arn| formats.filter_map(Arn::parse).any(|format| format.service == arn.service));
    }
    if types.peek().is_none() {
        // S3 takes `arn:aws:s3:::*` for all there is, and so may others.
        return resource.rsplit(':').next() == Some("*");
    }
    types.any(|on| on.resource_type().matches(resource))
}

/// Whether it stands for resources of every kind, or is none of the ARNs that the Reference describes.
fn is_any(resource: &str) -> bool {
    !resource.starts_with("arn:")
}
