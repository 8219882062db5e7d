//! KMS keys behind other services: who reads a parameter, a secret or a message needs its key, too.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_sdk_ssm::types::ParameterType;
use iam_fixture::{Event, Outcome, TemporaryRole, assert_denied, assert_ok, iam_policy};

use crate::code;

/// What `ssm`, `secretsmanager`, `sqs` and `sns` are asked for, and the key `mine` through some of them.
fn users_of(services: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Action": ["ssm:*", "secretsmanager:*", "sqs:*", "sns:*"], "Resource": "*"}},
            {{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], "Resource": "*",
              "Condition": {{"StringEquals": {{"kms:ViaService": {services}, "aws:ResourceTag/for": "mine",
                                               "kms:CallerAccount": "123456789012"}},
                             "Bool": {{"aws:ViaAWSService": "true"}}}}}}]}}"#
    )
}

/// Makes a key with a tag and, by its name, an alias; gives its ARN.
async fn key(role: &TemporaryRole, name: &str) -> String {
    let kms = aws_sdk_kms::Client::new(role.admin());
    let tag = aws_sdk_kms::types::Tag::builder().tag_key("for").tag_value(name).build().expect("complete");
    let key = assert_ok!(kms.create_key().tags(tag).send().await).key_metadata.expect("a key");
    let alias = kms.create_alias().alias_name(format!("alias/{name}")).target_key_id(&key.key_id);
    assert_ok!(alias.send().await);
    key.arn.expect("an ARN")
}

/// The error's message, as the client found it.
fn message<T, E: ProvideErrorMetadata, R>(answer: &Result<T, SdkError<E, R>>) -> String {
    let error = answer.as_ref().err().and_then(ProvideErrorMetadata::message);
    error.unwrap_or_default().to_owned()
}

/// The last call's decisions, as `ACTION RESOURCE verdict`.
fn asked(event: &Event) -> Vec<String> {
    let decisions = event.authorizations.iter();
    decisions.map(|one| format!("{} {} {}", one.action(), one.resource(), one.decision.verdict)).collect()
}

#[iam_policy(policy = users_of(r#""ssm.us-east-1.amazonaws.com""#))]
#[tokio::test]
async fn a_secure_string_is_read_with_its_key_and_not_without(role: TemporaryRole) {
    let (mine, other) = (key(&role, "mine").await, key(&role, "other").await);
    let ssm = aws_sdk_ssm::Client::new(role.config());
    let put = |name: &str, key: Option<&str>| {
        let put = ssm.put_parameter().name(name).value("v").r#type(ParameterType::SecureString);
        put.overwrite(true).set_key_id(key.map(str::to_owned)).send()
    };
    let get = |name: &str, decrypt| ssm.get_parameter().name(name).with_decryption(decrypt).send();
    assert_ok!(put("/a", Some("alias/mine")).await);
    assert_ok!(put("/default", None).await);
    assert_denied!(put("/b", Some(&other)).await, action = "kms:Encrypt", resource = &other);
    assert_eq!(code(put("/b", Some("alias/none")).await), "InvalidKeyId");
    // Nothing was stored.
    assert_eq!(code(get("/b", true).await), "ParameterNotFound");
    let admin = aws_sdk_ssm::Client::new(role.admin());
    let secure = admin.put_parameter().name("/b").value("v").r#type(ParameterType::SecureString);
    assert_ok!(secure.key_id("alias/other").send().await);

    assert_eq!(assert_ok!(get("/a", true).await).parameter().expect("it").value(), Some("v"));
    assert_ok!(get("/default", true).await);
    let denied = get("/b", true).await;
    let message = message(&denied);
    let me = role.decisions().last().expect("a call").principal.clone();
    assert!(
        message.contains(&format!(
            "User: {me} is not authorized to perform: kms:Decrypt on resource: {other} because no identity-based policy \
             allows the kms:Decrypt action (Service: Kms, Status Code: 400, Request ID: "
        )),
        "{message}"
    );
    assert_denied!(denied, action = "kms:Decrypt", resource = &other);
    let all = role.decisions();
    let event = all.last().expect("a call");
    assert_eq!((event.operation.as_str(), event.outcome), ("ssm:GetParameter", Outcome::Denied));
    assert_eq!(
        asked(event),
        [
            "ssm:GetParameter arn:aws:ssm:us-east-1:123456789012:parameter/b allowed".to_owned(),
            format!("kms:Decrypt {other} implicitDeny"),
        ]
    );
    // What is not decrypted needs no key.
    assert_ok!(get("/b", false).await);
    let several = ssm.get_parameters().names("/a").names("/b").with_decryption(true);
    assert_denied!(several.send().await, action = "kms:Decrypt");
    let by_path = ssm.get_parameters_by_path().path("/").with_decryption(true);
    assert_denied!(by_path.send().await, action = "kms:Decrypt");

    // The key's own policy can allow it, for one parameter.
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::123456789012:root"}}, "Action": "kms:*", "Resource": "*"}},
            {{"Effect": "Allow", "Principal": {{"AWS": "{}"}}, "Action": "kms:Decrypt", "Resource": "*", "Condition":
              {{"StringEquals": {{"kms:EncryptionContext:PARAMETER_ARN": "arn:aws:ssm:us-east-1:123456789012:parameter/b"}}}}}}]}}"#,
        role.arn()
    );
    let kms = aws_sdk_kms::Client::new(role.admin());
    assert_ok!(kms.put_key_policy().key_id(&other).policy(policy).send().await);
    assert_ok!(get("/b", true).await);
    let secure = admin.put_parameter().name("/c").value("v").r#type(ParameterType::SecureString);
    assert_ok!(secure.key_id(&other).send().await);
    assert_denied!(get("/c", true).await, action = "kms:Decrypt");
    // The role uses the key through the service only.
    let direct = aws_sdk_kms::Client::new(role.config());
    let direct = direct.encrypt().key_id(&mine).plaintext(aws_sdk_kms::primitives::Blob::new("x"));
    assert_denied!(direct.send().await);
}

