//! The test function that the attribute stands on.

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{FnArg, Ident, Meta, Pat, PatType, Path, Result, Signature, Type, Visibility, parse_quote};

use crate::attribute::{Attribute, unknown_option};
use crate::problems::{Problems, did_you_mean};

/// A function whose body is kept as tokens: while someone types in it, it need not parse.
pub(crate) struct Function {
    pub(crate) attributes: Vec<syn::Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) body: Group,
}

/// One argument of the function.
pub(crate) struct Argument {
    pub(crate) typed: PatType,
    /// Which role it takes; `None` when it belongs to another attribute.
    pub(crate) role: Option<usize>,
}

/// What drives the test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Runner {
    /// An attribute below that makes a runtime and awaits the function.
    Async,
    /// Nobody: the function is made sync and blocks on a runtime of ours.
    Own,
    /// The function is sync; it blocks while its roles are made.
    Sync,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Function> {
        let attributes = input.call(syn::Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature: Signature = input.parse().map_err(|error| {
            syn::Error::new(error.span(), format!("`#[iam_policy]` goes on a test function: {error}"))
        })?;
        let arguments = signature.inputs.iter().map(argument).collect::<Result<_>>()?;
        let body = input.parse()?;
        Ok(Function { attributes, visibility, signature, arguments, body })
    }
}

impl Function {
    /// The names of its arguments.
    pub(crate) fn names(&self) -> Vec<&Ident> {
        self.arguments.iter().filter_map(Argument::name).collect()
    }

    fn texts_of_names(&self) -> Vec<String> {
        self.names().into_iter().map(Ident::to_string).collect()
    }

    /// Gives each role its arguments.
    pub(crate) fn assign(&mut self, attribute: &Attribute, problems: &mut Problems) {
        let assigned = if attribute.roles.is_empty() {
            self.assign_only_role(attribute)
        } else {
            self.assign_named(attribute)
        };
        problems.keep(assigned);
        for argument in self.arguments.iter().filter(|argument| argument.role.is_some()) {
            problems.keep(argument.check_type());
        }
        if problems.is_empty() && self.attributes.iter().all(gives_no_arguments) {
            for argument in self.arguments.iter().filter(|argument| argument.role.is_none()) {
                let message =
                    "nothing gives this argument a value\n  = help: `#[rstest]` does, of cases or fixtures";
                problems.push(syn::Error::new_spanned(&argument.typed.pat, message));
            }
        }
    }

    fn assign_named(&mut self, attribute: &Attribute) -> Result<()> {
        if let Some(name) = &attribute.arg {
            return Err(syn::Error::new(
                name.span(),
                "each of the named roles goes to the argument of its name",
            ));
        }
        let names = self.texts_of_names();
        for (role, (name, _)) in attribute.roles.iter().enumerate() {
            let argument = self.arguments.iter_mut().find(|argument| argument.name() == Some(name));
            argument.ok_or_else(|| unknown_option(name, &names))?.role = Some(role);
        }
        let nameless = self.arguments.iter().filter(|argument| argument.role.is_none());
        match nameless.flat_map(|argument| &argument.typed.attrs).find(|attribute| is_mark(attribute)) {
            Some(mark) => Err(syn::Error::new_spanned(mark, "no role has the name of this argument")),
            None => Ok(()),
        }
    }

    fn assign_only_role(&mut self, attribute: &Attribute) -> Result<()> {
        let by_name = |argument: &Argument| argument.name() == attribute.arg.as_ref();
        let by_mark = |argument: &Argument| argument.typed.attrs.iter().any(is_mark);
        if let Some(name) = &attribute.arg {
            if self.assign_where(by_name) == 0 {
                let names = self.texts_of_names();
                let help = did_you_mean(&name.to_string(), names.iter().map(String::as_str));
                return Err(syn::Error::new(name.span(), format!("the test has no argument `{name}`{help}")));
            }
        } else if self.assign_where(by_mark) == 0 {
            self.assign_by_type()?;
        }
        Ok(())
    }

