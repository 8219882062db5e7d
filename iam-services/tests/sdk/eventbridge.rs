use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Target};
use iam_fixture::{TemporaryRole, assert_denied, assert_ok, iam_policy};

use crate::{allow, code};

#[iam_policy(policy = allow(&["events:PutEvents"], &["arn:aws:events:us-east-1:123456789012:event-bus/orders"]))]
#[tokio::test]
async fn events_go_to_one_bus_and_to_no_other(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    assert_ok!(admin.create_event_bus().name("orders").send().await);

    let events = Client::new(role.config());
    let entry = |bus: &str, detail: &str| {
        PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source("app")
            .detail_type("x")
            .detail(detail)
            .build()
    };
    let put = |bus: &str, detail: &str| events.put_events().entries(entry(bus, detail)).send();
    let accepted = assert_ok!(put("orders", "{}").await);
    assert_eq!((accepted.failed_entry_count(), accepted.entries().len()), (0, 1));
    assert_eq!(assert_ok!(put("orders", "no JSON").await).failed_entry_count(), 1);
    assert_denied!(put("default", "{}").await);
    assert_denied!(events.list_rules().event_bus_name("orders").send().await);

    let put_rule =
        admin.put_rule().name("r").event_bus_name("orders").event_pattern(r#"{"source": ["app"]}"#);
    assert_ok!(put_rule.clone().send().await);
    assert_eq!(
        code(put_rule.event_pattern(r#"{"source": "app"}"#).send().await),
        "InvalidEventPatternException"
    );
    let event = r#"{"id": "1", "account": "1", "source": "app", "time": "2026-11-22T00:00:00Z", "region": "us-east-1",
        "resources": [], "detail-type": "x", "detail": {"n": 5}}"#;
    for (pattern, fits) in
        [(r#"{"detail": {"n": [{"numeric": ["<", 9]}]}}"#, true), (r#"{"source": ["b"]}"#, false)]
    {
        let test = admin.test_event_pattern().event_pattern(pattern).event(event);
        assert_eq!(assert_ok!(test.send().await).result(), fits);
    }
    let target =
        Target::builder().id("1").arn("arn:aws:sqs:us-east-1:123456789012:q").build().expect("complete");
    assert_ok!(admin.put_targets().rule("r").event_bus_name("orders").targets(target).send().await);
    let targets = assert_ok!(admin.list_targets_by_rule().rule("r").event_bus_name("orders").send().await);
    assert_eq!(targets.targets().len(), 1);
    let delete = || admin.delete_rule().name("r").event_bus_name("orders").send();
    assert_eq!(code(delete().await), "ValidationException");
    assert_ok!(admin.remove_targets().rule("r").event_bus_name("orders").ids("1").send().await);
    assert_ok!(delete().await);
    assert_ok!(admin.delete_event_bus().name("orders").send().await);
    assert_eq!(assert_ok!(admin.list_event_buses().send().await).event_buses().len(), 1);
}
