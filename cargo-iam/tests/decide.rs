//! `cargo iam decide`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use common::{command, run};
use serde_json::{Value, json};

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

/// What is answered to lines of text.
fn answers(input: &str) -> Vec<Value> {
    let run = run(&["decide"], input);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is answered to a question.
fn answer(question: &Value) -> Value {
    answers(&question.to_string()).remove(0)
}

/// A question that is allowed, with other members in the place of its own.
fn question(members: &Value) -> Value {
    let mut question = json!({
        "id": 1,
        "principal": {"arn": ALICE, "account": "111122223333"},
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::b/x",
        "context": {},
        "policies": {"identity": [allow()]},
    });
    let object = question.as_object_mut().unwrap();
    object.extend(members.as_object().unwrap().clone());
    question
}

fn allow() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}]})
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

#[test]
fn the_corpus_is_decided_as_the_library_decides_it() {
    let corpora = ["conditions", "evaluation", "language", "variables"];
    let mut cases = Vec::new();
    for corpus in corpora {
        let path = format!("{}/../iam-policy/tests/corpus/{corpus}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        cases.extend(serde_json::from_str::<Vec<Value>>(&text).unwrap());
    }
    let mut input = String::new();
    for (id, case) in cases.iter().enumerate() {
        // Policies as objects in every other line, and as strings in the rest.
        writeln!(input, "{}", line_of(case, id, id % 2 == 0)).unwrap();
    }
    let answers = answers(&input);
    assert_eq!(answers.len(), cases.len());
    let mut failures = Vec::new();
    for (id, (case, answer)) in cases.iter().zip(&answers).enumerate() {
        let by = answer["by"].as_array().unwrap().iter();
        let by: Value =
            by.map(|by| format!("{}.{}", by["policy"].as_str().unwrap(), by["statement"])).collect();
        let agrees = answer["id"] == id
            && answer["decision"] == case["decision"]
            && case.get("by").is_none_or(|expected| *expected == by)
            && case.get("missingContext").is_none_or(|expected| *expected == answer["missingContext"]);
        if !agrees {
            failures.push(format!("{}: {answer}", case["name"]));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// A case as a line. What the corpus calls a trust policy is the policy of the role, and its provider a principal.
fn line_of(case: &Value, id: usize, as_text: bool) -> Value {
    let mut line = case.clone();
    let object = line.as_object_mut().unwrap();
    object.insert("id".to_owned(), id.into());
    object.remove("missingContext");
    let principal = object["principal"].as_object_mut().unwrap();
    if let Some(provider) = principal.remove("provider") {
        principal.insert("arn".to_owned(), provider);
    }
    let policies = object["policies"].as_object_mut().unwrap();
    if let Some(trust) = policies.remove("trust") {
        policies.insert("resource".to_owned(), trust);
    }
    if as_text {
        policies.values_mut().for_each(to_text);
    }
    line
}

fn to_text(policies: &mut Value) {
    match policies {
        Value::Array(items) => items.iter_mut().for_each(to_text),
        policy => *policy = policy.to_string().into(),
    }
}

#[test]
fn what_the_corpus_rejects_is_answered_with_the_place_in_the_policys_text() {
    let path = format!("{}/../iam-policy/tests/corpus/rejected.json", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let members = [("identity", "identity", "identity[0]"), ("boundary", "boundary", "boundary[0]")];
    let members = members.into_iter().chain([("session", "session", "session[0]")]);
    for (kind, member, name) in members {
        let cases: Vec<&Value> = cases.iter().filter(|case| case["kind"] == kind).collect();
        let lines =
            cases.iter().map(|case| question(&json!({"policies": {member: [case["policy"]]}})).to_string());
        let answers = answers(&lines.collect::<Vec<_>>().join("\n"));
        for (case, answer) in cases.iter().zip(&answers) {
            assert_eq!(answer["decision"], "invalid", "{case}");
            let error =
                answer["errors"].as_array().unwrap().iter().find(|error| error["code"] == case["code"]);
            let error = error.unwrap_or_else(|| unreachable!("{case}: {answer}"));
            assert_eq!(error["policy"], name);
            if let Some(at) = case["at"].as_str() {
                assert_eq!(format!("{}:{}", error["line"], error["column"]), at, "{case}");
            }
        }
    }
}

#[test]
fn an_answer_has_the_members_of_the_contract_in_their_order() {
    let run = run(&["decide", "-"], &question(&json!({"id": "a\"b"})).to_string());
    assert_eq!(
        run.stdout,
        "{\"id\":\"a\\\"b\",\"decision\":\"allowed\",\"by\":[{\"policy\":\"identity[0]\",\"statement\":0,\"sid\":\"All\"}],\"missingContext\":[],\"errors\":[]}\n"
    );
}

#[test]
fn a_bad_line_is_answered_in_its_place_and_the_rest_go_on() {
    let good = question(&json!({})).to_string();
    let bad = ["", "x", "[]", "{", "\"\\ud800\"", "{\"id\": 1} 2"];
    let input: String = bad.iter().flat_map(|bad| [good.as_str(), "\n", bad, "\n"]).collect();
    let answers = answers(&input);
    assert_eq!(answers.len(), 2 * bad.len());
    for (number, pair) in answers.chunks(2).enumerate() {
        assert_eq!(pair[0]["decision"], "allowed");
        assert_eq!(
            (&pair[1]["decision"], &pair[1]["id"]),
            (&"invalid".into(), &Value::Null),
            "{}",
            bad[number]
        );
        assert_eq!(codes(&pair[1]), ["decide::json"]);
        assert_eq!(pair[1]["errors"][0]["line"], 2 * number + 2);
    }
}

#[test]
fn a_line_that_is_not_utf8_is_answered_too() {
    let mut child = command(&["decide"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"{\"id\": \"\xff\"}\n").unwrap();
    stdin.write_all(question(&json!({})).to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((codes(&answers[0]), &answers[0]["errors"][0]["column"]), (vec!["decide::utf-8"], &9.into()));
    assert_eq!(answers[1]["decision"], "allowed");
}

#[test]
fn all_that_is_wrong_with_a_line_is_told_with_its_column_and_the_id_is_kept() {
    let line = format!(
        r#"{{"id": 7, "principal": {{"arn": "bob"}}, "action": "s3:*", "resource": "b", "contxt": {{}}, "policies": {{"identities": [], "boundary": {}}}}}"#,
        1
    );
    let answer = answers(&line).remove(0);
    assert_eq!(answer["id"], 7);
    let places: Vec<(&str, &str)> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            let column = usize::try_from(error["column"].as_u64().unwrap()).unwrap();
            (error["code"].as_str().unwrap(), line[column - 1..].split([',', '}']).next().unwrap())
        })
        .collect();
    assert_eq!(
        places,
        [
            ("decide::unknown", "{"),
            ("decide::value", "\"bob\""),
            ("decide::value", "\"s3:*\""),
            ("decide::value", "\"b\""),
            ("decide::unknown", "[]"),
            ("decide::type", "1"),
        ]
    );
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("did you mean `context`?"), "{answer}");
}

#[test]
fn members_that_are_missing_or_given_twice_are_errors_and_notes_of_ones_own_are_not() {
    assert_eq!(codes(&answers("{\"id\": 1}").remove(0)), ["decide::missing"; 4]);
    assert_eq!(codes(&answer(&question(&json!({"principal": null})))), ["decide::missing"]);
    let twice = question(&json!({})).to_string().replacen('{', "{\"action\": \"s3:PutObject\", ", 1);
    assert_eq!(codes(&answers(&twice).remove(0)), ["decide::duplicate"]);
    let slip = question(&json!({"policies": {"identity": [allow()], "groups": []}})).to_string();
    for answer in answers(&format!("{slip}\n{slip}")) {
        assert_eq!(codes(&answer), ["decide::unknown"], "also when its policies were seen before");
    }
    let noted = answer(&question(&json!({"name": "x", "why": ["y"], "expect": "allow"})));
    assert_eq!(noted["decision"], "allowed");
}

#[test]
fn duplicate_keys_of_a_policy_are_seen_in_objects_and_in_strings() {
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}}"#;
    let text = format!("{}", json!(policy));
    for policy in [policy, &text] {
        let line = question(&json!({"policies": {"identity": ["P"]}})).to_string().replace("\"P\"", policy);
        let answer = answers(&line).remove(0);
        assert_eq!(
            (codes(&answer), &answer["errors"][0]["column"]),
            (vec!["iam::duplicate-key"], &60.into())
        );
        assert_eq!(answer["errors"][0]["policy"], "identity[0]");
    }
}

#[test]
fn the_place_of_a_policys_error_is_in_its_own_text() {
    let policy = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\"Effect\": \"Alow\", \"Action\": \"*\", \"Resource\": \"*\"}\n}";
    let answer = answer(&question(&json!({"policies": {"scps": [[allow()], [allow(), policy]]}})));
    let error = &answer["errors"][0];
    assert_eq!(
        (&error["policy"], &error["line"], &error["column"]),
        (&"scps[1][1]".into(), &3.into(), &27.into())
    );
}

#[test]
fn context_values_are_strings_numbers_booleans_and_lists_of_them() {
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {
        "NumericLessThan": {"s3:max-keys": "10"},
        "Bool": {"aws:SecureTransport": "true"},
        "StringEquals": {"aws:username": "alice"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["a", "7"]},
    }}});
    let decide = |keys: &Value| {
        let context = json!({"s3:max-keys": 7.5, "AWS:SecureTransport": true, "aws:username": "alice", "aws:TagKeys": ["a", 7]});
        let mut context = context.as_object().unwrap().clone();
        context.extend(keys.as_object().unwrap().clone());
        answer(&question(&json!({"context": context, "policies": {"identity": [policy]}})))
    };
    assert_eq!(decide(&json!({}))["decision"], "allowed");
    for other in
        [json!({"s3:max-keys": 1e1}), json!({"AWS:SecureTransport": false}), json!({"aws:TagKeys": ["a", 8]})]
    {
        assert_eq!(decide(&other)["decision"], "implicitDeny", "{other}");
    }
    for wrong in [json!({"aws:username": null}), json!({"aws:username": {}}), json!({"aws:TagKeys": [["a"]]})]
    {
        assert_eq!(codes(&decide(&wrong)), ["decide::type"], "{wrong}");
    }
    assert_eq!(codes(&decide(&json!({"AWS:USERNAME": "bob"}))), ["decide::duplicate"]);
}

