//! What single operations ask for: cases that no rule reaches, each from AWS's pages or from what AWS's denials say.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::Client;
use common::cases::{check, form, json, rest};
use iam_endpoint::{Endpoint, Organization, Target};

#[tokio::test]
async fn lists_are_of_what_aws_denies_them_on() {
    let cases = vec![
        json(
            "dynamodb",
            "DynamoDB_20120810.ListTables",
            "{}",
            &[("dynamodb:ListTables", "dynamodb:us-east-1:123456789012:table/*")],
        ),
        json("sqs", "AmazonSQS.ListQueues", "{}", &[("sqs:ListQueues", "sqs:us-east-1:123456789012:")]),
        form(
            "sns",
            "Action=ListTopics&Version=2010-03-31",
            &[("sns:ListTopics", "sns:us-east-1:123456789012:*")],
        ),
        json(
            "ssm",
            "AmazonSSM.DescribeParameters",
            "{}",
            &[("ssm:DescribeParameters", "ssm:us-east-1:123456789012:*")],
        ),
        json(
            "states",
            "AWSStepFunctions.ListStateMachines",
            "{}",
            &[("states:ListStateMachines", "states:us-east-1:123456789012:stateMachine:*")],
        ),
        json(
            "events",
            "AWSEvents.ListRules",
            "{}",
            &[("events:ListRules", "events:us-east-1:123456789012:rule/*")],
        ),
        rest("eks", "GET", "/clusters", "", &[("eks:ListClusters", "eks:us-east-1:123456789012:cluster/*")]),
        form(
            "cloudformation",
            "Action=ListStacks&Version=2010-05-15",
            &[("cloudformation:ListStacks", "cloudformation:us-east-1:123456789012:stack/*/*")],
        ),
        json(
            "cognito-identity",
            "AWSCognitoIdentityService.ListIdentityPools",
            r#"{"MaxResults": 1}"#,
            &[(
                "cognito-identity:ListIdentityPools",
                "cognito-identity:us-east-1:123456789012:identitypool/",
            )],
        ),
        json("kms", "TrentService.ListKeys", "{}", &[("kms:ListKeys", "*")]),
    ];
    check(&Endpoint::new(), cases).await;
}

