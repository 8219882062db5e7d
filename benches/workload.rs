//! Policies, and the requests that are decided by them.

use iam_policy::{Context, Policy, PolicyKind, PolicySet, Principal, Request, managed};

/// The account that everything belongs to.
pub const ACCOUNT: &str = "111122223333";

/// Who asks.
pub const USER: &str = "arn:aws:iam::111122223333:user/alice";

/// Identity-based policies of one user, and what she asks for.
pub struct Workload {
    /// What the policies are.
    pub name: String,
    /// Their documents.
    pub policies: Vec<String>,
    /// Asked in turn.
    pub questions: Vec<Question>,
}

/// One request.
#[derive(Clone)]
pub struct Question {
    /// `s3:GetObject`
    pub action: String,
    /// Its ARN.
    pub resource: String,
    /// Condition keys with one value each.
    pub context: Vec<(&'static str, String)>,
}

impl Workload {
    /// An AWS managed policy, and actions of several services of which it allows some.
    ///
    /// # Panics
    ///
    /// When AWS has no such policy.
    #[must_use]
    pub fn managed(name: &str) -> Workload {
        let policy = managed::find(name).expect("an AWS managed policy");
        let questions = [
            ("s3:GetObject", "arn:aws:s3:::reports/may.csv"),
            ("s3:PutObject", "arn:aws:s3:::reports/may.csv"),
            ("ec2:DescribeInstances", "arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0"),
            ("ec2:TerminateInstances", "arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0"),
            ("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"),
            ("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"),
            ("iam:GetRole", "arn:aws:iam::111122223333:role/reader"),
            ("iam:CreateRole", "arn:aws:iam::111122223333:role/reader"),
            ("organizations:DescribeOrganization", "arn:aws:organizations::111122223333:organization/o-1"),
            ("xray:GetTraceSummaries", "arn:aws:xray:eu-west-1:111122223333:group/all/1"),
        ];
        Workload {
            name: name.to_owned(),
            policies: vec![policy.document().to_owned()],
            questions: questions.map(|(action, resource)| Question::new(action, resource, &[])).into(),
        }
    }

    /// Fifty statements with four conditions each, every one for an action and a team of its own.
    #[must_use]
    pub fn teams() -> Workload {
        let statement = |team: usize| {
            format!(
                r#"{{"Effect":"Allow","Action":["s3:Get{team}*","s3:Put{team}*"],"Resource":"arn:aws:s3:::team-{team}/*","Condition":{}}}"#,
                conditions(team)
            )
        };
        let action = |team: usize| format!("s3:Get{team}x");
        Workload::conditional("50 statements, conditions, own actions", statement, action)
    }

    /// Fifty statements with four conditions each, which all are about the action and the resource of the request: the
    /// conditions decide.
    #[must_use]
    pub fn teams_alike() -> Workload {
        let statement = |team: usize| {
            format!(
                r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::team-*","Condition":{}}}"#,
                conditions(team)
            )
        };
        Workload::conditional("50 statements, conditions, same action", statement, |_| {
            "s3:GetObject".to_owned()
        })
    }

    fn conditional(
        name: &str,
        statement: impl Fn(usize) -> String,
        action: impl Fn(usize) -> String,
    ) -> Workload {
        let question = |team: usize, source: &str| {
            let context = [
                ("aws:PrincipalTag/team", format!("team-{team}")),
                ("aws:SourceIp", source.to_owned()),
                ("aws:SecureTransport", "true".to_owned()),
                ("aws:CurrentTime", "2026-11-21T12:00:00Z".to_owned()),
            ];
            Question::new(&action(team), &format!("arn:aws:s3:::team-{team}/may.csv"), &context)
        };
        let teams = [0, 7, 23, 49, 50];
        Workload {
            name: name.to_owned(),
            policies: vec![document((0..50).map(statement))],
            questions: teams
                .into_iter()
                .flat_map(|team| ["10.1.2.3", "192.0.2.1"].map(|source| question(team, source)))
                .collect(),
        }
    }

    /// Many statements of which one is about the request: in one policy, or each in its own. They are about actions of
    /// their own, or all about one action on resources of their own.
    #[must_use]
    pub fn many(statements: usize, in_one: bool, own_action: bool) -> Workload {
        let service = |number: usize| if own_action { format!("service{number}") } else { "s3".to_owned() };
        let statement = |number: usize| {
            let service = service(number);
            format!(
                r#"{{"Effect":"Allow","Action":"{service}:GetItem","Resource":"arn:aws:{service}:::item-{number}/*"}}"#
            )
        };
        let policies = if in_one {
            vec![document((0..statements).map(statement))]
        } else {
            (0..statements).map(|number| document([statement(number)])).collect()
        };
        let number = statements / 2;
        let service = service(number);
        let (action, resource) =
            (format!("{service}:GetItem"), format!("arn:aws:{service}:::item-{number}/x"));
        Workload {
            name: format!("{statements} statements"),
            policies,
            questions: vec![Question::new(&action, &resource, &[])],
        }
    }

    /// The policies, as this engine takes them.
    ///
    /// # Panics
    ///
    /// When one is not a policy.
    #[must_use]
    pub fn policy_set(&self) -> PolicySet {
        let parse =
            |text: &String| Policy::parse(text.as_str(), PolicyKind::Identity).expect("a valid policy");
        PolicySet { identity: self.policies.iter().map(parse).collect(), ..PolicySet::default() }
    }
}

impl Question {
    fn new(action: &str, resource: &str, context: &[(&'static str, String)]) -> Question {
        Question { action: action.to_owned(), resource: resource.to_owned(), context: context.to_vec() }
    }

    /// The question, as this engine takes it.
    #[must_use]
    pub fn request(&self) -> Request {
        let mut context = Context::new();
        for (key, value) in &self.context {
            context.set(*key, value.clone());
        }
        Request {
            principal: Principal::User { arn: USER.to_owned() },
            action: self.action.clone(),
            resource: self.resource.clone(),
            resource_account: Some(ACCOUNT.to_owned()),
            context,
        }
    }
}

/// A policy of five statements, such as a service's role has, written by hand over several lines.
#[must_use]
pub fn typical_policy() -> &'static str {
    r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ListReports",
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::platform-reports",
      "Condition": {"StringLike": {"s3:prefix": ["daily/*", "monthly/*"]}}
    },
    {
      "Sid": "ReadReports",
      "Effect": "Allow",
      "Action": ["s3:GetObject", "s3:GetObjectTagging"],
      "Resource": ["arn:aws:s3:::platform-reports/daily/*", "arn:aws:s3:::platform-reports/monthly/*"]
    },
    {
      "Sid": "Orders",
      "Effect": "Allow",
      "Action": ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem"],
      "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
    },
    {
      "Sid": "Queue",
      "Effect": "Allow",
      "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      "Resource": "arn:aws:sqs:eu-west-1:111122223333:orders-*"
    },
    {
      "Sid": "OnlyOverTls",
      "Effect": "Deny",
      "Action": "*",
      "Resource": "*",
      "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    }
  ]
}"#
}

fn document(statements: impl IntoIterator<Item = String>) -> String {
    let statements: Vec<String> = statements.into_iter().collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

fn conditions(team: usize) -> String {
    format!(
        r#"{{"StringEquals":{{"aws:PrincipalTag/team":"team-{team}"}},"IpAddress":{{"aws:SourceIp":"10.0.0.0/8"}},"Bool":{{"aws:SecureTransport":"true"}},"DateGreaterThan":{{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}}}"#
    )
}
