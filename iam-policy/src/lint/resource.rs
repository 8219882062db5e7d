//! Resources that do not fit the actions of their statement.

use std::cmp::Reverse;

use super::Subject;
use crate::arn::Arn;
use crate::catalogue::{self, AccessLevel, Action};
use crate::diagnostic::{Diagnostic, quoted};
use crate::document::{Clause, Item};
use crate::order;
use crate::pattern::Pattern;

pub(super) fn resource_type(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for misfit in misfits(subject) {
        let (mut names, mut formats) = (Vec::new(), Vec::new());
        for action in &misfit.actions {
            for on in action.resources() {
                order::add(&mut names, on.resource_type().name());
                formats.extend(on.resource_type().arn_formats());
            }
        }
        let Some(example) = misfit.nearest(&formats) else { continue };
        let message = format!("`{}` acts on no resource of this statement", misfit.action.text);
        let finding = subject
            .finding(message, misfit.action.span, format!("acts on {}", quoted(names)))
            .help(format!("name such a resource: `{example}`"));
        found.push(subject.beside(finding, misfit.resources.span, misfit.found()));
    }
}

pub(super) fn wildcard_only(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for misfit in misfits(subject) {
        if misfit.actions.iter().any(|action| action.resources().next().is_some()) {
            continue;
        }
        let message = format!("`{}` acts on no particular resource", misfit.action.text);
        let finding = subject
            .finding(message, misfit.action.span, "")
            .help("give it `\"Resource\": \"*\"`, in a statement of its own where other actions keep theirs");
        found.push(subject.beside(finding, misfit.resources.span, "so that this never matches"));
    }
}

/// An action, or a pattern of some, none of which acts on a resource of its statement.
struct Misfit<'p> {
    action: &'p Item<Pattern>,
    actions: Vec<Action>,
    resources: &'p Clause<Pattern>,
}

impl Misfit<'_> {
    /// The format of an ARN that is most like what is written: global or not, of an account or not.
    fn nearest(&self, formats: &[&'static str]) -> Option<&'static str> {
        let written = self.resources.items.first().and_then(|item| Arn::parse(&item.text));
        let likeness = |format: &str| {
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
        formats.iter().copied().min_by_key(|format| Reverse(likeness(format)))
    }

    /// What the resources are, where AWS knows.
    fn found(&self) -> String {
        let mut names = Vec::new();
        for item in &self.resources.items {
            let service = Arn::parse(&item.text).and_then(|arn| catalogue::service(arn.service));
            let Some(service) = service else { continue };
            for of in service.resource_types().filter(|of| of.matches(&item.text)) {
                order::add(&mut names, of.name());
            }
        }
        if names.is_empty() { String::new() } else { format!("this is {}", quoted(names)) }
    }
}

fn misfits<'p>(subject: &Subject<'p>) -> Vec<Misfit<'p>> {
    let mut misfits = Vec::new();
    for statement in subject.statements {
        let Some(resources) = statement.resource.as_ref().filter(|resources| !resources.negated) else {
            continue;
        };
        if statement.action.negated || resources.items.iter().any(|item| is_any(&item.text)) {
            continue;
        }
        for action in statement.action.items.iter().filter(|item| *item.text != *"*") {
            let actions: Vec<Action> = catalogue::expand(&action.text).collect();
            let fits = |one: &Action| resources.items.iter().any(|item| acts_on(*one, &item.text));
            if !actions.is_empty() && !actions.iter().any(fits) {
                misfits.push(Misfit { action, actions, resources });
            }
        }
    }
    misfits
}

fn acts_on(action: Action, resource: &str) -> bool {
    // Of the resources that take tags, the Reference leaves out many.
    if action.access_level() == AccessLevel::Tagging {
        let service = |arn| Arn::parse(arn).map(|arn| arn.service);
        let own = service(resource);
        return own.is_some()
            && action.resources().any(|on| on.resource_type().arn_formats().any(|of| service(of) == own));
    }
    if action.resources().next().is_none() {
        // S3 takes `arn:aws:s3:::*` for all there is, and so may others.
        return resource.rsplit(':').next() == Some("*");
    }
    action.resources().any(|on| on.resource_type().matches(resource))
}

/// Whether it stands for resources of every kind, or is none of the ARNs that the Reference describes.
fn is_any(resource: &str) -> bool {
    !resource.starts_with("arn:")
}
