//! What stands in the parentheses of `#[iam_policy(…)]`.

use iam_policy::{LINTS, Lint};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Lit, LitStr, Path, Result, Token, parenthesized, token};

use crate::problems::{Problems, did_you_mean};

/// The attribute as written.
#[derive(Default)]
pub(crate) struct Attribute {
    /// `arg = name`
    pub(crate) arg: Option<Ident>,
    /// `crate = "path"`
    pub(crate) library: Option<Path>,
    /// What stands outside of any named role: the only role, or what the named ones share.
    pub(crate) shared: Role,
    /// `reader = "r.json"`, `writer("w.json", …)`: roles by the argument that takes them.
    pub(crate) roles: Vec<(Ident, Role)>,
}

/// One role's policies and options.
#[derive(Default)]
pub(crate) struct Role {
    /// What the author knows of, and means.
    pub(crate) allow: Vec<&'static Lint>,
    /// `None` when no policy is named at all, which `[]` is not.
    pub(crate) policies: Option<Vec<Value>>,
    pub(crate) boundary: Option<Value>,
    pub(crate) duration: Option<Expr>,
    pub(crate) session_policy: Option<Value>,
    /// `keep = EXPR`, `path = EXPR`: the builder's methods of these names take these values.
    pub(crate) settings: Vec<(Ident, Expr)>,
    pub(crate) tags: Vec<(LitStr, Expr)>,
    pub(crate) vars: Vec<(LitStr, Expr)>,
}

/// What names a policy.
pub(crate) enum Value {
    /// A file, a managed policy or the policy itself: read while compiling.
    Literal(LitStr),
    /// Anything else: evaluated when the test runs.
    Expr(Expr),
}

impl Attribute {
    /// Reads the attribute; what cannot be read goes to `problems` and the rest stands.
    pub(crate) fn parse(arguments: TokenStream, problems: &mut Problems) -> Attribute {
        let mut attribute = Attribute::default();
        let read = Parser::parse2(
            |input: ParseStream<'_>| {
                each_item(input, problems, |input, problems| attribute.read_item(input, problems));
                Ok(())
            },
            arguments,
        );
        problems.keep(read);
        attribute
    }

    fn read_item(&mut self, input: ParseStream<'_>, problems: &mut Problems) -> Result<()> {
        if starts_policy(input) {
            return self.shared.read_policies(input);
        }
        let key = read_key(input)?;
        if let Some(option) = find(&TEST_OPTIONS, &key) {
            return option.read(self, &key, input);
        }
        if let Some(option) = find(&ROLE_OPTIONS, &key) {
            return option.read(&mut self.shared, &key, input);
        }
        let mut role = Role::default();
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            role.read_policies(input)?;
        } else if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            each_item(&content, problems, |input, _| role.read_item(input));
        } else {
            return Err(unknown_option(&key, &[]));
        }
        if self.roles.iter().any(|(name, _)| *name == key) {
            return Err(given_twice(&key, &key));
        }
        self.roles.push((key, role));
        Ok(())
    }
}

impl Role {
    fn read_item(&mut self, input: ParseStream<'_>) -> Result<()> {
        if starts_policy(input) {
            return self.read_policies(input);
        }
        let key = read_key(input)?;
        match find(&ROLE_OPTIONS, &key) {
            Some(option) => option.read(self, &key, input),
            None => Err(unknown(&key, ROLE_OPTIONS.iter().map(|option| option.name), "option")),
        }
    }

    /// One policy or a list of them.
    fn read_policies(&mut self, input: ParseStream<'_>) -> Result<()> {
        let policies = self.policies.get_or_insert_default();
        match ungrouped(input.parse()?) {
            Expr::Array(list) => policies.extend(list.elems.into_iter().map(Value::from)),
            one => policies.push(Value::from(one)),
        }
        Ok(())
    }
}

impl From<Expr> for Value {
    fn from(expr: Expr) -> Value {
        match ungrouped(expr) {
            Expr::Lit(syn::ExprLit { lit: Lit::Str(literal), .. }) => Value::Literal(literal),
            expr => Value::Expr(expr),
        }
    }
}

