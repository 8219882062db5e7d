//! Cases for the target `decide`: valid policies and requests of a small vocabulary, so that they meet.

use std::fmt;

use arbitrary::{Arbitrary, Error, Result, Unstructured};
use iam_policy::{Context, Diagnostics, Policies, Policy, PolicyKind, PolicySet, Principal, Request};

/// Policies and a request.
pub struct Case {
    pub request: Request,
    identity: Vec<Document>,
    resource: Option<Document>,
    boundary: Vec<Document>,
    session: Option<Vec<Document>>,
    scps: Vec<Vec<Document>>,
    rcps: Vec<Vec<Document>>,
}

/// A policy as text, of which each statement has a `Sid` that no other of the case has.
struct Document {
    kind: PolicyKind,
    version: &'static str,
    statements: Vec<String>,
}

impl Case {
    /// The policies as they are.
    #[must_use]
    pub fn together(&self) -> PolicySet {
        self.policies(|documents| {
            documents.iter().map(|document| document.of(&document.statements)).collect()
        })
    }

    /// The same, where one of several policies has to allow, in policies of a single statement each.
    #[must_use]
    pub fn apart(&self) -> PolicySet {
        let split = |document: &'_ Document| -> Vec<Policy> {
            document.statements.chunks(1).map(|statement| document.of(statement)).collect()
        };
        self.policies(|documents| documents.iter().flat_map(split).collect())
    }

    fn policies(&self, parse: impl Fn(&[Document]) -> Policies) -> PolicySet {
        let whole = |document: &Document| document.of(&document.statements);
        let levels = |levels: &[Vec<Document>]| levels.iter().map(|level| parse(level)).collect();
        PolicySet {
            identity: parse(&self.identity),
            resource: self.resource.as_ref().map(whole),
            boundary: self.boundary.iter().map(whole).collect(),
            session: self.session.as_deref().map(&parse),
            scps: levels(&self.scps),
            rcps: levels(&self.rcps),
        }
    }
}

