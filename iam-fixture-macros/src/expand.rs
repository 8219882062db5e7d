//! The function with one call in it, or its errors.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, GenericParam, Ident, Pat, Path, Type, parse_quote};

use crate::attribute::Attribute;
use crate::document::SourceFile;
use crate::function::{Argument, Function, Runner, is_lint, is_mark};
use crate::problems::Problems;
use crate::roles::Roles;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream, source_file: SourceFile<'_>) -> TokenStream {
    let mut function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return [error.into_compile_error(), item].into_iter().collect(),
    };
    let mut problems = Problems::default();
    let attribute = Attribute::parse(arguments, &mut problems);
    let library = attribute.library.clone().unwrap_or_else(|| parse_quote!(::iam_fixture));
    function.assign(&attribute, &mut problems);
    let runner = function.settle_runner(&library, &mut problems);
    let roles = Roles::read(&attribute, source_file, &mut problems);
    match problems.into_result() {
        Ok(()) => test(&function, runner, &roles, &library),
        Err(error) => [error.into_compile_error(), function.without_test()].into_iter().collect(),
    }
}

/// The function as it was written, inside of a test that calls it with its roles.
fn test(function: &Function, runner: Runner, roles: &Roles<'_>, library: &Path) -> TokenStream {
    let Function { attributes, visibility, signature, arguments, body } = function;
    let mut received = Vec::new();
    let mut passed = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        if let Some(role) = argument.role {
            passed.push(from_role(&argument.typed.ty, &role_name(role), library));
        } else {
            let (typed, value) = handed_on(argument, index);
            received.push(typed);
            passed.push(value);
        }
    }
    let mut test = signature.clone();
    test.inputs = received.into_iter().collect();
    let builders = roles.builders(library, &function.names());
    let mut written = signature.clone();
    written.inputs = arguments.iter().map(|argument| as_written(argument, &builders)).collect();

    let name = &signature.ident;
    let generics = generic_arguments(signature);
    let call = quote!(#name #generics (#(#passed),*));
    let private = quote!(#library::__private);
    let case = quote!(#private::Case::new(::core::module_path!(), ::core::stringify!(#name)));
    let taken = (0..roles.len()).map(role_name);
    let taken = quote!([#(#taken),*]);
    // Roles of tests that failed may be kept.
    let has_failed = quote!(|returned| {
        use #private::MayFail as _;
        #private::Returned(returned).has_failed()
    });
    let awaited = quote! {
        #private::with_roles(#case, #builders, move |#taken| async move { #call.await }, #has_failed).await
    };
    // Clippy lets the author's test do what it would warn of in the function that the test becomes.
    let (allowed, run) = match runner {
        Runner::Async => (quote!(clippy::unused_async), awaited),
        Runner::Own => {
            test.asyncness = None;
            (quote!(clippy::unused_async), quote!(#private::block_on(async move { #awaited })))
        }
        Runner::Sync => {
            let run =
                quote!(#private::with_roles_blocking(#case, #builders, move |#taken| #call, #has_failed));
            (quote!(clippy::needless_pass_by_value), run)
        }
    };
    quote! {
        #(#attributes)*
        #visibility #test {
            #[allow(#allowed)]
            #written #body
            #run
        }
    }
}

fn role_name(role: usize) -> Ident {
    format_ident!("role_{role}", span = Span::mixed_site())
}

/// The argument of the function as it was written: the attributes that other macros read go with the outer one.
///
/// What the role is built from counts as used, though the body may not need it again.
fn as_written(argument: &Argument, builders: &TokenStream) -> FnArg {
    let mut typed = argument.typed.clone();
    typed.attrs.retain(is_lint);
    if argument.name().is_some_and(|name| mentions(builders, name)) {
        typed.attrs.push(parse_quote!(#[allow(unused_variables)]));
    }
    FnArg::Typed(typed)
}

/// Whether the tokens name it, `format!("{name}")` included.
fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    let mut tokens = tokens.clone().into_iter();
    tokens.any(|token| match token {
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Literal(literal) => literal.to_string().contains(&format!("{{{name}")),
        TokenTree::Punct(_) => false,
    })
}

/// The value for an argument that takes a role.
fn from_role(ty: &Type, role: &Ident, library: &Path) -> TokenStream {
    match ty {
        Type::Reference(reference) => {
            let owned = from_role(&reference.elem, role, library);
            quote!(&#owned)
        }
        ty => quote_spanned!(ty.span()=> <#ty as #library::__private::FromRole>::from_role(&#role)),
    }
}

/// An argument of another attribute: how the test receives it, and the expression that hands it on.
fn handed_on(argument: &Argument, index: usize) -> (FnArg, TokenStream) {
    let mut typed = argument.typed.clone();
    typed.attrs.retain(|attribute| !is_mark(attribute) && !attribute.path().is_ident("expect"));
    if !is_also_expression(&mut typed.pat) {
        let name = format_ident!("argument_{index}", span = Span::mixed_site());
        *typed.pat = parse_quote!(#name);
    }
    let value = typed.pat.to_token_stream();
    (FnArg::Typed(typed), value)
}

/// Takes the `mut`s out of a pattern and tells whether it now reads as the expression of what it takes apart.
fn is_also_expression(pattern: &mut Pat) -> bool {
    match pattern {
        Pat::Ident(name) => {
            name.mutability = None;
            name.by_ref.is_none() && name.subpat.is_none()
        }
        Pat::Paren(paren) => is_also_expression(&mut paren.pat),
        Pat::Struct(fields) => {
            fields.rest.is_none() && fields.fields.iter_mut().all(|field| is_also_expression(&mut field.pat))
        }
        Pat::Tuple(tuple) => tuple.elems.iter_mut().all(is_also_expression),
        Pat::TupleStruct(tuple) => tuple.elems.iter_mut().all(is_also_expression),
        _ => false,
    }
}

/// `::<T, N>`: what the arguments alone may not tell.
fn generic_arguments(signature: &syn::Signature) -> Option<TokenStream> {
    let names: Vec<&Ident> = signature
        .generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
            GenericParam::Type(parameter) => Some(&parameter.ident),
        })
        .collect();
    (!names.is_empty()).then(|| quote!(::<#(#names),*>))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn expanded(arguments: TokenStream, item: TokenStream) -> String {
        expand(arguments, item, &|_| Some(PathBuf::from("testdata/some_test.rs"))).to_string()
    }

    #[test]
    fn the_expansion_is_the_function_with_one_call_in_it() {
        let expansion = expanded(
            quote!("policies/reader.json", vars(bucket = "reports")),
            quote! {
                /// Documented.
                #[rstest]
                #[tokio::test]
                pub async fn t<T: Fit>(#[case] mut x: T, config: &SdkConfig) -> Result<(), Error> where T: Copy { body }
            },
        );
        let expected = quote! {
            /// Documented.
            #[rstest]
            #[tokio::test]
            pub async fn t<T: Fit>(#[case] x: T) -> Result<(), Error> where T: Copy {
                #[allow(clippy::unused_async)]
                async fn t<T: Fit>(mut x: T, config: &SdkConfig) -> Result<(), Error> where T: Copy { body }
                ::iam_fixture::__private::with_roles(
                    ::iam_fixture::__private::Case::new(::core::module_path!(), ::core::stringify!(t)),
                    [::iam_fixture::TemporaryRole::builder()
                        .policy(::iam_fixture::PolicyDocument::file(
                            "testdata/policies/reader.json",
                            ::core::include_str!("policies/reader.json")
                        ))
                        .var("bucket", "reports")],
                    move |[role_0]| async move {
                        t::<T>(x, &<SdkConfig as ::iam_fixture::__private::FromRole>::from_role(&role_0)).await
                    },
                    |returned| {
                        use ::iam_fixture::__private::MayFail as _;
                        ::iam_fixture::__private::Returned(returned).has_failed()
                    }
                )
                .await
            }
        };
        assert_eq!(expansion, expected.to_string());
    }

    #[test]
    fn a_test_without_an_attribute_blocks_on_a_runtime_of_ours() {
        let expansion = expanded(
            quote!([], crate = "fixture"),
            quote!(
                async fn t(role: TemporaryRole) {}
            ),
        );
        let expected = quote! {
            #[::core::prelude::v1::test]
            fn t() {
                #[allow(clippy::unused_async)]
                async fn t(role: TemporaryRole) {}
                fixture::__private::block_on(async move {
                    fixture::__private::with_roles(
                        fixture::__private::Case::new(::core::module_path!(), ::core::stringify!(t)),
                        [fixture::TemporaryRole::builder()],
                        move |[role_0]| async move {
                            t(<TemporaryRole as fixture::__private::FromRole>::from_role(&role_0)).await
                        },
                        |returned| {
                            use fixture::__private::MayFail as _;
                            fixture::__private::Returned(returned).has_failed()
                        }
                    )
                    .await
                })
            }
        };
        assert_eq!(expansion, expected.to_string());
    }

    #[test]
    fn a_sync_test_blocks_while_its_roles_are_made() {
        let expansion = expanded(
            quote!("ReadOnlyAccess"),
            quote!(
                #[test]
                fn t(config: SdkConfig) {}
            ),
        );
        assert!(expansion.contains("with_roles_blocking"), "{expansion}");
        assert!(expansion.contains(r#". managed_policy ("ReadOnlyAccess")"#), "{expansion}");
        assert!(!expansion.contains("await"), "{expansion}");
    }

    #[test]
    fn what_several_roles_share_is_evaluated_once() {
        let expansion = expanded(
            quote!(tags(team = name), reader = "ReadOnlyAccess", writer = doc.clone()),
            quote!(
                #[rstest]
                async fn t(name: String, doc: Doc, reader: SdkConfig, writer: SdkConfig) {}
            ),
        );
        let builders = quote! {{
            let shared = ::iam_fixture::TemporaryRole::builder().tag("team", ::core::clone::Clone::clone(&name));
            [
                ::core::clone::Clone::clone(&shared).managed_policy("ReadOnlyAccess"),
                ::core::clone::Clone::clone(&shared).policy(doc.clone())
            ]
        }};
        assert!(expansion.contains(&builders.to_string()), "{expansion}");
    }

    #[test]
    fn an_argument_that_an_expression_takes_by_value_is_cloned_for_it() {
        let expansion = expanded(
            quote!(policy = make(doc, &name, [other.len()], doc).with(name)?),
            quote!(
                #[rstest]
                async fn t(doc: Doc, name: Name, other: Pair, config: SdkConfig) {}
            ),
        );
        let policy = quote! {
            .policy(
                make(::core::clone::Clone::clone(&doc), &name, [other.len()], ::core::clone::Clone::clone(&doc))
                    .with(::core::clone::Clone::clone(&name))?
            )
        };
        assert!(expansion.contains(&policy.to_string()), "{expansion}");
    }

    #[test]
    fn an_argument_that_only_the_policy_needs_counts_as_used() {
        let expansion = expanded(
            quote!(policy = make(action, format!("{bucket}/*"))),
            quote!(
                #[rstest]
                async fn t(config: SdkConfig, action: &str, bucket: &str, verdict: Expected) {}
            ),
        );
        let written = quote! {
            async fn t(
                config: SdkConfig,
                #[allow(unused_variables)] action: &str,
                #[allow(unused_variables)] bucket: &str,
                verdict: Expected
            )
        };
        assert!(expansion.contains(&written.to_string()), "{expansion}");
    }

    #[test]
    fn every_option_becomes_a_call_of_the_builder() {
        let expansion = expanded(
            quote!(
                "ReadOnlyAccess",
                boundary = "PowerUserAccess",
                session_policy = narrow(),
                keep = Keep::OnFailure,
                mode = Mode::Role,
                name_prefix = "team-",
                path = "/team/",
                readiness = Readiness::default(),
                session_name = "s",
                duration = 900,
                tags("Cost Center" = 7),
                allow(unknown_action, unknown_condition_key),
            ),
            quote!(
                async fn t(config: SdkConfig) {}
            ),
        );
        let calls = quote! {
            .managed_policy("ReadOnlyAccess")
            .managed_boundary("PowerUserAccess")
            .session_policy(narrow())
            .allow_unknown_condition_keys()
            .tag("Cost Center", 7)
            .keep(Keep::OnFailure)
            .mode(Mode::Role)
            .name_prefix("team-")
            .path("/team/")
            .readiness(Readiness::default())
            .session_name("s")
            .duration(::core::time::Duration::from_secs(900))
        };
        assert!(expansion.contains(&calls.to_string()), "{expansion}");
    }

    #[test]
    fn patterns_are_handed_on_as_the_expressions_they_are_or_by_a_name_of_ours() {
        let expansion = expanded(
            quote!([]),
            quote!(
                #[rstest]
                async fn t((mut a, b): (u8, u8), Wrap { c, .. }: Wrap, _: u8, config: SdkConfig) {}
            ),
        );
        assert!(
            expansion.contains(&quote!(fn t((a, b): (u8, u8), argument_1: Wrap, argument_2: u8)).to_string()),
            "{expansion}"
        );
        assert!(expansion.contains("t ((a , b) , argument_1 , argument_2 , <"), "{expansion}");
    }

    #[test]
    fn after_an_error_the_function_still_stands_but_is_no_test() {
        let expansion = expanded(
            quote!("policies/reder.json"),
            quote!(
                #[rstest]
                async fn t(#[case] x: u8, config: SdkConfig) {
                    body
                }
            ),
        );
        let function = quote!(
            #[allow(dead_code)]
            async fn t(x: u8, config: SdkConfig) {
                body
            }
        );
        assert!(
            expansion.starts_with(":: core :: compile_error ! {")
                && expansion.ends_with(&function.to_string()),
            "{expansion}"
        );
        assert_eq!(expansion.matches("compile_error").count(), 1, "{expansion}");
    }

    #[test]
    fn variables_are_given_and_used() {
        let item = quote!(
            async fn t(config: SdkConfig) {}
        );
        let missing = expanded(quote!("policies/reader.json"), item.clone());
        assert!(missing.contains("the template variable `bucket` has no value"), "{missing}");
        assert!(missing.contains("testdata/policies/reader.json:6:"), "{missing}");
        let unused = expanded(quote!("ReadOnlyAccess", vars(bucket = 1)), item.clone());
        assert!(unused.contains("no policy of the role has `${bucket}`"), "{unused}");
        let unknown = expanded(quote!("ReadOnlyAccess", policy = make(), vars(bucket = 1)), item);
        assert!(!unknown.contains("compile_error"), "{unknown}");
    }

    #[test]
    fn no_policy_at_all_is_an_error_but_not_a_second_one() {
        let item = quote!(
            async fn t(config: SdkConfig) {}
        );
        assert!(expanded(quote!(), item.clone()).contains("name the role's policy"));
        let slip = expanded(quote!(polcy = "policies/reader.json"), item);
        assert_eq!(slip.matches("compile_error").count(), 1, "{slip}");
    }

    #[test]
    fn what_is_no_function_is_left_as_it_is() {
        let expansion = expanded(
            quote!([]),
            quote!(
                struct S;
            ),
        );
        assert!(
            expansion.contains("goes on a test function") && expansion.ends_with("struct S ;"),
            "{expansion}"
        );
    }
}