    fn assign_by_type(&mut self) -> Result<()> {
        for name in ROLE_TYPES {
            if self.assign_where(|argument| {
                argument.is_free() && last_segment(&argument.typed.ty).is_some_and(|it| it == name)
            }) > 1
            {
                let message = format!(
                    "more than one argument is a `{name}`\n  = help: mark the one that takes the role with `#[iam]`, \
                     or name the roles: `#[iam_policy(reader = \"r.json\", writer = \"w.json\")]`"
                );
                return Err(syn::Error::new_spanned(&self.signature.inputs, message));
            }
        }
        if self.arguments.iter().any(|argument| argument.role.is_some()) {
            return Ok(());
        }
        let Signature { ident, paren_token, .. } = &self.signature;
        let mut place = ident.to_token_stream();
        paren_token.surround(&mut place, |_| {});
        let message = format!(
            "`{ident}` has no argument that takes the role\n  = help: add `config: SdkConfig`, or `#[ignore] config: SdkConfig` \
             where `#[rstest]` stands above\n  = help: or mark an argument whose type has another name with `#[iam]`"
        );
        Err(syn::Error::new_spanned(place, message))
    }

    fn assign_where(&mut self, wanted: impl Fn(&Argument) -> bool) -> usize {
        let wanted = self.arguments.iter_mut().filter(|argument| wanted(argument));
        wanted.map(|argument| argument.role = Some(0)).count()
    }

