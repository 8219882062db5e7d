//! The condition keys of single operations, for each of their resources.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::Client;
use common::cases::{Case, form, json, rest};
use iam_endpoint::Endpoint;

/// A request, and for some of what it asks the values of keys: `ACTION RESOURCE` (what is behind `arn:aws:`), key, values.
type Keys = &'static [(&'static str, &'static str, &'static [&'static str])];

async fn has(cases: Vec<(Case, Keys)>) {
    let endpoint = Endpoint::new();
    let everything =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let anyone = Client::administrator(&endpoint).role("anyone", everything).await;
    for (Case { signing, request, .. }, keys) in cases {
        let answer = anyone.send(signing, request).await;
        let all = &answer.event.authorizations;
        for (asked, key, expected) in keys {
            let is_it = |action: &str, resource: &str| {
                format!("{action} {}", resource.trim_start_matches("arn:aws:")) == **asked
            };
            let found = all.iter().find(|one| is_it(one.action(), one.resource()));
            let found = found.unwrap_or_else(|| panic!("{asked}: {}", answer.body));
            let values = found.request.context.lookup(key).unwrap_or_default();
            assert_eq!(values, *expected, "{asked}: {key}");
        }
    }
}

#[tokio::test]
async fn each_of_several_resources_has_its_own_name() {
    let start = "Action=StartInstances&Version=2016-11-15&InstanceId.1=i-1&InstanceId.2=i-2";
    let run = "Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1&ImageId=ami-1&SubnetId=subnet-1&InstanceType=t3.micro";
    let make = "Action=CreateSubnet&Version=2016-11-15&VpcId=vpc-1&CidrBlock=10.0.0.0/24";
    has(vec![
        (
            form("ec2", start, &[]),
            &[
                ("ec2:StartInstances ec2:us-east-1:123456789012:instance/i-1", "ec2:InstanceID", &["i-1"]),
                ("ec2:StartInstances ec2:us-east-1:123456789012:instance/i-2", "ec2:InstanceID", &["i-2"]),
                ("ec2:StartInstances ec2:us-east-1:123456789012:instance/i-2", "ec2:Region", &["us-east-1"]),
            ],
        ),
        (
            form("ec2", run, &[]),
            &[
                ("ec2:RunInstances ec2:us-east-1::image/ami-1", "ec2:ImageID", &["ami-1"]),
                ("ec2:RunInstances ec2:us-east-1::image/ami-1", "ec2:InstanceType", &[]),
                ("ec2:RunInstances ec2:us-east-1::image/ami-1", "ec2:CreateAction", &[]),
                ("ec2:RunInstances ec2:us-east-1:123456789012:instance/*", "ec2:InstanceType", &["t3.micro"]),
                ("ec2:RunInstances ec2:us-east-1:123456789012:instance/*", "ec2:InstanceID", &[]),
                (
                    "ec2:RunInstances ec2:us-east-1:123456789012:subnet/subnet-1",
                    "ec2:SubnetID",
                    &["subnet-1"],
                ),
            ],
        ),
        (
            form("ec2", make, &[]),
            &[
                (
                    "ec2:CreateSubnet ec2:us-east-1:123456789012:subnet/*",
                    "ec2:Vpc",
                    &["arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1"],
                ),
                ("ec2:CreateSubnet ec2:us-east-1:123456789012:vpc/vpc-1", "ec2:VpcID", &["vpc-1"]),
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_statement_without_a_condition_reads_the_whole_table() {
    let statement = |text: &str| {
        json("dynamodb", "DynamoDB_20120810.ExecuteStatement", &format!(r#"{{"Statement": "{text}"}}"#), &[])
    };
    let both = r#"{"TransactStatements": [
        {"Statement": "SELECT a FROM t"}, {"Statement": "SELECT a FROM u WHERE pk = 'x'"}]}"#;
    has(vec![
        (statement("SELECT a FROM t"), &[(TABLE, "dynamodb:FullTableScan", &["true"])]),
        // Nobody has told which attribute is the partition key.
        (statement("SELECT a FROM t WHERE pk = 'x'"), &[(TABLE, "dynamodb:FullTableScan", &[])]),
        // What is not known of one table is no doubt about another.
        (
            json("dynamodb", "DynamoDB_20120810.ExecuteTransaction", both, &[]),
            &[
                (TABLE, "dynamodb:FullTableScan", &["true"]),
                (
                    "dynamodb:PartiQLSelect dynamodb:us-east-1:123456789012:table/u",
                    "dynamodb:FullTableScan",
                    &[],
                ),
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn each_of_several_actions_has_its_own_values() {
    let encrypt_again = r#"{"CiphertextBlob": "eA==", "SourceKeyId": "1", "DestinationKeyId": "2",
        "SourceEncryptionContext": {"a": "from"}, "DestinationEncryptionContext": {"a": "to"}}"#;
    let write = r#"{"TransactItems": [
        {"Put": {"TableName": "t", "Item": {"pk": {"S": "mine"}}}},
        {"Delete": {"TableName": "u", "Key": {"pk": {"S": "yours"}}}}]}"#;
    let pool = "Action=CreateVolume&Version=2016-11-15&AvailabilityZone=us-east-1a&Size=1\
                &TagSpecification.1.ResourceType=volume&TagSpecification.1.Tag.1.Key=a";
    has(vec![
        (
            json("kms", "TrentService.ReEncrypt", encrypt_again, &[]),
            &[
                ("kms:ReEncryptFrom kms:us-east-1:123456789012:key/1", "kms:EncryptionContext:a", &["from"]),
                ("kms:ReEncryptTo kms:us-east-1:123456789012:key/2", "kms:EncryptionContext:a", &["to"]),
            ],
        ),
        (
            json("dynamodb", "DynamoDB_20120810.TransactWriteItems", write, &[]),
            &[
                (
                    "dynamodb:PutItem dynamodb:us-east-1:123456789012:table/t",
                    "dynamodb:LeadingKeys",
                    &["mine"],
                ),
                (
                    "dynamodb:DeleteItem dynamodb:us-east-1:123456789012:table/u",
                    "dynamodb:LeadingKeys",
                    &["yours"],
                ),
            ],
        ),
        (
            form("ec2", pool, &[]),
            &[
                ("ec2:CreateVolume ec2:us-east-1:123456789012:volume/*", "ec2:CreateAction", &[]),
                ("ec2:CreateTags ec2:us-east-1:123456789012:volume/*", "ec2:CreateAction", &["CreateVolume"]),
            ],
        ),
    ])
    .await;
}

const TABLE: &str = "dynamodb:PartiQLSelect dynamodb:us-east-1:123456789012:table/t";

const GROUP: &str = "autoscaling:CreateAutoScalingGroup autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/g";

#[tokio::test]
async fn tags_are_found_under_whatever_name() {
    let group = "Action=CreateAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName=g&MinSize=0&MaxSize=1\
                 &VPCZoneIdentifier=subnet-1,subnet-2&Tags.member.1.Key=a&Tags.member.1.Value=b\
                 &Tags.member.1.PropagateAtLaunch=true";
    let instance = "Action=CreateDBInstance&Version=2014-10-31&DBInstanceIdentifier=d&DBInstanceClass=db.t3.micro\
                    &Engine=mysql&Tags.Tag.1.Key=a&Tags.Tag.1.Value=b";
    has(vec![
        (
            form("autoscaling", group, &[]),
            &[
                (GROUP, "aws:RequestTag/a", &["b"]),
                (GROUP, "aws:TagKeys", &["a"]),
                (GROUP, "autoscaling:VPCZoneIdentifiers", &["subnet-1", "subnet-2"]),
            ],
        ),
        (
            json(
                "cognito-identity",
                "AWSCognitoIdentityService.CreateIdentityPool",
                r#"{"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false, "IdentityPoolTags": {"a": "b"}}"#,
                &[],
            ),
            &[("cognito-identity:CreateIdentityPool *", "aws:RequestTag/a", &["b"])],
        ),
        (
            rest(
                "cloudfront",
                "POST",
                "/2020-05-31/tagging?Operation=Tag&Resource=arn:aws:cloudfront::123456789012:distribution/d",
                "<Tags><Items><Tag><Key>a</Key><Value>b</Value></Tag></Items></Tags>",
                &[],
            ),
            &[("cloudfront:TagResource cloudfront::123456789012:distribution/d", "aws:RequestTag/a", &["b"])],
        ),
        (
            form("rds", instance, &[]),
            &[("rds:CreateDBInstance rds:us-east-1:123456789012:db:d", "rds:req-tag/a", &["b"])],
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_a_request_cannot_say_is_known_to_be_absent() {
    let endpoint = Endpoint::new();
    let unless = |condition: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*"}},
                {{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {condition}}}]}}"#
        )
    };
    let administrator = Client::administrator(&endpoint);
    let deploy = || rest("apigateway", "POST", "/restapis/a/deployments", "{}", &[]).request;
    let patch = || rest("apigateway", "PATCH", "/restapis/a", r#"{"patchOperations": []}"#, &[]).request;
    let private = unless(r#"{"StringEquals": {"apigateway:Request/EndpointType": "PRIVATE"}}"#);
    let client = administrator.role("deployer", &private).await;
    assert_eq!(
        client.send("apigateway", deploy()).await.event.code.as_deref(),
        Some("AuthorizedNotPerformed")
    );
    assert_eq!(
        client.send("apigateway", patch()).await.event.code.as_deref(),
        Some("ConditionKeyNotEvaluable")
    );
    // A secret's value is asked for without tags, though the reference lists them with the action.
    let tagged = unless(r#"{"StringEquals": {"aws:RequestTag/team": "a"}}"#);
    let client = administrator.role("reader", &tagged).await;
    let read = json("secretsmanager", "secretsmanager.GetSecretValue", r#"{"SecretId": "s"}"#, &[]).request;
    assert_eq!(
        client.send("secretsmanager", read).await.event.code.as_deref(),
        Some("AuthorizedNotPerformed")
    );
    // Of the image of new instances nobody asks what is only a volume's.
    let snapshot = unless(r#"{"StringEquals": {"ec2:ParentVolume": "v"}}"#);
    let client = administrator.role("runner", &snapshot).await;
    let show = form(
        "ec2",
        "Action=DescribeImageAttribute&Version=2016-11-15&ImageId=ami-1&Attribute=description",
        &[],
    );
    assert_eq!(client.send("ec2", show.request).await.event.code.as_deref(), Some("AuthorizedNotPerformed"));
}

#[tokio::test]
async fn what_is_being_made_has_no_tags_yet() {
    let of_team = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}}"#;
    let client = Client::administrator(&Endpoint::new()).role("member", of_team).await;
    let call = |action: &str, group: &str| {
        let body = format!(
            "Action={action}&Version=2014-10-31&DBSnapshotIdentifier=s&DBInstanceIdentifier=d{group}"
        );
        form("rds", &body, &[]).request
    };
    let repository = json(
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921.CreateRepository",
        r#"{"repositoryName": "r"}"#,
        &[],
    );
    let made = client.send("ecr", repository.request).await;
    assert_eq!(made.event.code.as_deref(), Some("AccessDeniedException"), "{}", made.body);
    let made = client.send("rds", call("CreateDBInstance", "&DBInstanceClass=c&Engine=e")).await;
    assert_eq!(made.event.code.as_deref(), Some("AccessDenied"), "{}", made.body);
    // The snapshot is new, and the instance is not.
    for action in ["CreateDBSnapshot", "DeleteDBInstance"] {
        let answer = client.send("rds", call(action, "")).await;
        assert_eq!(answer.event.code.as_deref(), Some("ConditionKeyNotEvaluable"), "{}", answer.body);
    }
}
