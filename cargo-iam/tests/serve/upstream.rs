//! What is allowed and not the endpoint's own is performed by an emulator.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::served::Served;
use crate::{common, tools};

/// moto, which enforces nothing.
struct Moto {
    process: Child,
    url: String,
}

impl Moto {
    fn start(environment: &std::path::Path) -> Moto {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new(environment.join("bin/moto_server"))
            .args(["-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Moto { process, url: format!("http://127.0.0.1:{port}") };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_mins(1), "moto does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        moto
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn s3_goes_to_moto_where_that_was_asked_for() {
    const SCRIPT: &str = r#"
import boto3, botocore, json, sys
s3 = boto3.client("s3")
s3.create_bucket(Bucket="data")
s3.put_object(Bucket="data", Key="a b+c/ü", Body=b"x" * 100_000)
there = boto3.client("s3", endpoint_url=sys.argv[1], aws_access_key_id="test", aws_secret_access_key="test")
assert there.get_object(Bucket="data", Key="a b+c/ü")["Body"].read() == b"x" * 100_000
assert s3.head_object(Bucket="data", Key="a b+c/ü")["ContentLength"] == 100_000
reader = boto3.client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/reader", RoleSessionName="test")["Credentials"]
reader = boto3.client("s3", aws_access_key_id=reader["AccessKeyId"], aws_secret_access_key=reader["SecretAccessKey"],
                      aws_session_token=reader["SessionToken"])
try:
    reader.delete_object(Bucket="data", Key="a b+c/ü")
    raise AssertionError("it is allowed")
except botocore.exceptions.ClientError as error:
    assert error.response["Error"]["Code"] == "AccessDenied", error
    assert "s3:DeleteObject on resource: arn:aws:s3:::data/a b+c/ü because no identity-based policy" in str(error), error
assert there.head_object(Bucket="data", Key="a b+c/ü")["ContentLength"] == 100_000
s3.delete_object(Bucket="data", Key="a b+c/ü")
assert there.list_objects_v2(Bucket="data")["KeyCount"] == 0
"#;
    let Some(environment) = common::tools::environment() else { return };
    let moto = Moto::start(&environment);
    let served = Served::start(&["--policy", "reader.json", "--upstream", &moto.url, "--upstream-s3"]);
    let output =
        tools::tool(&environment, "python", &served).args(["-c", SCRIPT, &moto.url]).output().unwrap();
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), served.stop());
}

#[test]
fn moto_performs_what_the_endpoint_allows_and_nothing_else() {
    const SCRIPT: &str = r#"
import boto3, botocore, json, os, sys
iam, sts = boto3.client("iam"), boto3.client("sts")
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}
iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))
policy = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:GetItem"],
     "Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/music"},
    {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:123456789012:jobs"}]}
iam.put_role_policy(RoleName="worker", PolicyName="own", PolicyDocument=json.dumps(policy))
keys = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/worker", RoleSessionName="test")["Credentials"]
def worker(name):
    return boto3.client(name, aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                        aws_session_token=keys["SessionToken"],
                        config=botocore.config.Config(retries={"total_max_attempts": 1}))
def error_of(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("it succeeds")

admin = boto3.client("dynamodb")
for table in ("music", "secrets"):
    admin.create_table(TableName=table, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
dynamodb = worker("dynamodb")
item = {"id": {"S": "1"}, "name": {"S": "ü"}}
dynamodb.put_item(TableName="music", Item=item)
assert dynamodb.get_item(TableName="music", Key={"id": {"S": "1"}})["Item"] == item
code, message = error_of(dynamodb.put_item, TableName="secrets", Item=item)
assert code == "AccessDeniedException", code
assert message == ("User: arn:aws:sts::123456789012:assumed-role/worker/test is not authorized to perform: dynamodb:PutItem on "
    "resource: arn:aws:dynamodb:us-east-1:123456789012:table/secrets because no identity-based policy allows the "
    "dynamodb:PutItem action"), message
assert "Item" not in admin.get_item(TableName="secrets", Key={"id": {"S": "1"}})
code, _ = error_of(dynamodb.get_item, TableName="music", Key={"wrong": {"S": "1"}})
assert code == "ValidationException", code

url = boto3.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
assert url.startswith(os.environ["AWS_ENDPOINT_URL"]), url
worker("sqs").send_message(QueueUrl=url, MessageBody="one")
code, _ = error_of(worker("sqs").receive_message, QueueUrl=url)
assert code == "AccessDenied" or code == "AWS.SimpleQueueService.AccessDenied" or "AccessDenied" in code, code
assert boto3.client("sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "one"

print("stop", flush=True)
sys.stdin.readline()
code, message = error_of(dynamodb.get_item, TableName="music", Key={"id": {"S": "1"}})
assert code == "UpstreamUnavailable" and "nothing answers there" in message, (code, message)
code, _ = error_of(dynamodb.get_item, TableName="secrets", Key={"id": {"S": "1"}})
assert code == "AccessDeniedException", code
"#;
    let Some(environment) = common::tools::environment() else { return };
    let moto = Moto::start(&environment);
    let served = Served::start(&["--upstream", &moto.url]);
    let mut script = tools::tool(&environment, "python", &served)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = std::io::BufReader::new(script.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    drop(moto);
    drop(script.stdin.take());
    let output = script.wait_with_output().unwrap();
    let errors = served.stop();
    assert!(output.status.success(), "{}\n{errors}", String::from_utf8_lossy(&output.stderr));
    assert!(errors.contains("502 UpstreamUnavailable"), "{errors}");
}
