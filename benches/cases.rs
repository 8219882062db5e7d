//! Questions about small policies: those that are known to be hard, and those in which variables matter.

/// A question that takes the most work of its kind: whether `new` allows nothing that `old` does not.
pub struct WorstCase {
    /// What there is much of.
    pub name: String,
    /// The policy that may grant more.
    pub new: String,
    /// The policy that it is compared with.
    pub old: String,
}

const BUCKET: &str = "arn:aws:s3:::b/";

/// A policy of statements: effect, elements.
fn policy(statements: &[String]) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","))
}

fn statement(effect: &str, action: &str, resource: &str, conditions: &str) -> String {
    format!(r#"{{"Effect": "{effect}", {action}, {resource}, "Condition": {{{conditions}}}}}"#)
}

fn on(resource: &str) -> String {
    format!(r#""Resource": "{BUCKET}{resource}""#)
}

fn not_on(resource: &str) -> String {
    format!(r#""NotResource": "{BUCKET}{resource}""#)
}

const GET: &str = r#""Action": "s3:GetObject""#;
const ANY: &str = r#""Resource": "*""#;

/// Policies as long as AWS accepts them, more or less.
#[must_use]
pub fn worst_cases() -> Vec<WorstCase> {
    let mut cases = Vec::new();
    let mut add = |name: &str, new: Vec<String>, old: Vec<String>| {
        cases.push(WorstCase { name: name.to_owned(), new: policy(&new), old: policy(&old) });
    };
    let allow = |resource: &str| statement("Allow", GET, &on(resource), "");
    let words =
        |count: u32| (0..count).map(|number| format!("{number:06b}").replace('0', "aab").replace('1', "aba"));
    for count in [8, 12, 16, 40] {
        let mut new: Vec<String> =
            words(count).map(|word| statement("Deny", GET, &not_on(&format!("*{word}*")), "")).collect();
        new.push(allow("*"));
        add(&format!("{count} patterns that a resource must all match"), new, vec![allow("*b*a*b*")]);
    }
    let many: Vec<String> = (0..60).map(|number| format!("a*{number}")).collect();
    add("60 stars in one pattern", vec![allow(&many.concat())], vec![allow(&"*a".repeat(60))]);
    add("a star and 60 question marks", vec![allow("*a*")], vec![allow(&format!("*a{}*", "?".repeat(60)))]);
    add(
        "60 question marks beside 30 patterns with as many",
        vec![allow("*")],
        (0..30).map(|number| allow(&format!("*a{}b*", "?".repeat(30 + number)))).collect(),
    );
    let keys = |count: usize, signs: usize| -> String {
        let of_operator = |operator: &str, wanted: usize| {
            let keys = (0..count).filter(|key| signs >> key & 1 == wanted);
            let keys: Vec<String> = keys.map(|key| format!(r#""aws:RequestTag/k{key}": "v""#)).collect();
            format!(r#""{operator}": {{{}}}"#, keys.join(","))
        };
        [of_operator("StringEquals", 0), of_operator("StringNotEquals", 1)].join(",")
    };
    for count in [9, 12] {
        let old = (0..1 << count).map(|signs| statement("Allow", GET, ANY, &keys(count, signs))).collect();
        let new = vec![statement("Allow", GET, ANY, "")];
        add(&format!("{count} keys, each combination of them a statement"), new, old);
    }
    let mut number = 1_usize;
    let mut next = |below: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) % below
    };
    let three = |next: &mut dyn FnMut(usize) -> usize| {
        let one = |next: &mut dyn FnMut(usize) -> usize| {
            let operator = ["StringEquals", "StringNotEquals"].get(next(2)).copied().unwrap_or_default();
            (operator, next(20))
        };
        let (a, b) = (one(next), one(next));
        let b = if a.0 == b.0 { ("StringLike", b.1) } else { b };
        format!(
            r#""{}": {{"aws:RequestTag/k{}": "v"}}, "{}": {{"aws:RequestTag/k{}": "v"}}, "StringNotLike": {{"aws:RequestTag/k{}": "v"}}"#,
            a.0,
            a.1,
            b.0,
            b.1,
            next(20)
        )
    };
    let old = (0..400).map(|_| statement("Allow", GET, ANY, &three(&mut next))).collect();
    add("20 keys in 400 statements", vec![statement("Allow", GET, ANY, "")], old);
    let infix = |letter: char| format!(r#""Action": "s3:*{letter}*""#);
    let old = ('a'..='p').map(|letter| statement("Allow", &infix(letter), ANY, "")).collect();
    add(
        "16 actions with two stars, each in a statement",
        vec![statement("Allow", r#""Action": "s3:*""#, ANY, "")],
        old,
    );
    let variables = |star: &str| -> String {
        let each: Vec<String> = (0..12).map(|key| format!("${{aws:PrincipalTag/k{key}}}{star}")).collect();
        each.concat()
    };
    add(
        "12 variables beside each other",
        vec![allow(&variables("/"))],
        vec![allow("*"), statement("Deny", GET, &on("a*b/*c*/d*"), "")],
    );
    add("12 variables between stars", vec![allow("*")], vec![allow(&variables("*"))]);
    let sets: Vec<String> = (0..14)
        .map(|number| {
            statement(
                "Allow",
                GET,
                ANY,
                &format!(r#""ForAnyValue:StringLike": {{"aws:TagKeys": "*{number}*"}}"#),
            )
        })
        .collect();
    add(
        "14 sets of values of one key",
        vec![statement("Allow", GET, ANY, r#""Null": {"aws:TagKeys": "false"}"#)],
        sets,
    );
    cases
}

/// Pairs of policies in which it matters what a variable can be.
#[must_use]
pub fn variable_cases() -> Vec<(String, String)> {
    const USER: &str = "${aws:username}";
    let allow = |resource: &str, conditions: &str| statement("Allow", GET, &on(resource), conditions);
    let deny = |resource: &str| statement("Deny", GET, &on(resource), "");
    let home = allow(&format!("home/{USER}/*"), "");
    let all = allow("home/*", "");
    let is_bob = r#""StringEquals": {"aws:username": "bob"}"#;
    let owned = |value: &str| format!(r#""StringEquals": {{"aws:ResourceTag/owner": "{value}"}}"#);
    let cases = [
        (vec![home.clone()], vec![all.clone()]),
        (vec![all.clone()], vec![home.clone()]),
        (vec![allow(&format!("home/{USER}/private"), "")], vec![home.clone()]),
        (vec![home.clone()], vec![all.clone(), deny("home/bob/*")]),
        (vec![home.clone(), deny("home/bob/*")], vec![all.clone(), deny("home/bob/*")]),
        (vec![allow("home/bob/*", is_bob)], vec![home.clone()]),
        (vec![allow("home/bob/*", "")], vec![home.clone()]),
        (vec![all.clone(), deny("home/bob/*")], vec![all.clone(), deny(&format!("home/{USER}/*"))]),
        (vec![all.clone(), deny(&format!("home/{USER}/*"))], vec![all.clone()]),
        (vec![allow("*", &owned(USER))], vec![allow("*", r#""Null": {"aws:username": "false"}"#)]),
        (vec![allow("*", &owned(USER))], vec![allow("*", &owned("bob"))]),
        (
            vec![allow("*", &format!(r#"{}, "StringLike": {{"aws:username": "bob"}}"#, owned(USER)))],
            vec![allow("*", &owned("bob"))],
        ),
    ];
    cases.into_iter().map(|(new, old)| (policy(&new), policy(&old))).collect()
}