#[iam_policy(policy = users_of(r#""secretsmanager.us-east-1.amazonaws.com""#))]
#[tokio::test]
async fn a_secret_is_read_with_its_key_and_not_without(role: TemporaryRole) {
    let (mine, other) = (key(&role, "mine").await, key(&role, "other").await);
    let secrets = aws_sdk_secretsmanager::Client::new(role.config());
    let admin = aws_sdk_secretsmanager::Client::new(role.admin());
    let create = |client: &aws_sdk_secretsmanager::Client, name: &str, key: &str| {
        client.create_secret().name(name).secret_string("s").kms_key_id(key).send()
    };
    let get = |name: &str| secrets.get_secret_value().secret_id(name).send();
    assert_ok!(create(&secrets, "a", &mine).await);
    assert_ok!(get("a").await);
    assert_denied!(create(&secrets, "b", &other).await, action = "kms:GenerateDataKey", resource = &other);
    assert_eq!(code(get("b").await), "ResourceNotFoundException");
    assert_ok!(create(&admin, "b", "alias/other").await);
    let denied = get("b").await;
    let message = message(&denied);
    assert!(message.contains("Access to KMS is not allowed"), "{message}");
    assert_denied!(denied, implicit);
    assert_ok!(secrets.describe_secret().secret_id("b").send().await);
    let rekey = |key: &str| secrets.update_secret().secret_id("a").kms_key_id(key).send();
    assert_denied!(rekey(&other).await, action = "kms:GenerateDataKey");
    assert_ok!(get("a").await);
    assert_denied!(secrets.put_secret_value().secret_id("b").secret_string("t").send().await);
    let of_aws = secrets.create_secret().name("c").secret_string("s").send().await;
    assert_ok!(of_aws);
    assert_ok!(get("c").await);
}