/// The error for a key that is neither an option nor one of the function's `arguments`.
pub(crate) fn unknown_option(key: &Ident, arguments: &[String]) -> syn::Error {
    let options =
        TEST_OPTIONS.iter().map(|option| option.name).chain(ROLE_OPTIONS.iter().map(|option| option.name));
    unknown(key, options.chain(arguments.iter().map(String::as_str)), "option or argument of the test")
}

fn unknown<'n>(key: &Ident, names: impl Iterator<Item = &'n str> + Clone, what: &str) -> syn::Error {
    let help = did_you_mean(&key.to_string(), names.clone());
    let known: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let message = format!("`{key}` is no {what}{help}\n  = note: known here: {}", known.join(", "));
    syn::Error::new(key.span(), message)
}

fn given_twice(name: &dyn std::fmt::Display, place: impl ToTokens) -> syn::Error {
    syn::Error::new_spanned(place, format!("`{name}` is given twice"))
}

/// An option: `name = value` or `name(items)`, as its usage shows.
struct Opt<T> {
    name: &'static str,
    usage: &'static str,
    /// Reads the value or the items.
    read: fn(&mut T, &Ident, ParseStream<'_>) -> Result<()>,
}

const TEST_OPTIONS: [Opt<Attribute>; 2] = [
    Opt {
        name: "arg",
        usage: "arg = name",
        read: |test, key, input| once(&mut test.arg, key, input.parse()?),
    },
    Opt {
        name: "crate",
        usage: "crate = \"path\"",
        read: |test, key, input| {
            let path = if input.peek(LitStr) { input.parse::<LitStr>()?.parse()? } else { input.parse()? };
            once(&mut test.library, key, path)
        },
    },
];

const ROLE_OPTIONS: [Opt<Role>; 13] = [
    Opt {
        name: "allow",
        usage: "allow(unknown_action)",
        read: |role, _, input| lints(&mut role.allow, input),
    },
    Opt {
        name: "boundary",
        usage: "boundary = \"boundary.json\"",
        read: |role, key, input| once(&mut role.boundary, key, one_policy(key, input)?),
    },
    Opt {
        name: "duration",
        usage: "duration = 3600",
        read: |role, key, input| once(&mut role.duration, key, input.parse()?),
    },
    setting("keep", "keep = Keep::OnFailure"),
    setting("mode", "mode = Mode::Role"),
    setting("name_prefix", "name_prefix = \"team-\""),
    setting("path", "path = \"/team/\""),
    Opt { name: "policy", usage: "policy = EXPR", read: |role, _, input| role.read_policies(input) },
    setting("readiness", "readiness = Readiness::default()"),
    setting("session_name", "session_name = \"name\""),
    Opt {
        name: "session_policy",
        usage: "session_policy = \"session.json\"",
        read: |role, key, input| once(&mut role.session_policy, key, one_policy(key, input)?),
    },
    Opt {
        name: "tags",
        usage: "tags(team = \"x\", \"Key\" = EXPR)",
        read: |role, _, input| pairs(&mut role.tags, input),
    },
    Opt { name: "vars", usage: "vars(name = EXPR)", read: |role, _, input| pairs(&mut role.vars, input) },
];

/// An option whose value goes to the builder's method of its name as it is.
const fn setting(name: &'static str, usage: &'static str) -> Opt<Role> {
    Opt {
        name,
        usage,
        read: |role, key, input| {
            if role.settings.iter().any(|(known, _)| known == key) {
                return Err(given_twice(key, key));
            }
            role.settings.push((key.clone(), input.parse()?));
            Ok(())
        },
    }
}

impl<T> Opt<T> {
    fn read(&self, into: &mut T, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        let has_items = self.usage.strip_prefix(self.name).is_some_and(|rest| rest.starts_with('('));
        if has_items && input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            (self.read)(into, key, &content)
        } else if !has_items && input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            (self.read)(into, key, input)
        } else {
            Err(syn::Error::new(key.span(), format!("write `{}`", self.usage)))
        }
    }
}

