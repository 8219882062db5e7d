//! Inclusion as SMT-LIB text, for a solver: what IAM's documentation says of policies once more, in other words.
//!
//! Texts are strings, wildcards regular expressions, a condition key a string that may be absent. What has no simple words there
//! is left out: operators on sets, on numbers and the like, keys with several values, defaults of variables.

use std::fmt::Write;

use iam_policy::{Condition, Effect, Element, GlobalKey, Policy, Statement, Version, catalogue};

/// Whether `new` allows what `old` does not, as a text that is `sat` if it does; none where something has no words.
#[must_use]
pub fn question(new: &Policy, old: &Policy) -> Option<String> {
    let mut keys = Vec::new();
    let allowed = [allowed(new, &mut keys)?, allowed(old, &mut keys)?];
    let mut text =
        String::from("(set-logic ALL)\n(declare-const action String)\n(declare-const resource String)\n");
    for number in 0..keys.len() {
        writeln!(text, "(declare-const has{number} Bool)\n(declare-const key{number} String)").ok()?;
    }
    let some = "(re.+ re.allchar)";
    writeln!(text, "(assert (str.in_re action (re.++ {some} (str.to_re \":\") {some})))").ok()?;
    writeln!(text, "(assert (not (= resource \"\")))").ok()?;
    let [new, old] = allowed;
    writeln!(text, "(assert {new})\n(assert (not {old}))\n(check-sat)").ok()?;
    Some(text)
}

enum Token {
    Character(char),
    Key(usize),
    Many,
    One,
}

/// How a pattern is read.
#[derive(Clone, Copy)]
struct Syntax {
    wildcards: bool,
    variables: bool,
    /// Wildcards stay within the first parts of an ARN.
    arn: bool,
}

fn allowed(policy: &Policy, keys: &mut Vec<String>) -> Option<String> {
    let mut all = |effect| {
        let of_effect = policy.statements().iter().filter(|statement| statement.effect() == effect);
        of_effect.map(|one| statement(one, policy.version(), keys)).collect::<Option<Vec<String>>>()
    };
    let (allows, denies) = (all(Effect::Allow)?, all(Effect::Deny)?);
    Some(format!("(and {} (not {}))", join("or", "false", &allows), join("or", "false", &denies)))
}

fn statement(statement: &Statement, version: Version, keys: &mut Vec<String>) -> Option<String> {
    let plain = Syntax { wildcards: true, variables: false, arn: false };
    let free = Syntax { variables: version == Version::V2012, ..plain };
    let mut all = vec![element("action", &statement.actions(), plain, keys)?];
    if let Some(resources) = statement.resources() {
        all.push(element("resource", &resources, free, keys)?);
    }
    for one in statement.conditions() {
        all.push(condition(one, free, keys)?);
    }
    Some(join("and", "true", &all))
}

fn element(subject: &str, element: &Element<'_>, syntax: Syntax, keys: &mut Vec<String>) -> Option<String> {
    let texts = element.values.iter().map(|value| {
        // Actions have no case.
        if subject == "action" { value.text.to_ascii_lowercase() } else { value.text.to_owned() }
    });
    let any = any(subject, texts, syntax, keys)?;
    Some(if element.is_negated { format!("(not {any})") } else { any })
}

fn condition(condition: &Condition, free: Syntax, keys: &mut Vec<String>) -> Option<String> {
    let operator = condition.operator();
    let (name, if_exists) =
        operator.strip_suffix("IfExists").map_or((&*operator, false), |name| (name, true));
    let number = key(condition.key(), keys)?;
    let (has, value) = (format!("has{number}"), format!("key{number}"));
    let texts = || condition.values().map(|value| value.text.to_owned());
    let syntax = match name {
        "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => Syntax { arn: true, ..free },
        "Null" => {
            let each = texts().map(|text| if text == "true" { format!("(not {has})") } else { has.clone() });
            return Some(join("or", "false", &each.collect::<Vec<_>>()));
        }
        "StringEquals" | "StringNotEquals" => Syntax { wildcards: false, ..free },
        "StringLike" | "StringNotLike" => free,
        _ => return None,
    };
    let any = any(&value, texts(), syntax, keys)?;
    Some(match (name.contains("Not"), if_exists) {
        (true, _) => format!("(or (not {has}) (not {any}))"),
        (false, true) => format!("(or (not {has}) {any})"),
        (false, false) => format!("(and {has} {any})"),
    })
}

/// The number of a condition key that has one value at most.
fn key(name: &str, keys: &mut Vec<String>) -> Option<usize> {
    let several = match (GlobalKey::find(name), catalogue::condition_key(name)) {
        (Some(global), _) => global.is_multivalued(),
        (None, Some(of_service)) => of_service.is_multivalued(),
        (None, None) => false,
    };
    let name = name.to_ascii_lowercase();
    let number = keys.iter().position(|known| *known == name).unwrap_or_else(|| {
        keys.push(name);
        keys.len() - 1
    });
    (!several).then_some(number)
}