#[test]
fn a_key_that_is_not_given_is_missing_and_an_empty_list_is_known_to_be_absent() {
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {
        "StringEquals": {"aws:username": "alice"}}}});
    let missing = |context: Value| {
        answer(&question(&json!({"context": context, "policies": {"identity": [policy]}})))["missingContext"]
            .clone()
    };
    assert_eq!(missing(json!({})), json!(["aws:username"]));
    assert_eq!(missing(json!({"aws:username": []})), json!([]));
}

#[test]
fn principals_are_told_by_their_arn_or_name() {
    let decision = |principal: Value, named: Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": named, "Action": "s3:GetObject", "Resource": "*"}});
        answer(&question(&json!({"principal": principal, "policies": {"resource": policy}})))["decision"]
            .clone()
    };
    let (role, session) =
        ("arn:aws:iam::111122223333:role/team/reader", "arn:aws:sts::111122223333:assumed-role/reader/s");
    for (principal, named) in [
        (json!({"arn": ALICE}), json!({"AWS": ALICE})),
        (json!({"arn": session, "account": "111122223333", "roleArn": role}), json!({"AWS": role})),
        (json!({"arn": session, "roleArn": role}), json!({"AWS": session})),
        (json!({"arn": role}), json!({"AWS": role})),
        (
            json!({"arn": "arn:aws:sts::111122223333:federated-user/bob", "userArn": ALICE}),
            json!({"AWS": "arn:aws:sts::111122223333:federated-user/bob"}),
        ),
        (json!({"arn": "arn:aws:iam::111122223333:root"}), json!({"AWS": "111122223333"})),
        (json!({"arn": "cloudtrail.amazonaws.com"}), json!({"Service": "cloudtrail.amazonaws.com"})),
        (json!({"arn": "*"}), json!("*")),
        (json!({}), json!("*")),
    ] {
        assert_eq!(decision(principal.clone(), named.clone()), "allowed", "{principal} {named}");
    }
    assert_eq!(decision(json!({"arn": role}), json!({"AWS": session})), "implicitDeny");
    assert_eq!(decision(json!({}), json!({"AWS": ALICE})), "implicitDeny");
    for wrong in [
        json!({"arn": ALICE, "account": "444455556666"}),
        json!({"arn": ALICE, "account": "x"}),
        json!({"account": "111122223333"}),
        json!({"arn": session, "roleArn": "arn:aws:iam::111122223333:role/writer"}),
        json!({"arn": "arn:aws:s3:::bucket"}),
    ] {
        assert_eq!(decision(wrong.clone(), json!("*")), "invalid", "{wrong}");
    }
}

