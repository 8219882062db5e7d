//! The AWS CLI and boto3 work with what is served as with AWS.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::common::tools::environment;
use crate::served::Served;

/// A tool that sees of the user's settings nothing but the exports, as a shell would have them.
pub(crate) fn tool(environment: &std::path::Path, program: &str, served: &Served) -> Command {
    let mut command = Command::new(environment.join("bin").join(program));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    // Of its own, for the CLI keeps the credentials of roles below it, and each endpoint has others.
    let home =
        environment.join(format!("home-{}-{}", std::process::id(), served.address().replace(':', "-")));
    fs::create_dir_all(&home).unwrap();
    let config = home.join("config");
    // In us-east-1 the tools presign with Signature Version 2 unless they are told otherwise.
    let profiles = "[default]\ns3 =\n  signature_version = s3v4\n\
                    [profile reader]\nrole_arn = arn:aws:iam::123456789012:role/reader\ncredential_source = Environment\n";
    fs::write(&config, profiles).unwrap();
    command
        .env("HOME", &home)
        .env("AWS_CONFIG_FILE", config)
        .env("AWS_SHARED_CREDENTIALS_FILE", home.join("none"))
        .env("AWS_DEFAULT_REGION", served.variable("AWS_REGION"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(served.variables());
    command
}

/// What a tool printed.
fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs the CLI, given as one line.
struct Cli<'s> {
    environment: PathBuf,
    served: &'s Served,
}

impl Cli<'_> {
    fn run(&self, line: &str) -> Output {
        tool(&self.environment, "aws", self.served).args(line.split(' ')).output().unwrap()
    }

    #[track_caller]
    fn ok(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "aws {line}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, line: &str, message: &str) {
        let output = self.run(line);
        assert!(!output.status.success(), "aws {line} succeeds");
        assert!(told(&output).contains(message), "aws {line}: {}", told(&output));
    }
}