#[tokio::test]
async fn what_is_made_with_tags_is_tagged() {
    let cases = vec![
        form(
            "rds",
            "Action=CreateDBSubnetGroup&Version=2014-10-31&DBSubnetGroupName=g&Tags.Tag.1.Key=a&Tags.Tag.1.Value=b",
            &[
                ("rds:CreateDBSubnetGroup", "rds:us-east-1:123456789012:subgrp:g"),
                ("rds:AddTagsToResource", "rds:us-east-1:123456789012:subgrp:g"),
            ],
        ),
        form(
            "rds",
            "Action=CreateDBSubnetGroup&Version=2014-10-31&DBSubnetGroupName=g",
            &[("rds:CreateDBSubnetGroup", "rds:us-east-1:123456789012:subgrp:g")],
        ),
        // The name of the copy, not that of what is copied.
        form(
            "elasticache",
            "Action=CopySnapshot&Version=2015-02-02&SourceSnapshotName=a&TargetSnapshotName=b&Tags.Tag.1.Key=k",
            &[
                ("elasticache:CopySnapshot", "elasticache:us-east-1:123456789012:snapshot:a"),
                ("elasticache:CopySnapshot", "elasticache:us-east-1:123456789012:snapshot:b"),
                ("elasticache:AddTagsToResource", "elasticache:us-east-1:123456789012:snapshot:b"),
            ],
        ),
        json(
            "sagemaker",
            "SageMaker.CreateTrial",
            r#"{"TrialName": "t", "ExperimentName": "e", "Tags": [{"Key": "a", "Value": "b"}]}"#,
            &[
                ("sagemaker:CreateTrial", "sagemaker:us-east-1:123456789012:experiment/e"),
                ("sagemaker:CreateTrial", "sagemaker:us-east-1:123456789012:experiment-trial/t"),
                ("sagemaker:AddTags", "sagemaker:us-east-1:123456789012:experiment-trial/t"),
            ],
        ),
        json(
            "kinesis",
            "Kinesis_20131202.RegisterStreamConsumer",
            r#"{"StreamARN": "arn:aws:kinesis:us-east-1:123456789012:stream/s", "ConsumerName": "c", "Tags": {"a": "b"}}"#,
            &[
                ("kinesis:RegisterStreamConsumer", "kinesis:us-east-1:123456789012:stream/s"),
                ("kinesis:TagResource", "kinesis:us-east-1:123456789012:stream/s/consumer/c:*"),
            ],
        ),
        form(
            "ec2",
            "Action=CopyImage&Version=2016-11-15&SourceImageId=ami-1&SourceRegion=eu-west-1&Name=n\
             &TagSpecification.1.ResourceType=image&TagSpecification.1.Tag.1.Key=a",
            &[
                ("ec2:CopyImage", "ec2:us-east-1::image/*"),
                ("ec2:CopyImage", "ec2:us-east-1::snapshot/*"),
                ("ec2:CreateTags", "ec2:us-east-1::image/*"),
            ],
        ),
        form(
            "ec2",
            "Action=CreateKeyPair&Version=2016-11-15&KeyName=k&TagSpecification.1.ResourceType=key-pair&TagSpecification.1.Tag.1.Key=a",
            &[
                ("ec2:CreateKeyPair", "ec2:us-east-1:123456789012:key-pair/k"),
                ("ec2:CreateTags", "ec2:us-east-1:123456789012:key-pair/k"),
            ],
        ),
        rest(
            "s3tables",
            "PUT",
            "/tables/arn%3Aaws%3As3tables%3Aus-east-1%3A123456789012%3Abucket%2Fb/n",
            r#"{"name": "t", "format": "ICEBERG", "metadata": {}, "tags": {"a": "b"}}"#,
            &[
                ("s3tables:CreateTable", "s3tables:us-east-1:123456789012:bucket/b"),
                ("s3tables:PutTableData", "s3tables:us-east-1:123456789012:bucket/b/table/*"),
                ("s3tables:TagResource", "s3tables:us-east-1:123456789012:bucket/b/table/*"),
            ],
        ),
    ];
    check(&Endpoint::new(), cases).await;
}

const LOAD_BALANCER: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc";

#[tokio::test]
async fn load_balancers_have_the_arns_of_their_type() {
    let call = |body: &str| format!("Version=2015-12-01&{body}");
    let cases = vec![
        form(
            "elasticloadbalancing",
            &call("Action=CreateLoadBalancer&Name=web&Tags.member.1.Key=a"),
            &[
                (
                    "elasticloadbalancing:CreateLoadBalancer",
                    "elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/*",
                ),
                (
                    "elasticloadbalancing:AddTags",
                    "elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/*",
                ),
            ],
        ),
        form(
            "elasticloadbalancing",
            &call("Action=CreateLoadBalancer&Name=web&Type=network"),
            &[(
                "elasticloadbalancing:CreateLoadBalancer",
                "elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/web/*",
            )],
        ),
        form(
            "elasticloadbalancing",
            &call(&format!("Action=DeleteLoadBalancer&LoadBalancerArn={LOAD_BALANCER}")),
            &[(
                "elasticloadbalancing:DeleteLoadBalancer",
                "elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc",
            )],
        ),
        form(
            "elasticloadbalancing",
            &call(&format!("Action=CreateListener&LoadBalancerArn={LOAD_BALANCER}&Tags.member.1.Key=a")),
            &[
                (
                    "elasticloadbalancing:CreateListener",
                    "elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc",
                ),
                (
                    "elasticloadbalancing:AddTags",
                    "elasticloadbalancing:us-east-1:123456789012:listener/app/web/50dc/*",
                ),
            ],
        ),
    ];
    check(&Endpoint::new(), cases).await;
}