#[test]
fn the_same_text_is_parsed_as_what_it_is_attached_to() {
    let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": ALICE}, "Action": "sts:AssumeRole"}});
    let of = |resource: &str| {
        question(&json!({"action": "sts:AssumeRole", "resource": resource, "policies": {"resource": trust}}))
            .to_string()
    };
    let (role, bucket) = (of("arn:aws:iam::111122223333:role/r"), of("arn:aws:s3:::b"));
    let answers = answers(&[&*role, &*bucket, &*role, &*bucket].join("\n"));
    let decisions: Vec<&Value> = answers.iter().map(|answer| &answer["decision"]).collect();
    assert_eq!(decisions, ["allowed", "invalid", "allowed", "invalid"]);
}

#[test]
fn a_long_stream_keeps_its_order_and_its_memory() {
    let path = format!("{}/long.jsonl", env!("CARGO_TARGET_TMPDIR"));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let lines = 20_000;
    for id in 0..lines {
        let bucket = format!("arn:aws:s3:::b{id}/*");
        // Every text is another one: what is remembered of them must be bounded.
        let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": if id % 3 == 0 { "Deny" } else { "Allow" }, "Action": "s3:GetObject", "Resource": bucket}});
        let line = question(
            &json!({"id": id, "resource": format!("arn:aws:s3:::b{id}/x"), "policies": {"identity": [policy]}}),
        );
        writeln!(file, "{line}").unwrap();
    }
    drop(file);
    let mut child = command(&["decide", "--jobs", "3", &path]).stdout(Stdio::piped()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut count = 0;
    for (id, line) in stdout.lines().enumerate() {
        let answer: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let decision = if id % 3 == 0 { "explicitDeny" } else { "allowed" };
        assert_eq!((&answer["id"], &answer["decision"]), (&id.into(), &decision.into()));
        count += 1;
    }
    assert_eq!((count, child.wait().unwrap().code()), (lines, Some(0)));
}

#[test]
fn a_line_is_answered_before_the_next_one_is_asked() {
    let mut child = command(&["decide"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for id in 0..5 {
        writeln!(stdin, "{}", question(&json!({"id": id}))).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with(&format!("{{\"id\":{id},\"decision\":\"allowed\"")), "{line}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_leaves_ends_the_stream_even_while_the_input_is_silent() {
    let mut child = command(&["decide"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    drop(child.stdout.take());
    writeln!(stdin, "{}", question(&json!({}))).unwrap();
    // Standard input is still open.
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
    drop(stdin);
}

#[test]
fn a_hostile_line_costs_no_more_than_its_length() {
    let many = |item: &str| vec![item; 300_000].join(",");
    let lines = [
        format!("{{\"policies\": {{\"identity\": [{}]}}}}", many("0")),
        format!("{{\"principal\": {{{}}}}}", many("\"x\": 0")),
        format!("{{\"context\": {{{}}}}}", many("\"x\": 0")),
        format!("{{\"id\": {}}}", "[".repeat(1_000_000)),
        format!("{{\"policies\": {}{}}}", "[".repeat(500_000), "]".repeat(500_000)),
    ];
    for (line, answer) in lines.iter().zip(answers(&lines.join("\n"))) {
        assert_eq!(answer["decision"], "invalid", "{}", &line[..40]);
        assert!(codes(&answer).len() <= 64);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let run = run(&["decide", "nowhere.jsonl"], "");
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.starts_with("error: cannot read `nowhere.jsonl`: "), "{}", run.stderr);
}

#[test]
fn a_byte_order_mark_before_the_first_line_is_stepped_over() {
    let line = question(&json!({})).to_string();
    let answers = answers(&format!("\u{FEFF}{line}\n\u{FEFF}{line}\n\u{FEFF}{{}}"));
    assert_ne!(answers[0]["decision"], "invalid");
    assert_eq!(answers[1]["errors"][0]["code"], "decide::json");
}