#[test]
fn the_aws_cli_makes_roles_and_works_with_objects_as_their_policies_allow() {
    let Some(environment) = environment() else { return };
    let served = Served::start(&["--policy", "reader.json"]);
    let folder = environment.join(format!("files-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let cli = Cli { environment: environment.clone(), served: &served };

    let trust = file("trust.json", br#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}]}"#);
    let policy = file("policy.json", br#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::platform-dashboard/public/*"}]}"#);
    cli.ok(&format!("iam create-role --role-name worker --assume-role-policy-document file://{trust}"));
    cli.ok(&format!(
        "iam put-role-policy --role-name worker --policy-name own --policy-document file://{policy}"
    ));
    assert!(cli.ok("iam list-roles --query Roles[].RoleName --output text").contains("worker"));

    // 20 MB are sent in three parts.
    let large: Vec<u8> = (0..20_u32 << 20).map(|byte| (byte % 251) as u8).collect();
    let large_file = file("large", &large);
    cli.ok("s3 mb s3://dashboard");
    cli.ok("s3 mb s3://platform-dashboard");
    cli.ok(&format!("s3 cp --no-progress {large_file} s3://platform-dashboard/public/large"));
    let small_file = file("small", b"chart");
    cli.ok(&format!("s3 cp {small_file} s3://platform-dashboard/private/small"));
    assert!(cli.ok("s3 ls s3://platform-dashboard --recursive").contains("20971520 public/large"));
    let back = folder.join("back");
    cli.ok(&format!("s3 cp --no-progress s3://platform-dashboard/public/large {}", back.display()));
    assert!(fs::read(&back).unwrap() == large, "the object is not what was sent");
    let url = cli.ok("s3 presign s3://platform-dashboard/private/small");
    let fetch = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1].strip()).read())";
    let fetched = tool(&environment, "python", &served).args(["-c", fetch, &url]).output().unwrap();
    assert!(told(&fetched).contains("b'chart'"), "{}", told(&fetched));

    // The role that the server started with.
    let identity = cli.ok("sts get-caller-identity --profile reader --query Arn --output text");
    assert!(identity.starts_with("arn:aws:sts::123456789012:assumed-role/reader/"), "{identity}");
    cli.ok("s3 ls s3://dashboard --profile reader");
    cli.fails(
        "s3api delete-object --bucket platform-dashboard --key private/small --profile reader",
        "is not authorized to perform: s3:DeleteObject on resource: arn:aws:s3:::platform-dashboard/private/small because no \
         identity-based policy allows the s3:DeleteObject action",
    );
    cli.ok("s3 rm s3://platform-dashboard --recursive");
    cli.ok("s3 rb s3://platform-dashboard");
    cli.ok("iam delete-role-policy --role-name worker --policy-name own");
    cli.ok("iam delete-role --role-name worker");
    cli.fails("iam get-role --role-name worker", "(NoSuchEntity)");

    let errors = served.stop();
    let denial = errors.lines().find(|line| line.contains("implicitDeny")).expect("the denial is told");
    assert!(denial.contains("s3:DeleteObject"), "{denial}");
    assert!(errors.contains("reader.json:"), "the role's statements are told with their file");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn boto3_assumes_a_role_and_is_allowed_and_denied_as_its_policy_says() {
    const SCRIPT: &str = r#"
import boto3, botocore, json
iam, sts, s3 = (boto3.client(name) for name in ("iam", "sts", "s3"))
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}
role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
policy = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:*Object", "Resource": "arn:aws:s3:::data/*"},
    {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::data/secret/*"}]}
iam.put_role_policy(RoleName="worker", PolicyName="own", PolicyDocument=json.dumps(policy))
s3.create_bucket(Bucket="data")
keys = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
worker = boto3.client("s3", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                      aws_session_token=keys["SessionToken"])
worker.put_object(Bucket="data", Key="a b+c/ü", Body=b"x" * 100_000)
assert worker.get_object(Bucket="data", Key="a b+c/ü")["Body"].read() == b"x" * 100_000

def denied(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error
        return error.response["Error"]["Code"] + ": " + error.response["Error"]["Message"]
    raise AssertionError("it is allowed")

me = "User: arn:aws:sts::123456789012:assumed-role/worker/test is not authorized to perform: "
message = denied(worker.get_object, Bucket="data", Key="secret/k")
assert message == "AccessDenied: " + me + ("s3:GetObject on resource: arn:aws:s3:::data/secret/k with an explicit deny in an "
    "identity-based policy"), message
message = denied(worker.list_objects_v2, Bucket="data")
assert message == "AccessDenied: " + me + ("s3:ListBucket on resource: arn:aws:s3:::data because no identity-based policy "
    "allows the s3:ListBucket action"), message
message = denied(boto3.client("iam", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                              aws_session_token=keys["SessionToken"]).get_role, RoleName="worker")
assert message == "AccessDenied: " + me + ("iam:GetRole on resource: role worker because no identity-based policy allows the "
    "iam:GetRole action") or "iam:GetRole on resource: arn:aws:iam::123456789012:role/worker" in message, message
wrong = boto3.client("s3", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key="wrong",
                     aws_session_token=keys["SessionToken"])
assert denied(wrong.get_object, Bucket="data", Key="k").startswith("SignatureDoesNotMatch: ")
forged = boto3.client("s3", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                      aws_session_token=keys["SessionToken"][::-1])
try:
    forged.get_object(Bucket="data", Key="k")
    raise AssertionError("the token is forged")
except botocore.exceptions.ClientError as error:
    assert error.response["Error"]["Code"] == "InvalidToken", error
"#;
    let Some(environment) = environment() else { return };
    let served = Served::start(&[]);
    let output = tool(&environment, "python", &served).args(["-c", SCRIPT]).output().unwrap();
    assert!(output.status.success(), "{}\n{}", told(&output), served.stop());
}

#[test]
fn forms_that_boto3_presigns_store_what_their_signer_may_store() {
    const SCRIPT: &str = r#"
import boto3, botocore, json, re, urllib3
from botocore.config import Config
iam, sts, s3 = (boto3.client(name) for name in ("iam", "sts", "s3"))
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}
role = iam.create_role(RoleName="uploader", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
policy = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::forms/public/*"}]}
iam.put_role_policy(RoleName="uploader", PolicyName="own", PolicyDocument=json.dumps(policy))
s3.create_bucket(Bucket="forms")
keys = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]

def post(key, file=b"x" * 100_000, conditions=None, fields=None, style="path", extra={}, **arguments):
    signer = boto3.client("s3", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"], config=Config(signature_version="s3v4", s3={"addressing_style": style}))
    form = signer.generate_presigned_post("forms", key, Conditions=conditions, Fields=fields, **arguments)
    parts = {**form["fields"], **extra, "file": ("a chart.png", file, "image/png")}
    answer = urllib3.PoolManager().request("POST", form["url"], fields=parts, redirect=False)
    return answer.status, (re.findall(r"<Code>(.*)</Code><Message>(.*)</Message>", answer.data.decode()) or [""])[0]

assert post("public/${filename}") == (204, "")
assert s3.get_object(Bucket="forms", Key="public/a chart.png")["Body"].read() == b"x" * 100_000
status, (code, message) = post("private/1")
assert (status, code) == (403, "AccessDenied") and "is not authorized to perform: s3:PutObject on resource: " \
    "arn:aws:s3:::forms/private/1 because no identity-based policy allows" in message, message
typed = dict(fields={"Content-Type": "image/png", "success_action_status": "201"},
    conditions=[["starts-with", "$Content-Type", "image/"], {"success_action_status": "201"}])
assert post("public/typed", **typed) == (201, "")
assert s3.head_object(Bucket="forms", Key="public/typed")["ContentType"] == "image/png"
typed["fields"]["Content-Type"] = "text/html"
assert post("public/typed", **typed)[1][1].startswith("Invalid according to Policy: Policy Condition failed: ")
assert post("public/1", extra={"x-amz-meta-a": "b"})[1][1] == "Invalid according to Policy: Extra input fields: x-amz-meta-a"
assert post("public/1", conditions=[["content-length-range", 0, 5]])[1][0] == "EntityTooLarge"
assert post("public/1", ExpiresIn=-1) == (403, ("AccessDenied", "Invalid according to Policy: Policy expired."))
assert post("public/1", extra={"policy": "e30="})[1][0] == "SignatureDoesNotMatch"
"#;
    let Some(environment) = environment() else { return };
    let served = Served::start(&[]);
    let output = tool(&environment, "python", &served).args(["-c", SCRIPT]).output().unwrap();
    assert!(output.status.success(), "{}\n{}", told(&output), served.stop());
}

#[test]
fn boto3_meets_locks_and_keys_as_in_aws() {
    const SCRIPT: &str = r#"
import boto3, botocore, datetime, json
iam, sts, s3, ssm, kms = (boto3.client(name) for name in ("iam", "sts", "s3", "ssm", "kms"))
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}
role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
key = kms.create_key()["KeyMetadata"]["Arn"]
policy = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:*Object*", "ssm:*"], "Resource": "*"},
    {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": key}]}
iam.put_role_policy(RoleName="worker", PolicyName="own", PolicyDocument=json.dumps(policy))
keys = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
session = boto3.Session(aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                        aws_session_token=keys["SessionToken"])
worker, parameters = session.client("s3"), session.client("ssm")

def error(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"] + ": " + error.response["Error"]["Message"]
    raise AssertionError("it succeeds")

s3.create_bucket(Bucket="vault", ObjectLockEnabledForBucket=True)
s3.put_object_lock_configuration(Bucket="vault", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled",
    "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}})
assert s3.get_object_lock_configuration(Bucket="vault")["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Days"] == 1
version = worker.put_object(Bucket="vault", Key="k", Body=b"x")["VersionId"]
assert worker.head_object(Bucket="vault", Key="k")["ObjectLockMode"] == "GOVERNANCE"
locked = "AccessDenied: Access Denied because object protected by object lock."
assert error(s3.delete_object, Bucket="vault", Key="k", VersionId=version) == locked
assert "s3:BypassGovernanceRetention" in error(worker.delete_object, Bucket="vault", Key="k", VersionId=version,
                                               BypassGovernanceRetention=True)
later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
worker.put_object_retention(Bucket="vault", Key="k", VersionId=version,
                            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later})
kept = s3.get_object_retention(Bucket="vault", Key="k")["Retention"]
assert abs(kept["RetainUntilDate"] - later) < datetime.timedelta(seconds=1), kept
worker.put_object_legal_hold(Bucket="vault", Key="k", LegalHold={"Status": "ON"})
assert error(s3.delete_object, Bucket="vault", Key="k", VersionId=version, BypassGovernanceRetention=True) == locked
s3.put_object_legal_hold(Bucket="vault", Key="k", LegalHold={"Status": "OFF"})
s3.delete_object(Bucket="vault", Key="k", VersionId=version, BypassGovernanceRetention=True)

sealed = dict(Bucket="vault", Key="sealed", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
assert worker.put_object(Body=b"x", **sealed)["SSEKMSKeyId"] == key
me = "User: arn:aws:sts::123456789012:assumed-role/worker/test is not authorized to perform: "
missing = f"kms:Decrypt on resource: {key} because no identity-based policy allows the kms:Decrypt action"
assert error(worker.get_object, Bucket="vault", Key="sealed") == "AccessDenied: " + me + missing
assert s3.get_object(Bucket="vault", Key="sealed")["Body"].read() == b"x"
ssm.put_parameter(Name="/p", Value="v", Type="SecureString", KeyId=key)
assert error(parameters.get_parameter, Name="/p", WithDecryption=True).startswith("AccessDeniedException: " + me + missing)
assert parameters.get_parameter(Name="/p")["Parameter"]["Value"] != "v"
assert ssm.get_parameter(Name="/p", WithDecryption=True)["Parameter"]["Value"] == "v"
s3.put_bucket_inventory_configuration(Bucket="vault", Id="all", InventoryConfiguration={"Id": "all", "IsEnabled": True,
    "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"},
    "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::vault", "Format": "CSV"}}})
assert [one["Id"] for one in s3.list_bucket_inventory_configurations(Bucket="vault")["InventoryConfigurationList"]] == ["all"]
"#;
    let Some(environment) = environment() else { return };
    let served = Served::start(&[]);
    let output = tool(&environment, "python", &served).args(["-c", SCRIPT]).output().unwrap();
    assert!(output.status.success(), "{}\n{}", told(&output), served.stop());
}