fn find<'o, T>(options: &'o [Opt<T>], key: &Ident) -> Option<&'o Opt<T>> {
    options.iter().find(|option| key == option.name)
}

fn once<T>(slot: &mut Option<T>, key: &Ident, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(given_twice(key, key)),
    }
}

fn one_policy(key: &Ident, input: ParseStream<'_>) -> Result<Value> {
    match ungrouped(input.parse()?) {
        Expr::Array(list) => Err(syn::Error::new_spanned(list, format!("`{key}` is one policy, not a list"))),
        one => Ok(Value::from(one)),
    }
}

/// `name = EXPR, "Name" = EXPR`
fn pairs(into: &mut Vec<(LitStr, Expr)>, input: ParseStream<'_>) -> Result<()> {
    let pair = |input: ParseStream<'_>| {
        let key = match input.parse::<Option<LitStr>>()? {
            Some(key) => key,
            None => {
                input.call(Ident::parse_any).map(|key| LitStr::new(&key.unraw().to_string(), key.span()))?
            }
        };
        input.parse::<Token![=]>()?;
        Ok((key, input.parse::<Expr>()?))
    };
    for (key, value) in input.parse_terminated(pair, Token![,])? {
        if into.iter().any(|(known, _)| known.value() == key.value()) {
            return Err(given_twice(&key.value(), key));
        }
        into.push((key, value));
    }
    Ok(())
}

/// `unknown_action, resource_type`
fn lints(into: &mut Vec<&'static Lint>, input: ParseStream<'_>) -> Result<()> {
    for name in input.parse_terminated(Ident::parse_any, Token![,])? {
        let Some(lint) = Lint::find(&name.to_string()) else {
            let known: Vec<String> = LINTS.iter().map(Lint::ident).collect();
            return Err(unknown(&name, known.iter().map(String::as_str), "lint"));
        };
        into.push(lint);
    }
    Ok(())
}

fn starts_policy(input: ParseStream<'_>) -> bool {
    input.peek(LitStr) || input.peek(token::Bracket)
}

fn read_key(input: ParseStream<'_>) -> Result<Ident> {
    let key = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(error.span(), "expected a policy, such as `\"policies/reader.json\"`, or an option")
    })?;
    if input.peek(Token![!]) || input.peek(Token![::]) || input.peek(Token![.]) {
        return Err(syn::Error::new(
            key.span(),
            format!("write `policy = {key}…` for a policy known at run time"),
        ));
    }
    Ok(key)
}