#[tokio::test]
async fn some_operations_are_authorized_by_the_action_of_another() {
    let cases = vec![
        rest(
            "batch",
            "POST",
            "/v1/terminatejobs",
            r#"{"jobs": ["j1", "j2"], "reason": "r"}"#,
            &[
                ("batch:TerminateJob", "batch:us-east-1:123456789012:job/j1"),
                ("batch:TerminateJob", "batch:us-east-1:123456789012:job/j2"),
            ],
        ),
        json(
            "cloudtrail",
            "CloudTrail_20131101.ListInsightsMetricData",
            r#"{"TrailName": "t", "EventSource": "s", "EventName": "n", "InsightType": "i"}"#,
            &[
                ("cloudtrail:LookupEvents", "*"),
                ("cloudtrail:ListInsightsData", "cloudtrail:us-east-1:123456789012:trail/t"),
            ],
        ),
        json(
            "ecr",
            "AmazonEC2ContainerRegistry_V20150921.ListImageReferrers",
            r#"{"repositoryName": "r"}"#,
            &[("ecr:BatchGetImage", "ecr:us-east-1:123456789012:repository/r")],
        ),
        json(
            "glue",
            "AWSGlue.GetUnfilteredTableMetadata",
            r#"{"CatalogId": "123456789012", "DatabaseName": "d", "Name": "t"}"#,
            &[
                ("glue:GetTable", "glue:us-east-1:123456789012:database/d"),
                ("glue:GetTable", "glue:us-east-1:123456789012:catalog"),
                ("glue:GetTable", "glue:us-east-1:123456789012:table/d/t"),
            ],
        ),
        json(
            "verifiedpermissions",
            "VerifiedPermissions.BatchIsAuthorized",
            r#"{"policyStoreId": "p"}"#,
            &[("verifiedpermissions:IsAuthorized", "verifiedpermissions::123456789012:policy-store/p")],
        ),
        rest(
            "codeartifact",
            "POST",
            "/v1/authorization-token?domain=d",
            "",
            &[
                ("codeartifact:GetAuthorizationToken", "codeartifact:us-east-1:123456789012:domain/d"),
                ("sts:GetServiceBearerToken", "*"),
            ],
        ),
    ];
    check(&Endpoint::new(), cases).await;
}

#[tokio::test]
async fn a_resource_is_named_by_another_word_or_in_another_form() {
    let cases = vec![
        json(
            "codebuild",
            "CodeBuild_20161006.StopBuild",
            r#"{"id": "site:0000-11"}"#,
            &[("codebuild:StopBuild", "codebuild:us-east-1:123456789012:project/site")],
        ),
        json(
            "elasticmapreduce",
            "ElasticMapReduce.TerminateJobFlows",
            r#"{"JobFlowIds": ["j-1"]}"#,
            &[("elasticmapreduce:TerminateJobFlows", "elasticmapreduce:us-east-1:123456789012:cluster/j-1")],
        ),
        json(
            "glue",
            "AWSGlue.GetSchema",
            r#"{"SchemaId": {"RegistryName": "r", "SchemaName": "s"}}"#,
            &[
                ("glue:GetSchema", "glue:us-east-1:123456789012:registry/r"),
                ("glue:GetSchema", "glue:us-east-1:123456789012:schema/r/s"),
            ],
        ),
        form(
            "sns",
            "Action=Publish&Version=2010-03-31&PhoneNumber=%2B15550100&Message=m",
            &[("sns:Publish", "+15550100")],
        ),
        form(
            "sns",
            "Action=CreatePlatformEndpoint&Version=2010-03-31&Token=t\
             &PlatformApplicationArn=arn:aws:sns:us-east-1:123456789012:app/GCM/a",
            &[("sns:CreatePlatformEndpoint", "sns:us-east-1:123456789012:app/GCM/a")],
        ),
        form(
            "autoscaling",
            "Action=DeleteTags&Version=2011-01-01&Tags.member.1.ResourceId=g&Tags.member.1.Key=a",
            &[(
                "autoscaling:DeleteTags",
                "autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/g",
            )],
        ),
        form(
            "ec2",
            "Action=CancelImportTask&Version=2016-11-15&ImportTaskId=import-ami-0123",
            &[("ec2:CancelImportTask", "ec2:us-east-1:123456789012:import-image-task/import-ami-0123")],
        ),
        rest(
            "workspaces-web",
            "DELETE",
            "/identityProviders/arn:aws:workspaces-web:us-east-1:123456789012:identityProvider%2Fp%2Fi",
            "",
            &[
                (
                    "workspaces-web:DeleteIdentityProvider",
                    "workspaces-web:us-east-1:123456789012:identityProvider/p/i",
                ),
                ("workspaces-web:DeleteIdentityProvider", "workspaces-web:us-east-1:123456789012:portal/p"),
            ],
        ),
        // The ARN of a cluster has an id, and not its name.
        json(
            "sagemaker",
            "SageMaker.DeleteCluster",
            r#"{"ClusterName": "arn:aws:sagemaker:us-east-1:123456789012:cluster/c1"}"#,
            &[("sagemaker:DeleteCluster", "sagemaker:us-east-1:123456789012:cluster/c1")],
        ),
    ];
    check(&Endpoint::new(), cases).await;
}

