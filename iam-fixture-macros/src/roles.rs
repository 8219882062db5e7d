//! The roles of one test: their policies read and checked, and the builder calls that they become.

use std::collections::BTreeSet;

use iam_policy::{Lint, PolicyKind, PseudoParameter, Template};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token, parse_quote, parse_quote_spanned};

use crate::attribute::{Attribute, Role, Value};
use crate::document::{Document, Lints, SourceFile, all_problems};
use crate::problems::Problems;

/// The roles of one test.
pub(crate) struct Roles<'a> {
    /// What stands outside of named roles.
    shared: Part<'a>,
    named: Vec<Part<'a>>,
}

/// A role's policies and options, or what several share.
struct Part<'a> {
    role: &'a Role,
    policies: Vec<Policy<'a>>,
    boundary: Option<Policy<'a>>,
    session_policy: Option<Policy<'a>>,
}

enum Policy<'a> {
    AtRunTime(&'a Expr),
    Named(&'a LitStr, Document),
}

/// What the expressions of the attribute see.
struct Scope<'a> {
    library: &'a Path,
    arguments: &'a [&'a Ident],
}

impl<'a> Roles<'a> {
    /// Reads and checks every policy that is named by a literal.
    pub(crate) fn read(
        attribute: &'a Attribute,
        source_file: SourceFile<'_>,
        problems: &mut Problems,
    ) -> Roles<'a> {
        if problems.is_empty() {
            check_policies(attribute, problems);
        }
        let mut part = |role: &'a Role, allow: &[&Lint]| {
            let allow = [role.allow.as_slice(), allow].concat();
            Part::read(role, &allow, source_file, problems)
        };
        let shared = part(&attribute.shared, &[]);
        let named = attribute.roles.iter().map(|(_, role)| part(role, &attribute.shared.allow)).collect();
        let roles = Roles { shared, named };
        if problems.is_empty() {
            roles.check_variables(problems);
        }
        roles
    }

    pub(crate) fn len(&self) -> usize {
        self.named.len().max(1)
    }

    /// An array of one builder a role; `arguments` are the names that its expressions see.
    pub(crate) fn builders(&self, library: &Path, arguments: &[&Ident]) -> TokenStream {
        let scope = Scope { library, arguments };
        let shared = self.shared.calls(&scope);
        let new = quote!(#library::TemporaryRole::builder());
        if self.named.is_empty() {
            return quote!([#new #shared]);
        }
        let own = self.named.iter().map(|part| part.calls(&scope));
        if shared.is_empty() {
            return quote!([#(#new #own),*]);
        }
        // Evaluated once, as it is written once.
        let name = Ident::new("shared", Span::mixed_site());
        quote!({
            let #name = #new #shared;
            [#(::core::clone::Clone::clone(&#name) #own),*]
        })
    }

    /// Every template variable has a value, and every value is used as far as the policies are known.
    fn check_variables(&self, problems: &mut Problems) {
        let all: Vec<&Part<'_>> = [&self.shared].into_iter().chain(&self.named).collect();
        check_used(&self.shared, &all, problems);
        if self.named.is_empty() {
            check_given(&all, problems);
        }
        for part in &self.named {
            let role = [&self.shared, part];
            check_used(part, &role, problems);
            check_given(&role, problems);
        }
    }
}

/// A role that may do nothing is written `[]`, not forgotten.
fn check_policies(attribute: &Attribute, problems: &mut Problems) {
    const HELP: &str = "name the role's policy\n  = help: a file: `#[iam_policy(\"policies/reader.json\")]`\n  \
                        = help: a role that may do nothing: `#[iam_policy([])]`";
    if attribute.shared.policies.is_some() {
        return;
    }
    if attribute.roles.is_empty() {
        problems.push(syn::Error::new(Span::call_site(), HELP));
    }
    for (name, _) in attribute.roles.iter().filter(|(_, role)| role.policies.is_none()) {
        problems.push(syn::Error::new(name.span(), HELP));
    }
}

fn check_given(role: &[&Part<'_>], problems: &mut Problems) {
    let has_value = |name: &str| {
        PseudoParameter::find(name).is_some()
            || role.iter().flat_map(|part| &part.role.vars).any(|(given, _)| given.value() == name)
    };
    for (literal, template) in role.iter().flat_map(|part| part.templates()) {
        if let Err(unknown) = template.render(|name| has_value(name).then(String::new)) {
            let names: BTreeSet<&str> =
                template.variables().map(|(name, _)| name).filter(|name| !has_value(name)).collect();
            let values: Vec<String> = names.into_iter().map(|name| format!("{name} = EXPR")).collect();
            let help = match values.as_slice() {
                [] => String::new(),
                values => format!("\n  = help: add `vars({})`", values.join(", ")),
            };
            problems.push(syn::Error::new(literal.span(), all_problems(&unknown) + &help));
        }
    }
}

/// The values that `giver` gives are used somewhere in `users`.
fn check_used(giver: &Part<'_>, users: &[&Part<'_>], problems: &mut Problems) {
    if users.iter().flat_map(|part| part.all_policies()).any(Policy::is_unknown) {
        return;
    }
    let used = |variable: &str| {
        let mut templates = users.iter().flat_map(|part| part.templates());
        templates.any(|(_, template)| template.variables().any(|(name, _)| name == variable))
    };
    for (name, _) in &giver.role.vars {
        let variable = name.value();
        if !used(&variable) {
            let message = format!("no policy of the role has `${{{variable}}}`");
            problems.push(syn::Error::new(name.span(), message));
        }
    }
}

impl<'a> Part<'a> {
    fn read(
        role: &'a Role,
        allow: &[&Lint],
        source_file: SourceFile<'_>,
        problems: &mut Problems,
    ) -> Part<'a> {
        let mut read = |value: &'a Value, kind| Policy::read(value, kind, allow, source_file, problems);
        let policies = role.policies.iter().flatten();
        Part {
            role,
            policies: policies.filter_map(|policy| read(policy, PolicyKind::Identity)).collect(),
            boundary: role.boundary.as_ref().and_then(|policy| read(policy, PolicyKind::Boundary)),
            session_policy: role.session_policy.as_ref().and_then(|policy| read(policy, PolicyKind::Session)),
        }
    }

    fn all_policies(&self) -> impl Iterator<Item = &Policy<'a>> {
        self.policies.iter().chain(&self.boundary).chain(&self.session_policy)
    }

    fn templates(&self) -> impl Iterator<Item = (&'a LitStr, &Template)> {
        self.all_policies().filter_map(|policy| match policy {
            Policy::AtRunTime(_) => None,
            Policy::Named(literal, document) => Some((*literal, document.template()?)),
        })
    }

    /// `.policy(…).tag(…)…`
    fn calls(&self, scope: &Scope<'_>) -> TokenStream {
        let mut calls = TokenStream::new();
        for policy in &self.policies {
            calls.extend(policy.call("policy", "managed_policy", scope));
        }
        if let Some(policy) = &self.boundary {
            calls.extend(policy.call("boundary", "managed_boundary", scope));
        }
        if let Some(policy) = &self.session_policy {
            calls.extend(policy.call("session_policy", "session_policy", scope));
        }
        if self.role.allow.iter().any(|lint| lint.code() == "lint::unknown-condition-key") {
            calls.extend(quote!(.allow_unknown_condition_keys()));
        }
        for (method, pairs) in [("tag", &self.role.tags), ("var", &self.role.vars)] {
            for (name, value) in pairs {
                let value = scope.value(value);
                calls.extend(call(method, value.span(), quote!(#name, #value)));
            }
        }
        for (method, value) in &self.role.settings {
            calls.extend(call(&method.to_string(), value.span(), scope.value(value)));
        }
        if let Some(duration) = &self.role.duration {
            let value = match duration {
                Expr::Lit(ExprLit { lit: Lit::Int(seconds), .. }) => {
                    parse_quote!(::core::time::Duration::from_secs(#seconds))
                }
                duration => scope.value(duration),
            };
            calls.extend(call("duration", duration.span(), value));
        }
        calls
    }
}

impl<'a> Policy<'a> {
    fn read(
        value: &'a Value,
        kind: PolicyKind,
        allow: &[&Lint],
        source_file: SourceFile<'_>,
        problems: &mut Problems,
    ) -> Option<Policy<'a>> {
        match value {
            Value::Expr(expr) => Some(Policy::AtRunTime(expr)),
            Value::Literal(literal) => {
                let document = problems.keep(Document::read(literal, kind, allow, source_file))?;
                Some(Policy::Named(literal, document))
            }
        }
    }

    /// Its variables are known only when the test runs.
    fn is_unknown(&self) -> bool {
        match self {
            Policy::AtRunTime(_) => true,
            Policy::Named(_, document) => matches!(document, Document::File { template: None, .. }),
        }
    }

    /// `.policy(…)`, or `.managed_policy("ReadOnlyAccess")`.
    fn call(&self, method: &str, managed_method: &str, scope: &Scope<'_>) -> TokenStream {
        let library = scope.library;
        match self {
            Policy::AtRunTime(expr) => call(method, expr.span(), scope.value(expr)),
            Policy::Named(literal, Document::Managed) => {
                call(managed_method, literal.span(), quote!(#literal))
            }
            Policy::Named(literal, document @ Document::Inline { .. }) => {
                call(method, literal.span(), warning_of(document.lints(), literal, quote!(#literal)))
            }
            Policy::Named(literal, document @ Document::File { shown, path, pointer, .. }) => {
                let pointer = pointer.iter();
                let text = quote_spanned!(literal.span()=> ::core::include_str!(#path));
                let file = quote!(#library::PolicyDocument::file(#shown, #text) #(.pointer(#pointer))*);
                call(method, literal.span(), warning_of(document.lints(), literal, file))
            }
        }
    }
}

/// The value, with a compiler warning on the literal that named it.
///
/// A macro cannot warn on a stable compiler; the use of something deprecated does, in words of ours.
fn warning_of(lints: Option<&Lints>, literal: &LitStr, value: TokenStream) -> TokenStream {
    let Some(lints) = lints else { return value };
    quote_spanned!(literal.span()=> {
        #[deprecated(note = #lints)]
        const POLICY: () = ();
        let () = POLICY;
        #value
    })
}

impl Scope<'_> {
    /// An expression of the attribute. Where it takes an argument by value it takes a clone, for the body needs it too.
    fn value(&self, expr: &Expr) -> Expr {
        let mut expr = expr.clone();
        self.clone_arguments(&mut expr);
        expr
    }

    fn clone_arguments(&self, expr: &mut Expr) {
        match expr {
            Expr::Array(array) => self.clone_each(&mut array.elems),
            Expr::Await(base) => self.clone_arguments(&mut base.base),
            Expr::Call(call) => self.clone_each(&mut call.args),
            Expr::MethodCall(call) => {
                self.clone_each(&mut call.args);
                if !matches!(*call.receiver, Expr::Path(_)) {
                    self.clone_arguments(&mut call.receiver);
                }
            }
            Expr::Path(path) if self.arguments.iter().any(|argument| path.path.is_ident(*argument)) => {
                *expr = parse_quote_spanned!(path.span()=> ::core::clone::Clone::clone(&#path));
            }
            Expr::Try(base) => self.clone_arguments(&mut base.expr),
            _ => {}
        }
    }

    fn clone_each(&self, exprs: &mut Punctuated<Expr, Token![,]>) {
        for expr in exprs {
            self.clone_arguments(expr);
        }
    }
}

/// A call whose errors show at what the user wrote.
fn call(method: &str, span: Span, arguments: impl ToTokens) -> TokenStream {
    let method = Ident::new(method, span);
    quote_spanned!(span=> .#method(#arguments))
}