/// Reads items between commas, each on its own: after one that cannot be read comes the next.
fn each_item(
    input: ParseStream<'_>,
    problems: &mut Problems,
    mut read: impl FnMut(ParseStream<'_>, &mut Problems) -> Result<()>,
) {
    while !input.is_empty() {
        let item = read(input, problems);
        let read_whole = item.is_ok();
        problems.keep(item);
        if read_whole && !input.is_empty() && !input.peek(Token![,]) {
            problems.push(input.error("expected `,`"));
        }
        while !input.is_empty() && input.parse::<Option<Token![,]>>().is_ok_and(|comma| comma.is_none()) {
            problems.keep(input.parse::<TokenTree>());
        }
    }
}

/// Without the invisible parentheses around what a `macro_rules!` variable brought.
fn ungrouped(mut expr: Expr) -> Expr {
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    expr
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn parse(arguments: TokenStream) -> (Attribute, Vec<String>) {
        let mut problems = Problems::default();
        let attribute = Attribute::parse(arguments, &mut problems);
        let errors =
            problems.into_result().err().into_iter().flatten().map(|error| error.to_string()).collect();
        (attribute, errors)
    }

    fn policies(role: &Role) -> Vec<String> {
        let shown = |value: &Value| match value {
            Value::Expr(expr) => format!("expression {}", expr.to_token_stream()),
            Value::Literal(literal) => literal.value(),
        };
        role.policies.iter().flatten().map(shown).collect()
    }

    #[test]
    fn policies_are_literals_or_expressions_alone_or_in_lists() {
        let (attribute, errors) =
            parse(quote!("a.json", ["b.json", doc], policy = make(1), policy = ["c.json"]));
        assert_eq!(errors, [""; 0]);
        assert_eq!(
            policies(&attribute.shared),
            ["a.json", "b.json", "expression doc", "expression make (1)", "c.json"]
        );
    }

    #[test]
    fn an_empty_list_is_not_the_absence_of_policies() {
        assert!(parse(quote!([])).0.shared.policies.unwrap().is_empty());
        assert!(parse(quote!()).0.shared.policies.is_none());
    }

    #[test]
    fn a_role_has_its_own_options_and_shares_what_stands_outside() {
        let (attribute, errors) = parse(quote!(
            reader = "r.json",
            writer("w.json", duration = 900, tags(a = "1")),
            tags(b = "2", "c d" = 3)
        ));
        assert_eq!(errors, [""; 0]);
        let [(reader, _), (writer, role)] = attribute.roles.as_slice() else { unreachable!("two roles") };
        assert_eq!((reader.to_string(), writer.to_string()), ("reader".to_owned(), "writer".to_owned()));
        assert_eq!(
            (policies(role), role.duration.is_some(), role.tags.len()),
            (vec!["w.json".to_owned()], true, 1)
        );
        let shared: Vec<String> = attribute.shared.tags.iter().map(|(name, _)| name.value()).collect();
        assert_eq!(shared, ["b", "c d"]);
    }

    #[test]
    fn the_crate_is_a_path_or_a_string_of_one() {
        for arguments in [quote!(crate = "::other::fixture"), quote!(crate = ::other::fixture)] {
            let library = parse(arguments).0.library.to_token_stream().to_string();
            assert_eq!(library, ":: other :: fixture");
        }
    }

    #[test]
    fn every_item_that_cannot_be_read_is_reported_and_the_others_stand() {
        let (attribute, errors) = parse(
            quote!("a.json", tags = 1, 42, nothing, duration = 1, duration = 2, path = "/a/", path = b, "b.json" "c.json"),
        );
        assert_eq!(
            errors,
            [
                "write `tags(team = \"x\", \"Key\" = EXPR)`",
                "expected a policy, such as `\"policies/reader.json\"`, or an option",
                "`nothing` is no option or argument of the test\n  = note: known here: `arg`, `crate`, `allow`, `boundary`, `duration`, \
                 `keep`, `mode`, `name_prefix`, `path`, `policy`, `readiness`, `session_name`, `session_policy`, `tags`, `vars`",
                "`duration` is given twice",
                "`path` is given twice",
                "expected `,`",
            ]
        );
        assert_eq!(policies(&attribute.shared), ["a.json", "b.json"]);
    }

    #[test]
    fn a_slip_in_an_option_is_recognized() {
        let (_, errors) = parse(quote!(writer("w.json", boundry = "b.json")));
        assert!(errors.iter().any(|error| error.contains("did you mean `boundary`?")), "{errors:?}");
    }

    #[test]
    fn lints_are_allowed_by_name_and_a_slip_is_recognized() {
        let (attribute, errors) = parse(quote!("a.json", allow(unknown_action, resource_type)));
        assert_eq!(errors, [""; 0]);
        let codes: Vec<&str> = attribute.shared.allow.iter().map(|lint| lint.code()).collect();
        assert_eq!(codes, ["lint::unknown-action", "lint::resource-type"]);
        let (_, errors) = parse(quote!("a.json", allow(unknown_actions)));
        assert!(errors.iter().any(|error| error.contains("did you mean `unknown_action`?")), "{errors:?}");
    }

    #[test]
    fn an_expression_without_a_key_is_told_where_it_goes() {
        for arguments in [quote!(policies::reader()), quote!(format!("x")), quote!(doc.build())] {
            let (_, errors) = parse(arguments);
            assert!(
                errors.iter().all(|error| error.starts_with("write `policy = ")) && errors.len() == 1,
                "{errors:?}"
            );
        }
    }
}