impl Document {
    fn of(&self, statements: &[String]) -> Policy {
        self.parse(statements).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn parse(&self, statements: &[String]) -> std::result::Result<Policy, Diagnostics> {
        let text = format!(r#"{{"Version":"{}","Statement":[{}]}}"#, self.version, statements.join(","));
        Policy::parse(text, self.kind)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#?}\n{:#?}", self.request, self.together())
    }
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Case> {
        let mut grammar = Grammar { u, statements: 0 };
        Ok(Case {
            request: grammar.request()?,
            identity: grammar.list(2, |grammar| grammar.document(PolicyKind::Identity))?,
            resource: grammar.option(|grammar| {
                let kind = grammar.pick(&[PolicyKind::Resource, PolicyKind::Trust])?;
                grammar.document(kind)
            })?,
            boundary: grammar.list(1, |grammar| grammar.document(PolicyKind::Boundary))?,
            session: grammar
                .option(|grammar| grammar.list(2, |grammar| grammar.document(PolicyKind::Session)))?,
            scps: grammar.levels(PolicyKind::ServiceControl)?,
            rcps: grammar.levels(PolicyKind::ResourceControl)?,
        })
    }
}

/// Makes choices by the fuzzer's bytes; when these have run out, each is the first of its list.
struct Grammar<'u, 'a> {
    u: &'u mut Unstructured<'a>,
    /// Of all policies.
    statements: usize,
}

impl Grammar<'_, '_> {
    fn request(&mut self) -> Result<Request> {
        let mut context = Context::new();
        for key in KEYS {
            match self.u.int_in_range(0..=4)? {
                0 => {}
                1 => {
                    context.absent(key);
                }
                2 => {
                    context.set_many(key, self.list(3, |grammar| grammar.pick(&VALUES))?);
                }
                _ => {
                    context.set(key, self.pick(&VALUES)?);
                }
            }
        }
        Ok(Request {
            principal: self.principal()?,
            action: self
                .requested(&["s3:GetObject", "sts:AssumeRole", "kms:Decrypt", "a:b", "a", "", ":"], "ab:")?,
            resource: self.requested(&["arn:aws:s3:::b/alice", "arn:aws:s3:::ab", "*", ""], "arn:*?/b")?,
            resource_account: self.option(|grammar| grammar.pick(&ACCOUNTS))?.map(str::to_owned),
            context,
        })
    }

    fn principal(&mut self) -> Result<Principal> {
        let account = self.pick(&ACCOUNTS)?;
        let path = self.pick(&["", "team/", "aws-service-role/s3.amazonaws.com/"])?;
        let user = format!("arn:aws:iam::{account}:user/{path}alice");
        Ok(match self.u.int_in_range(0..=6)? {
            0 => Principal::User { arn: user },
            1 => Principal::AssumedRole {
                role_arn: format!("arn:aws:iam::{account}:role/{path}reader"),
                session_arn: format!("arn:aws:sts::{account}:assumed-role/reader/test"),
            },
            2 => Principal::FederatedUser {
                arn: format!("arn:aws:sts::{account}:federated-user/bob"),
                user_arn: self.option(|_| Ok(user))?,
            },
            3 => Principal::Root { arn: format!("arn:aws:iam::{account}:root") },
            4 => Principal::Service { name: "lambda.amazonaws.com".to_owned() },
            5 => Principal::Federated { provider: "cognito-identity.amazonaws.com".to_owned() },
            _ => Principal::Anonymous,
        })
    }

    /// One of the known texts, or any of a few signs.
    fn requested(&mut self, known: &[&str], signs: &str) -> Result<String> {
        let any = self.u.ratio(1, 4)?;
        if any { self.word(signs, 0) } else { Ok(self.pick(known)?.to_owned()) }
    }

    fn levels(&mut self, kind: PolicyKind) -> Result<Vec<Vec<Document>>> {
        self.list(2, |grammar| grammar.list(2, |grammar| grammar.document(kind)))
    }

    fn document(&mut self, kind: PolicyKind) -> Result<Document> {
        let version = match kind {
            PolicyKind::ResourceControl | PolicyKind::ServiceControl => "2012-10-17",
            _ => self.pick(&["2012-10-17", "2012-10-17", "2008-10-17"])?,
        };
        let first = self.statement(kind, version)?;
        let mut statements = self.list(6, |grammar| grammar.statement(kind, version))?;
        statements.push(first);
        // Seldom so many about the same that they are looked up by their resources, or their policies together.
        if kind == PolicyKind::Identity && self.u.ratio(1, 16)? {
            let sids = |again: usize| format!(r#""Sid":"again{again}"#);
            let copies = (0..12).flat_map(|again| {
                statements.iter().map(move |statement| statement.replacen(r#""Sid":""#, &sids(again), 1))
            });
            statements = copies.collect();
        }
        let document = Document { kind, version, statements };
        // What the grammar gets wrong about a kind is no case.
        if document.parse(&document.statements).is_ok() { Ok(document) } else { Err(Error::IncorrectFormat) }
    }

    fn statement(&mut self, kind: PolicyKind, version: &str) -> Result<String> {
        self.statements += 1;
        let effect = match kind {
            PolicyKind::ResourceControl => "Deny",
            _ => self.pick(&["Allow", "Allow", "Deny"])?,
        };
        let mut members = vec![format!(r#""Sid":"s{}","Effect":"{effect}""#, self.statements)];
        match kind {
            PolicyKind::ResourceControl => members.push(r#""Principal":"*""#.to_owned()),
            PolicyKind::Resource | PolicyKind::Trust => members.push(self.principals(kind)?),
            _ => {}
        }
        let actions = self.patterns(|grammar| grammar.action(kind))?;
        let not = if kind == PolicyKind::ResourceControl { "" } else { self.not()? };
        members.push(format!(r#""{not}Action":{actions}"#));
        if kind != PolicyKind::Trust {
            let resources = self.patterns(Self::resource)?;
            members.push(format!(r#""{}Resource":{resources}"#, self.not()?));
        }
        let conditions = self.list(2, |grammar| grammar.condition(version))?;
        if let Some(condition) = conditions.first() {
            let second = conditions.get(1).filter(|second| second.0 != condition.0);
            let second = second.map_or(String::new(), |(operator, body)| format!(r#","{operator}":{body}"#));
            members.push(format!(r#""Condition":{{"{}":{}{second}}}"#, condition.0, condition.1));
        }
        Ok(format!("{{{}}}", members.join(",")))
    }

    fn principals(&mut self, kind: PolicyKind) -> Result<String> {
        let one = self.pick(&[
            r#""*""#,
            r#"{"AWS":"*"}"#,
            r#"{"AWS":"111122223333"}"#,
            r#"{"AWS":["arn:aws:iam::111122223333:root","444455556666"]}"#,
            r#"{"AWS":["arn:aws:iam::111122223333:user/alice","111122223333"]}"#,
            r#"{"AWS":["arn:aws:iam::111122223333:role/reader","arn:aws:sts::111122223333:assumed-role/reader/test"]}"#,
            r#"{"AWS":"arn:aws:iam::111122223333:role/team/reader"}"#,
            r#"{"AWS":"arn:aws:sts::111122223333:federated-user/bob"}"#,
            r#"{"Service":"lambda.amazonaws.com"}"#,
            r#"{"Federated":"cognito-identity.amazonaws.com"}"#,
        ])?;
        // A trust policy says whom it trusts, not whom it does not.
        let not = if kind == PolicyKind::Trust { "" } else { self.not()? };
        Ok(format!(r#""{not}Principal":{one}"#))
    }

    fn action(&mut self, kind: PolicyKind) -> Result<String> {
        if kind == PolicyKind::Trust {
            return Ok(self
                .pick(&["sts:AssumeRole", "sts:*", "sts:TagSession", "STS:assume?ole"])?
                .to_owned());
        }
        let known = ["s3:*", "s3:Get*", "S3:getobject", "sts:AssumeRole", "kms:De*", "*", "*:*"];
        if kind == PolicyKind::ResourceControl {
            return Ok(self.pick(&known[..5])?.to_owned());
        }
        if self.u.ratio(1, 2)? {
            return Ok(self.pick(&known)?.to_owned());
        }
        let service = self.pick(&["a", "b", "ab"])?;
        Ok(format!("{service}:{}", self.word("abB*?", 1)?))
    }

    fn resource(&mut self) -> Result<String> {
        let known = [
            "*",
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::b/${aws:username}",
            "arn:*:s3:::${aws:username, 'a'}b",
            "arn:aws:s3:::b/${*}",
        ];
        if self.u.ratio(3, 4)? {
            return Ok(self.pick(&known)?.to_owned());
        }
        Ok(format!("arn:aws:s3:::{}", self.word("ab*?/:", 1)?))
    }

    /// An operator, and what it compares.
    fn condition(&mut self, version: &str) -> Result<(String, String)> {
        let (comparison, values): (&str, &[&str]) = self.pick(&[
            ("StringEquals", &TEXTS[..]),
            ("StringNotEquals", &TEXTS),
            ("StringEqualsIgnoreCase", &TEXTS),
            ("StringLike", &TEXTS),
            ("StringNotLike", &TEXTS),
            ("ArnLike", &["arn:aws:s3:::b*", "arn:*:s3:*:*:a?b", "*"]),
            ("ArnNotEquals", &["arn:aws:s3:::b*", "arn:aws:iam::111122223333:user/*"]),
            ("NumericLessThan", &["10", "-2.5", "0"]),
            ("NumericNotEquals", &["10", "1e1"]),
            ("DateGreaterThanEquals", &["2026-01-01", "1767225600", "2026-01-01T00:00:00Z"]),
            ("DateNotEquals", &["2026-01-01", "1767225600"]),
            ("Bool", &["true", "false"]),
            ("BinaryEquals", &["YQ==", "dHJ1ZQ=="]),
            ("IpAddress", &["10.0.0.0/8", "::/0", "10.1.2.3"]),
            ("NotIpAddress", &["10.0.0.0/8", "2001:db8::/32"]),
            ("Null", &["true", "false"]),
        ])?;
        let quantifier = self.pick(&["", "", "ForAllValues:", "ForAnyValue:"])?;
        let if_exists = if comparison == "Null" { "" } else { self.pick(&["", "IfExists"])? };
        let key = self.pick(&KEYS)?;
        let values = self.patterns(|grammar| {
            let value = grammar.pick(values)?;
            // The older language has no variables, and its readers reject what looks like one.
            Ok(if version == "2008-10-17" { value.replace('$', "") } else { value.to_owned() })
        })?;
        Ok((format!("{quantifier}{comparison}{if_exists}"), format!(r#"{{"{key}":{values}}}"#)))
    }

    /// Seldom so many that a policy looks its statements up.
    fn patterns(&mut self, mut one: impl FnMut(&mut Self) -> Result<String>) -> Result<String> {
        let most = if self.u.ratio(1, 8)? { 40 } else { 2 };
        let mut patterns = vec![one(self)?];
        patterns.extend(self.list(most, one)?);
        Ok(format!(r#"["{}"]"#, patterns.join(r#"",""#)))
    }

    fn not(&mut self) -> Result<&'static str> {
        Ok(if self.u.ratio(1, 6)? { "Not" } else { "" })
    }

    fn word(&mut self, signs: &str, least: usize) -> Result<String> {
        let length = self.u.int_in_range(least..=6)?;
        (0..length).map(|_| Ok(char::from(*self.u.choose(signs.as_bytes())?))).collect()
    }

    fn list<T>(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let length = self.u.int_in_range(0..=most)?;
        (0..length).map(|_| one(self)).collect()
    }

    fn option<T>(&mut self, one: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        if self.u.arbitrary()? { one(self).map(Some) } else { Ok(None) }
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> Result<T> {
        self.u.choose(of).copied()
    }
}

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const KEYS: [&str; 6] =
    ["aws:username", "aws:SourceIp", "aws:CurrentTime", "aws:TagKeys", "aws:PrincipalArn", "s3:max-keys"];
const TEXTS: [&str; 7] = ["alice", "AL?CE", "a*", "${aws:username}", "${aws:PrincipalArn, 'x'}", "${*}", ""];
const VALUES: [&str; 10] = [
    "alice",
    "10.1.2.3",
    "2001:db8::1",
    "2026-01-01T00:00:00Z",
    "10",
    "true",
    "",
    "*",
    "arn:aws:s3:::b",
    "arn:aws:iam::111122223333:user/alice",
];