/// Whether one of some patterns matches.
fn any(
    subject: &str,
    texts: impl Iterator<Item = String>,
    syntax: Syntax,
    keys: &mut Vec<String>,
) -> Option<String> {
    let (mut regular, mut others) = (Vec::new(), Vec::new());
    for text in texts {
        let tokens = tokens(&text, syntax, keys)?;
        if tokens.iter().any(|token| matches!(token, Token::Key(_))) {
            others.push(with_variables(subject, &tokens, syntax)?);
        } else {
            regular.push(regular_expression(&tokens, syntax.arn && text != "*"));
        }
    }
    if !regular.is_empty() {
        others.push(format!("(str.in_re {subject} {})", join("re.union", "re.none", &regular)));
    }
    Some(join("or", "false", &others))
}

fn tokens(text: &str, syntax: Syntax, keys: &mut Vec<String>) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(inner) = rest.strip_prefix("${").filter(|_| syntax.variables) {
            let (name, after) = inner.split_once('}')?;
            if matches!(name, "*" | "?" | "$") {
                tokens.extend(name.chars().map(Token::Character));
            } else if name.contains(',') {
                return None;
            } else {
                tokens.push(Token::Key(key(name, keys)?));
            }
            rest = after;
            continue;
        }
        tokens.push(match c {
            '*' if syntax.wildcards => Token::Many,
            '?' if syntax.wildcards => Token::One,
            c => Token::Character(c),
        });
        rest = rest.get(c.len_utf8()..)?;
    }
    Some(tokens)
}

fn regular_expression(tokens: &[Token], arn: bool) -> String {
    let (mut parts, mut literal, mut colons) = (Vec::new(), String::new(), 0);
    for token in tokens {
        let one = if arn && colons < 5 { "(re.diff re.allchar (str.to_re \":\"))" } else { "re.allchar" };
        let part = match token {
            Token::Character(c) => {
                colons += usize::from(*c == ':');
                literal.push(*c);
                continue;
            }
            Token::Many if one == "re.allchar" => "re.all".to_owned(),
            Token::Many => format!("(re.* {one})"),
            Token::Key(_) | Token::One => one.to_owned(),
        };
        if !literal.is_empty() {
            parts.push(format!("(str.to_re {})", quoted(&std::mem::take(&mut literal))));
        }
        parts.push(part);
    }
    if !literal.is_empty() || parts.is_empty() {
        parts.push(format!("(str.to_re {})", quoted(&literal)));
    }
    join("re.++", "", &parts)
}

/// A pattern with variables: its pieces between the `*`, each at the first place that is left for it.
fn with_variables(subject: &str, tokens: &[Token], syntax: Syntax) -> Option<String> {
    if syntax.arn {
        return None;
    }
    let mut all = Vec::new();
    let mut pieces = Vec::new();
    for piece in tokens.split(|token| matches!(token, Token::Many)) {
        let mut parts = Vec::new();
        for token in piece {
            match token {
                Token::Character(c) => parts.push(quoted(&c.to_string())),
                Token::Key(number) => {
                    all.push(format!("has{number}"));
                    parts.push(format!("key{number}"));
                }
                Token::Many | Token::One => return None,
            }
        }
        pieces.push(join("str.++", "\"\"", &parts));
    }
    let (first, rest) = pieces.split_first()?;
    let Some((last, middle)) = rest.split_last() else {
        all.push(format!("(= {subject} {first})"));
        return Some(join("and", "true", &all));
    };
    all.push(format!("(str.prefixof {first} {subject})"));
    all.push(format!("(str.suffixof {last} {subject})"));
    let mut from = format!("(str.len {first})");
    for piece in middle {
        let found = format!("(str.indexof {subject} {piece} {from})");
        all.push(format!("(>= {found} 0)"));
        from = format!("(+ {found} (str.len {piece}))");
    }
    all.push(format!("(<= (+ {from} (str.len {last})) (str.len {subject}))"));
    Some(join("and", "true", &all))
}

fn join(operator: &str, nothing: &str, parts: &[String]) -> String {
    match parts {
        [] => nothing.to_owned(),
        [one] => one.clone(),
        _ => format!("({operator} {})", parts.join(" ")),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\"\""),
            ' '..='~' if c != '\\' => quoted.push(c),
            c => quoted.extend(["\\u{".to_owned(), format!("{:x}", u32::from(c)), "}".to_owned()]),
        }
    }
    quoted + "\""
}
