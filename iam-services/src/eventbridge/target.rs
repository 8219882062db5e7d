//! What a rule's targets get: queues, topics and functions, which EventBridge calls in its own name.
//!
//! Other targets, and those with a role, are not called.
//!
//! See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html>.

use serde_json::{Map, Value, json};

use crate::outbox::Outbox;
use crate::scope::Arn;

/// Sends an event to a target, as `PutTargets` had it.
pub(super) fn send(outbox: Outbox<'_>, target: &Value, event: &Map<String, Value>) {
    let Some(arn) = target.get("Arn").and_then(Value::as_str) else { return };
    if target.get("RoleArn").is_some() {
        return;
    }
    let whole = Value::Object(event.clone());
    let input = input(target, &whole, outbox.source);
    let delivery = match Arn::parse(arn).map(|arn| arn.service) {
        Some("lambda") => Some(outbox.to_function(arn, input)),
        Some("sns") => Some(outbox.to_topic(arn, &input)),
        Some("sqs") => {
            let mut message = Map::new();
            message.insert("MessageBody".to_owned(), input.into());
            if let Some(group) = target.pointer("/SqsParameters/MessageGroupId") {
                message.insert("MessageGroupId".to_owned(), group.clone());
            }
            outbox.to_queue(arn, message)
        }
        _ => None,
    };
    let dead_letter = target.pointer("/DeadLetterConfig/Arn").and_then(Value::as_str);
    let dead_letter = dead_letter.and_then(|queue| outbox.to_queue(queue, lost(&whole, outbox.source, arn)));
    if let Some(delivery) = delivery {
        outbox.send(delivery, dead_letter);
    }
}

/// The event with what tells where it did not arrive. Why it did not, the journal tells.
///
/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html>.
fn lost(event: &Value, rule: &str, target: &str) -> Map<String, Value> {
    let text = |value: &str| json!({"DataType": "String", "StringValue": value});
    let message = json!({
        "MessageBody": event.to_string(),
        "MessageAttributes": {"RULE_ARN": text(rule), "TARGET_ARN": text(target)},
    });
    message.as_object().cloned().unwrap_or_default()
}

/// The event, a part of it, something else, or what a template makes of it.
///
/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>.
fn input(target: &Value, event: &Value, rule: &str) -> String {
    let text = |pointer: &str| target.pointer(pointer).and_then(Value::as_str);
    if let Some(input) = text("/Input") {
        return input.to_owned();
    }
    if let Some(path) = text("/InputPath") {
        return find(event, path).unwrap_or(&Value::Null).to_string();
    }
    let Some(template) = text("/InputTransformer/InputTemplate") else { return event.to_string() };
    let paths = target.pointer("/InputTransformer/InputPathsMap");
    let value = |name: &str| match name {
        "aws.events.event" | "aws.events.event.json" => Some(event.clone()),
        "aws.events.event.ingestion-time" => event.get("time").cloned(),
        "aws.events.rule-arn" => Some(rule.into()),
        "aws.events.rule-name" => rule.rsplit('/').next().map(Value::from),
        name => find(event, paths?.get(name)?.as_str()?).cloned(),
    };
    fill(template, value)
}

/// Puts values in the place of `<name>`: in quotes as text, elsewhere as JSON.
fn fill(template: &str, value: impl Fn(&str) -> Option<Value>) -> String {
    let (mut filled, mut is_quoted, mut rest) = (String::new(), false, template);
    while let Some((before, after)) = rest.split_once('<') {
        filled.push_str(before);
        is_quoted ^= quotes(before) % 2 == 1;
        let named = after.split_once('>').filter(|(name, _)| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        });
        let Some((name, after)) = named else {
            filled.push('<');
            rest = after;
            continue;
        };
        let value = value(name).unwrap_or_default();
        match value {
            Value::Null => {}
            Value::String(text) if is_quoted => {
                filled.push_str(inside_quotes(&Value::from(text).to_string()));
            }
            value if is_quoted => filled.push_str(inside_quotes(&Value::from(value.to_string()).to_string())),
            value => filled.push_str(&value.to_string()),
        }
        rest = after;
    }
    filled + rest
}

/// How many quotes of JSON there are that are not escaped.
fn quotes(text: &str) -> usize {
    let mut is_escaped = false;
    text.bytes()
        .filter(|b| {
            let is_quote = *b == b'"' && !is_escaped;
            is_escaped = *b == b'\\' && !is_escaped;
            is_quote
        })
        .count()
}

fn inside_quotes(json: &str) -> &str {
    json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(json)
}

/// What is at `$.detail.items[0].name`.
fn find<'e>(event: &'e Value, path: &str) -> Option<&'e Value> {
    let mut steps = path.strip_prefix('$')?.split(['.', '[']).filter(|step| !step.is_empty());
    steps.try_fold(event, |value, step| match step.strip_suffix(']') {
        Some(index) => match index.trim_matches(['\'', '"']) {
            name if name.len() < index.len() => value.get(name),
            index => value.get(index.parse::<usize>().ok()?),
        },
        None => value.get(step),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_get_what_they_ask_for() {
        let event = json!({"source": "app", "detail": {"id": 7, "names": ["a \"b\"", "c"]}});
        let of = |target: Value| input(&target, &event, "arn:aws:events:us-east-1:123456789012:rule/r");
        assert_eq!(of(json!({})), event.to_string());
        assert_eq!(of(json!({"Input": "{\"a\": 1}"})), "{\"a\": 1}");
        assert_eq!(of(json!({"InputPath": "$.detail.names[1]"})), "\"c\"");
        assert_eq!(of(json!({"InputPath": "$.detail['id']"})), "7");
        assert_eq!(of(json!({"InputPath": "$.nothing"})), "null");
        let template = |template: &str| {
            let paths = json!({"id": "$.detail.id", "name": "$.detail.names[0]"});
            of(json!({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}))
        };
        assert_eq!(template(r#"{"id": <id>, "name": <name>}"#), r#"{"id": 7, "name": "a \"b\""}"#);
        assert_eq!(template(r#""<name> is <id> by <aws.events.rule-name>""#), r#""a \"b\" is 7 by r""#);
        assert_eq!(template("1 < 2 <unknown>"), "1 < 2 ");
    }
}
