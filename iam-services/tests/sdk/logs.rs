use std::time::SystemTime;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use iam_fixture::{TemporaryRole, assert_denied, assert_ok, iam_policy};

use crate::allow;

#[iam_policy(policy = allow(&["logs:CreateLogStream", "logs:PutLogEvents"],
    &["arn:aws:logs:us-east-1:123456789012:log-group:/app:*"]))]
#[tokio::test]
async fn an_application_writes_its_log_and_does_not_read_it(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    assert_ok!(admin.create_log_group().log_group_name("/app").send().await);
    assert_ok!(admin.put_retention_policy().log_group_name("/app").retention_in_days(7).send().await);

    let logs = Client::new(role.config());
    assert_ok!(logs.create_log_stream().log_group_name("/app").log_stream_name("s").send().await);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis();
    let now = i64::try_from(now).expect("soon enough");
    let event =
        |at: i64, text: &str| InputLogEvent::builder().timestamp(at).message(text).build().expect("complete");
    let put = |events| {
        logs.put_log_events().log_group_name("/app").log_stream_name("s").set_log_events(Some(events)).send()
    };
    assert_ok!(put(vec![event(now - 2, "INFO up"), event(now, "ERROR down")]).await);
    let disordered = put(vec![event(now, "b"), event(now - 1, "a")]).await;
    assert!(disordered.expect_err("no order").into_service_error().is_invalid_parameter_exception());
    assert_denied!(logs.get_log_events().log_group_name("/app").log_stream_name("s").send().await);
    assert_denied!(logs.create_log_stream().log_group_name("/other").log_stream_name("s").send().await);

    let read = admin.get_log_events().log_group_name("/app").log_stream_name("s").start_from_head(true);
    let read = assert_ok!(read.send().await);
    let texts: Vec<_> = read.events().iter().filter_map(|event| event.message()).collect();
    assert_eq!(texts, ["INFO up", "ERROR down"]);
    let found =
        assert_ok!(admin.filter_log_events().log_group_name("/app").filter_pattern("ERROR").send().await);
    assert_eq!(found.events().len(), 1);
    let groups = assert_ok!(admin.describe_log_groups().log_group_name_prefix("/a").send().await);
    assert_eq!(groups.log_groups()[0].retention_in_days(), Some(7));
    assert_ok!(admin.delete_log_group().log_group_name("/app").send().await);
    let gone = put(vec![event(now, "x")]).await.expect_err("it is gone").into_service_error();
    assert!(gone.is_resource_not_found_exception());
}