#[iam_policy(policy = users_of(r#"["sqs.us-east-1.amazonaws.com", "sns.us-east-1.amazonaws.com"]"#))]
#[tokio::test]
async fn encrypted_messages_need_the_key_of_their_queue_and_topic(role: TemporaryRole) {
    key(&role, "mine").await;
    let other = key(&role, "other").await;
    let sqs = aws_sdk_sqs::Client::new(role.config());
    let queue = async |name: &str, key: &str| {
        let create = sqs.create_queue().queue_name(name);
        let create = create.attributes(QueueAttributeName::KmsMasterKeyId, key);
        assert_ok!(create.send().await).queue_url.expect("a URL")
    };
    let (ours, theirs) = (queue("ours", "alias/mine").await, queue("theirs", &other).await);
    let of_aws = queue("aws", "alias/aws/sqs").await;
    let send = |queue: &str| sqs.send_message().queue_url(queue).message_body("m").send();
    assert_ok!(send(&ours).await);
    assert_ok!(send(&of_aws).await);
    assert_ok!(sqs.receive_message().queue_url(&ours).send().await);
    assert_eq!(code(send(&theirs).await), "KMS.AccessDeniedException");
    assert_denied!(send(&theirs).await, action = "kms:GenerateDataKey", resource = &other);
    // Of an empty queue nothing is decrypted.
    assert_ok!(sqs.receive_message().queue_url(&theirs).send().await);
    let admin = aws_sdk_sqs::Client::new(role.admin());
    assert_ok!(admin.send_message().queue_url(&theirs).message_body("m").send().await);
    assert_denied!(sqs.receive_message().queue_url(&theirs).send().await, action = "kms:Decrypt");

    let sns = aws_sdk_sns::Client::new(role.config());
    let topic = async |name: &str, key: &str| {
        let create = sns.create_topic().name(name).attributes("KmsMasterKeyId", key);
        assert_ok!(create.send().await).topic_arn.expect("an ARN")
    };
    let (ours, theirs) = (topic("ours", "alias/mine").await, topic("theirs", &other).await);
    assert_ok!(sns.publish().topic_arn(&ours).message("m").send().await);
    let denied = sns.publish().topic_arn(&theirs).message("m").send().await;
    assert_denied!(denied, action = "kms:GenerateDataKey", resource = &other);
    assert_eq!(code(sns.publish().topic_arn(&theirs).message("m").send().await), "KMSAccessDenied");
}

#[iam_policy(policy = users_of(r#""sns.us-east-1.amazonaws.com""#))]
#[tokio::test]
async fn a_topic_sends_to_an_encrypted_queue_if_the_key_lets_it(role: TemporaryRole) {
    let mine = key(&role, "mine").await;
    let (sns, sqs) = (aws_sdk_sns::Client::new(role.admin()), aws_sdk_sqs::Client::new(role.admin()));
    let topic = assert_ok!(sns.create_topic().name("news").send().await).topic_arn.expect("an ARN");
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": "*"}}"#;
    let create = sqs.create_queue().queue_name("inbox").attributes(QueueAttributeName::Policy, policy);
    let create = create.attributes(QueueAttributeName::KmsMasterKeyId, &mine);
    let queue = assert_ok!(create.send().await).queue_url.expect("a URL");
    let subscribe = sns.subscribe().topic_arn(&topic).protocol("sqs");
    assert_ok!(subscribe.endpoint("arn:aws:sqs:us-east-1:123456789012:inbox").send().await);
    let outcome = async || {
        assert_ok!(sns.publish().topic_arn(&topic).message("m").send().await);
        role.backend()
            .decisions_of("sns.amazonaws.com")
            .expect("it is embedded")
            .last()
            .expect("a call")
            .outcome
    };
    // The default policy of a key is for the account, not for services.
    assert_eq!(outcome().await, Outcome::Denied);
    let key_policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::123456789012:root"}}, "Action": "kms:*", "Resource": "*"}},
            {{"Effect": "Allow", "Principal": {{"Service": "sns.amazonaws.com"}}, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
              "Resource": "*", "Condition": {{"ArnLike": {{"aws:SourceArn": "{topic}"}}}}}}]}}"#
    );
    let kms = aws_sdk_kms::Client::new(role.admin());
    assert_ok!(kms.put_key_policy().key_id(&mine).policy(&key_policy).send().await);
    assert_eq!(outcome().await, Outcome::Answered);
    let other = key_policy.replace(&topic, "arn:aws:sns:us-east-1:123456789012:other");
    assert_ok!(kms.put_key_policy().key_id(&mine).policy(other).send().await);
    assert_eq!(outcome().await, Outcome::Denied);
    // Nor are AWS's own keys.
    let of_aws = sqs.set_queue_attributes().queue_url(&queue);
    assert_ok!(of_aws.attributes(QueueAttributeName::KmsMasterKeyId, "alias/aws/sqs").send().await);
    assert_eq!(outcome().await, Outcome::Denied);
    let received = sqs.receive_message().queue_url(&queue).max_number_of_messages(10).send().await;
    assert_eq!(assert_ok!(received).messages().len(), 1);
}