    /// Finds what drives the test, and adds the attribute that is missing for it.
    pub(crate) fn settle_runner(&mut self, library: &Path, problems: &mut Problems) -> Runner {
        let has = |this: &Function, is: fn(&syn::Attribute) -> bool| this.attributes.iter().any(is);
        if self.signature.asyncness.is_none() {
            if !has(self, is_table) && !has(self, is_runner) {
                let name = &self.signature.ident;
                let message = format!(
                    "write `async fn {name}`\n  = help: a `#[test]` above `#[iam_policy]` has to go: this attribute adds it"
                );
                problems.push(syn::Error::new_spanned(self.signature.fn_token, message));
            }
            return Runner::Sync;
        }
        if has(self, |it| is_runner(it) && !is_built_in(it) && !is_logging(it)) {
            return Runner::Async;
        }
        self.attributes.retain(|attribute| !is_built_in(attribute));
        if has(self, is_table) {
            let tokio = quote!(#library::__private::tokio);
            let path = tokio.to_string().replace(' ', "");
            self.attributes.push(parse_quote!(#[#tokio::test(crate = #path)]));
            return Runner::Async;
        }
        if !has(self, is_logging) {
            self.attributes.push(parse_quote!(#[::core::prelude::v1::test]));
        }
        Runner::Own
    }

    /// The function as it was written, but no test: what is left to the compiler and the IDE after an error.
    pub(crate) fn without_test(&self) -> TokenStream {
        let Function { visibility, body, .. } = self;
        let mut signature = self.signature.clone();
        for input in &mut signature.inputs {
            if let FnArg::Typed(typed) = input {
                typed.attrs.clear();
            }
        }
        quote!(#[allow(dead_code)] #visibility #signature #body)
    }
}

impl Argument {
    /// Its name, when its pattern is one.
    pub(crate) fn name(&self) -> Option<&Ident> {
        match &*self.typed.pat {
            Pat::Ident(pattern) => Some(&pattern.ident),
            _ => None,
        }
    }

    /// No other attribute gives it a value. (`#[ignore]` tells rstest just that.)
    fn is_free(&self) -> bool {
        self.typed.attrs.iter().all(|attribute| attribute.path().is_ident("ignore") || is_lint(attribute))
    }

    fn check_type(&self) -> Result<()> {
        match &*self.typed.ty {
            Type::Reference(reference) if reference.mutability.is_some() => {
                let owned = &reference.elem;
                let message = format!("take `{}` by value: it is the test's own", owned.to_token_stream());
                Err(syn::Error::new_spanned(&self.typed.ty, message))
            }
            _ => Ok(()),
        }
    }
}

/// What an argument that takes a role is usually called by type.
const ROLE_TYPES: [&str; 2] = ["SdkConfig", "TemporaryRole"];

fn argument(input: &FnArg) -> Result<Argument> {
    match input {
        FnArg::Receiver(receiver) => {
            Err(syn::Error::new_spanned(receiver, "`#[iam_policy]` goes on a test function, not on a method"))
        }
        FnArg::Typed(typed) => Ok(Argument { typed: typed.clone(), role: None }),
    }
}

fn last_segment(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        Type::Reference(reference) => last_segment(&reference.elem),
        _ => None,
    }
}

/// `#[iam]`
pub(crate) fn is_mark(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("iam")
}

/// An attribute that the compiler itself reads on an argument.
pub(crate) fn is_lint(attribute: &syn::Attribute) -> bool {
    ["allow", "cfg", "cfg_attr", "deny", "expect", "forbid", "warn"]
        .iter()
        .any(|name| attribute.path().is_ident(name))
}

fn attribute_name(attribute: &syn::Attribute) -> String {
    attribute.path().segments.last().map_or_else(String::new, |segment| segment.ident.to_string())
}

/// An attribute that gives the test its other arguments and leaves the runtime to one more.
fn is_table(attribute: &syn::Attribute) -> bool {
    ["rstest", "test_case", "test_matrix"].contains(&attribute_name(attribute).as_str())
}

/// An attribute that makes the function a test: its name ends so by convention (`#[tokio::test]`, `#[gtest]`), or it
/// brings another that does.
fn is_runner(attribute: &syn::Attribute) -> bool {
    let name = attribute_name(attribute);
    !is_table(attribute) && (name.ends_with("test") || name == "test_attr" || name == "apply")
}

/// The built-in `#[test]`, which by itself cannot drive an async function.
fn is_built_in(attribute: &syn::Attribute) -> bool {
    let Meta::Path(path) = &attribute.meta else { return false };
    path.is_ident("test")
        || (attribute_name(attribute) == "test" && path.segments.iter().any(|it| it.ident == "prelude"))
}

/// `#[test_log::test]`, which adds the built-in one where no other is.
fn is_logging(attribute: &syn::Attribute) -> bool {
    matches!(&attribute.meta, Meta::Path(path) if path.segments.iter().any(|it| it.ident == "test_log"))
}

/// An attribute that is known to bring no values for arguments.
fn gives_no_arguments(attribute: &syn::Attribute) -> bool {
    is_lint(attribute)
        || ["doc", "ignore", "inline", "should_panic", "test"].contains(&attribute_name(attribute).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(arguments: TokenStream) -> Attribute {
        let mut problems = Problems::default();
        let attribute = Attribute::parse(arguments, &mut problems);
        problems.into_result().unwrap();
        attribute
    }

    /// Which role each argument takes, or the errors.
    fn assigned(
        arguments: TokenStream,
        function: TokenStream,
    ) -> std::result::Result<Vec<Option<usize>>, String> {
        let mut function: Function = syn::parse2(function).unwrap();
        let mut problems = Problems::default();
        function.assign(&attribute(arguments), &mut problems);
        match problems.into_result() {
            Ok(()) => Ok(function.arguments.iter().map(|argument| argument.role).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn runner(function: TokenStream) -> (Runner, Vec<String>) {
        let mut function: Function = syn::parse2(function).unwrap();
        let mut problems = Problems::default();
        let runner = function.settle_runner(&parse_quote!(::iam_fixture), &mut problems);
        problems.into_result().unwrap();
        (
            runner,
            function.attributes.iter().map(|it| it.to_token_stream().to_string().replace(' ', "")).collect(),
        )
    }

    #[test]
    fn a_role_goes_to_the_arguments_that_are_called_so_by_type() {
        let function = quote!(
            #[rstest]
            async fn t(a: &aws_config::SdkConfig, b: u8, c: TemporaryRole) {}
        );
        assert_eq!(assigned(quote!("r.json"), function), Ok(vec![Some(0), None, Some(0)]));
    }

    #[test]
    fn an_argument_that_another_attribute_gives_is_not_taken_by_type() {
        let function = quote!(
            #[rstest]
            async fn t(#[case] admin: SdkConfig, #[ignore] config: SdkConfig) {}
        );
        assert_eq!(assigned(quote!("r.json"), function), Ok(vec![None, Some(0)]));
    }

    #[test]
    fn a_name_comes_before_a_mark_and_a_mark_before_the_type() {
        let function = quote!(
            #[rstest]
            async fn t(a: Conf, #[iam] b: Conf, c: SdkConfig) {}
        );
        assert_eq!(assigned(quote!("r.json", arg = a), function.clone()), Ok(vec![Some(0), None, None]));
        assert_eq!(assigned(quote!("r.json"), function), Ok(vec![None, Some(0), None]));
    }

    #[test]
    fn each_of_several_roles_goes_to_the_argument_of_its_name() {
        let function = quote!(
            async fn t(writer: SdkConfig, reader: SdkConfig) {}
        );
        assert_eq!(
            assigned(quote!(reader = "r.json", writer = "w.json"), function),
            Ok(vec![Some(1), Some(0)])
        );
    }

    #[test]
    fn with_named_roles_no_argument_takes_one_otherwise() {
        let function = quote!(
            async fn t(reader: SdkConfig, #[iam] writer: SdkConfig) {}
        );
        let error = assigned(quote!(reader = "r.json"), function.clone()).unwrap_err();
        assert_eq!(error, "no role has the name of this argument");
        let error = assigned(quote!(reader = "r.json", arg = writer), function).unwrap_err();
        assert_eq!(error, "each of the named roles goes to the argument of its name");
    }

    #[test]
    fn two_arguments_of_one_type_are_ambiguous() {
        let error = assigned(
            quote!("r.json"),
            quote!(
                async fn t(a: SdkConfig, b: SdkConfig) {}
            ),
        )
        .unwrap_err();
        assert!(error.contains("more than one argument is a `SdkConfig`"), "{error}");
    }

    #[test]
    fn a_mutable_reference_to_a_config_is_refused() {
        let error = assigned(
            quote!("r.json"),
            quote!(
                async fn t(a: &mut SdkConfig) {}
            ),
        )
        .unwrap_err();
        assert_eq!(error, "take `SdkConfig` by value: it is the test's own");
    }

    #[test]
    fn a_test_without_an_argument_for_the_role_is_told_what_to_write() {
        let error = assigned(
            quote!("r.json"),
            quote!(
                async fn t(x: u8) {}
            ),
        )
        .unwrap_err();
        assert!(error.contains("add `config: SdkConfig`"), "{error}");
    }

    #[test]
    fn an_argument_that_nobody_gives_is_named() {
        let bare = quote!(
            #[tokio::test]
            #[ignore]
            async fn t(config: SdkConfig, size: u8) {}
        );
        let error = assigned(quote!("r.json"), bare).unwrap_err();
        assert!(error.starts_with("nothing gives this argument a value"), "{error}");
        let table = quote!(
            #[values_of(size)]
            #[tokio::test]
            async fn t(config: SdkConfig, size: u8) {}
        );
        assert_eq!(assigned(quote!("r.json"), table), Ok(vec![Some(0), None]));
    }

    #[test]
    fn an_attribute_whose_name_ends_in_test_drives_the_test() {
        let names = [
            quote!(tokio::test),
            quote!(test_log::test(tokio::test)),
            quote!(gtest),
            quote!(test_attr(x::y)),
            quote!(apply(cases)),
        ];
        for name in names {
            let (runner, attributes) = runner(quote!(#[should_panic] #[#name] async fn t() {}));
            assert_eq!((runner, attributes.len()), (Runner::Async, 2), "{name}");
        }
    }

    #[test]
    fn a_table_without_a_runtime_gets_tokio_and_a_plain_test_ours() {
        let tokio = r#"#[::iam_fixture::__private::tokio::test(crate="::iam_fixture::__private::tokio")]"#;
        let built_in = "#[::core::prelude::v1::test]";
        let table = runner(quote!(
            #[rstest]
            #[case(1)]
            async fn t() {}
        ));
        assert_eq!(
            table,
            (Runner::Async, vec!["#[rstest]".to_owned(), "#[case(1)]".to_owned(), tokio.to_owned()])
        );
        for function in [
            quote!(
                async fn t() {}
            ),
            quote!(
                #[test]
                async fn t() {}
            ),
            quote!(
                #[core::prelude::v1::test]
                async fn t() {}
            ),
        ] {
            assert_eq!(runner(function), (Runner::Own, vec![built_in.to_owned()]));
        }
    }

    #[test]
    fn test_log_alone_adds_the_built_in_test_itself() {
        let logged = runner(quote!(
            #[test_log::test]
            async fn t() {}
        ));
        assert_eq!(logged, (Runner::Own, vec!["#[test_log::test]".to_owned()]));
        assert_eq!(
            runner(quote!(
                #[tokio::test]
                #[test_log::test]
                async fn t() {}
            ))
            .0,
            Runner::Async
        );
    }

    #[test]
    fn a_sync_function_is_a_test_only_with_an_attribute() {
        assert_eq!(
            runner(quote!(
                #[test]
                fn t() {}
            ))
            .0,
            Runner::Sync
        );
        let mut function: Function = parse_quote!(
            fn t() {}
        );
        let mut problems = Problems::default();
        function.settle_runner(&parse_quote!(::iam_fixture), &mut problems);
        let error = problems.into_result().unwrap_err().to_string();
        assert!(error.starts_with("write `async fn t`"), "{error}");
    }
}