const UNKNOWN: &str = "organizations::123456789012:account/o-*/222233334444";
const KNOWN: &str = "organizations::123456789012:account/o-a1b2c3d4e5/222233334444";

#[tokio::test]
async fn the_organization_that_a_test_sets_stands_in_arns() {
    let describe = |asked| {
        json(
            "organizations",
            "AWSOrganizationsV20161128.DescribeAccount",
            r#"{"AccountId": "222233334444"}"#,
            asked,
        )
    };
    check(&Endpoint::new(), vec![describe(&[("organizations:DescribeAccount", UNKNOWN)])]).await;
    let endpoint = Endpoint::new();
    endpoint.set_organization(Organization::new("o-a1b2c3d4e5", "123456789012", Target::new("r-ab12")));
    check(&endpoint, vec![describe(&[("organizations:DescribeAccount", KNOWN)])]).await;
}

#[tokio::test]
async fn what_a_launch_template_says_the_request_does_not() {
    let endpoint = Endpoint::new();
    let only_small = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ec2:RunInstances", "NotResource": "arn:aws:ec2:*:*:instance/*"},
        {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "arn:aws:ec2:*:*:instance/*",
         "Condition": {"StringEquals": {"ec2:InstanceType": "m1.small"}}}]}"#;
    let operator = Client::administrator(&endpoint).role("operator", only_small).await;
    let run = |from: &str| {
        let body = format!("Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1&{from}");
        form("ec2", &body, &[]).request
    };
    operator.send("ec2", run("ImageId=ami-1")).await.fails(501, "AuthorizedNotPerformed");
    let answer = operator.send("ec2", run("LaunchTemplate.LaunchTemplateId=lt-1")).await;
    answer.fails(501, "ConditionKeyNotEvaluable");
}

#[tokio::test]
async fn roles_are_passed_in_many_places() {
    let cases = vec![
        json(
            "ssm",
            "AmazonSSM.StartAutomationExecution",
            r#"{"DocumentName": "d", "Parameters": {"AutomationAssumeRole": ["arn:aws:iam::123456789012:role/r"]}}"#,
            &[
                ("ssm:StartAutomationExecution", "ssm:us-east-1:123456789012:automation-execution/*"),
                ("ssm:StartAutomationExecution", "ssm:us-east-1:123456789012:document/d"),
                ("iam:PassRole", "iam::123456789012:role/r"),
            ],
        ),
        rest(
            "apigateway",
            "PUT",
            "/restapis/a/resources/b/methods/GET/integration",
            r#"{"type": "AWS", "credentials": "arn:aws:iam::123456789012:role/r"}"#,
            &[
                ("apigateway:PUT", "apigateway:us-east-1::/restapis/a/resources/b/methods/GET/integration"),
                ("iam:PassRole", "iam::123456789012:role/r"),
            ],
        ),
        // Whoever calls may be meant.
        rest(
            "apigateway",
            "PUT",
            "/restapis/a/resources/b/methods/GET/integration",
            r#"{"type": "AWS", "credentials": "arn:aws:iam::*:user/*"}"#,
            &[("apigateway:PUT", "apigateway:us-east-1::/restapis/a/resources/b/methods/GET/integration")],
        ),
    ];
    check(&Endpoint::new(), cases).await;
}

#[tokio::test]
async fn an_id_that_the_request_does_not_have_makes_no_difference_where_the_name_does() {
    let set = |group: &str| {
        let body = format!(
            "Action=SetDesiredCapacity&Version=2011-01-01&AutoScalingGroupName={group}&DesiredCapacity=1"
        );
        form("autoscaling", &body, &[]).request
    };
    let stop =
        || json("athena", "AmazonAthena.StopQueryExecution", r#"{"QueryExecutionId": "q"}"#, &[]).request;
    let group = |id: &str| {
        format!(r#""Resource": "arn:aws:autoscaling:*:*:autoScalingGroup:{id}:autoScalingGroupName/a""#)
    };
    let but_one = r#""NotResource": "arn:aws:athena:us-east-1:123456789012:workgroup/one""#.to_owned();
    let elsewhere = r#""Resource": "arn:aws:athena:us-east-1:444455556666:workgroup/one""#.to_owned();
    for (number, (resources, signing, request, status, code)) in [
        (group("*"), "autoscaling", set("a"), 501, "AuthorizedNotPerformed"),
        (group("*"), "autoscaling", set("b"), 403, "AccessDenied"),
        (group("0000-11"), "autoscaling", set("a"), 501, "ResourceNotEvaluable"),
        (group("0000-11"), "autoscaling", set("b"), 403, "AccessDenied"),
        (but_one, "athena", stop(), 501, "ResourceNotEvaluable"),
        (elsewhere, "athena", stop(), 400, "AccessDeniedException"),
    ]
    .into_iter()
    .enumerate()
    {
        let policy = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "*", {resources}}}}}"#
        );
        let client = Client::administrator(&Endpoint::new()).role("tester", &policy).await;
        let answer = client.send(signing, request).await;
        let found = (answer.status, answer.event.code.as_deref());
        assert_eq!(found, (status, Some(code)), "{number}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_is_named_by_its_arn_may_be_elsewhere() {
    let cases = vec![
        form(
            "cloudformation",
            "Action=DescribeStacks&Version=2010-05-15&StackName=arn:aws:cloudformation:us-east-1:123456789012:stack/web/0000-11",
            &[("cloudformation:DescribeStacks", "cloudformation:us-east-1:123456789012:stack/web/0000-11")],
        ),
        json(
            "dynamodb",
            "DynamoDB_20120810.Query",
            r#"{"TableName": "arn:aws:dynamodb:us-east-1:222233334444:table/t", "IndexName": "index"}"#,
            &[("dynamodb:Query", "dynamodb:us-east-1:222233334444:table/t/index/index")],
        ),
        json(
            "ecs",
            "AmazonEC2ContainerServiceV20141113.UpdateService",
            r#"{"service": "arn:aws:ecs:us-east-1:123456789012:service/c/s"}"#,
            &[("ecs:UpdateService", "ecs:us-east-1:123456789012:service/c/s")],
        ),
        json(
            "sqs",
            "AmazonSQS.GetQueueUrl",
            r#"{"QueueName": "q", "QueueOwnerAWSAccountId": "222233334444"}"#,
            &[("sqs:GetQueueUrl", "sqs:us-east-1:222233334444:q")],
        ),
        rest(
            "apigateway",
            "PUT",
            "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fa",
            r#"{"tags": {"a": "b"}}"#,
            &[(
                "apigateway:PUT",
                "apigateway:us-east-1::/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fa",
            )],
        ),
        json(
            "ecs",
            "AmazonEC2ContainerServiceV20141113.RunTask",
            r#"{"taskDefinition": "family:3"}"#,
            &[("ecs:RunTask", "ecs:us-east-1:123456789012:task-definition/family:3")],
        ),
        json(
            "ecr",
            "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
            "{}",
            &[("ecr:DescribeRepositories", "ecr:us-east-1:123456789012:repository/*")],
        ),
        rest(
            "scheduler",
            "GET",
            "/schedules/s",
            "",
            &[("scheduler:GetSchedule", "scheduler:us-east-1:123456789012:schedule/default/s")],
        ),
        json(
            "ssm",
            "AmazonSSM.SendCommand",
            r#"{"DocumentName": "d", "Targets": [{"Key": "InstanceIds", "Values": ["i-1", "i-2"]}]}"#,
            &[
                ("ssm:SendCommand", "ssm:us-east-1:123456789012:document/d"),
                ("ssm:SendCommand", "ec2:us-east-1:123456789012:instance/i-1"),
                ("ssm:SendCommand", "ec2:us-east-1:123456789012:instance/i-2"),
            ],
        ),
    ];
    check(&Endpoint::new(), cases).await;
}

#[tokio::test]
async fn some_requests_need_a_second_action() {
    let cases = vec![
        json(
            "cognito-idp",
            "AWSCognitoIdentityProviderService.CreateUserPool",
            r#"{"PoolName": "p", "UserPoolTags": {"a": "b"}}"#,
            &[("cognito-idp:CreateUserPool", "*"), ("cognito-idp:TagResource", "*")],
        ),
        rest(
            "lambda",
            "POST",
            "/2015-03-31/event-source-mappings",
            r#"{"FunctionName": "f", "Tags": {"a": "b"}}"#,
            &[
                ("lambda:CreateEventSourceMapping", "*"),
                ("lambda:TagResource", "lambda:us-east-1:123456789012:event-source-mapping:*"),
            ],
        ),
        json(
            "logs",
            "Logs_20140328.GetLogEvents",
            r#"{"logGroupName": "g", "logStreamName": "s", "unmask": true}"#,
            &[
                ("logs:GetLogEvents", "logs:us-east-1:123456789012:log-group:g:log-stream:s"),
                ("logs:Unmask", "logs:us-east-1:123456789012:log-group:g"),
            ],
        ),
        json(
            "states",
            "AWSStepFunctions.TestState",
            r#"{"definition": "{}", "revealSecrets": true}"#,
            &[("states:TestState", "*"), ("states:RevealSecrets", "*")],
        ),
        json(
            "acm",
            "CertificateManager.RequestCertificate",
            r#"{"DomainName": "example.com", "Tags": [{"Key": "a"}]}"#,
            &[
                ("acm:RequestCertificate", "*"),
                ("acm:AddTagsToCertificate", "acm:us-east-1:123456789012:certificate/*"),
            ],
        ),
        rest(
            "batch",
            "POST",
            "/v1/submitjob",
            r#"{"jobName": "j", "jobQueue": "q", "jobDefinition": "d:1", "tags": {"a": "b"}}"#,
            &[
                ("batch:SubmitJob", "batch:us-east-1:123456789012:job-definition/d:1"),
                ("batch:SubmitJob", "batch:us-east-1:123456789012:job-queue/q"),
                ("batch:TagResource", "batch:us-east-1:123456789012:job/*"),
                ("batch:TagResource", "batch:us-east-1:123456789012:job-definition/d:1"),
            ],
        ),
        // The role in a profile that the endpoint does not keep may be any.
        json(
            "elasticmapreduce",
            "ElasticMapReduce.RunJobFlow",
            r#"{"Name": "n", "JobFlowRole": "profile", "ServiceRole": "r"}"#,
            &[
                ("elasticmapreduce:RunJobFlow", "*"),
                ("iam:PassRole", "iam::123456789012:role/*"),
                ("iam:PassRole", "iam::123456789012:role/r"),
            ],
        ),
    ];
    check(&Endpoint::new(), cases).await;
}
