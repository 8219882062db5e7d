use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::ParameterType;
use iam_fixture::{TemporaryRole, assert_denied, assert_ok, iam_policy};

use crate::{allow, code};

#[iam_policy(policy = allow(&["ssm:GetParameter", "ssm:GetParametersByPath"],
    &["arn:aws:ssm:us-east-1:123456789012:parameter/app", "arn:aws:ssm:us-east-1:123456789012:parameter/app/*"]))]
#[tokio::test]
async fn a_hierarchy_is_read_and_nothing_beside_it(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    let put = async |name: &str, value: &str| {
        let put =
            admin.put_parameter().name(name).value(value).r#type(ParameterType::SecureString).overwrite(true);
        assert_ok!(put.send().await).version()
    };
    put("/app/url", "one").await;
    assert_eq!(put("/app/url", "two").await, 2);
    put("/app/db/password", "secret").await;
    put("/other/url", "x").await;

    let ssm = Client::new(role.config());
    let get = async |name: &str| {
        let answer = ssm.get_parameter().name(name).with_decryption(true).send().await;
        assert_ok!(answer).parameter.and_then(|parameter| parameter.value).expect("a value")
    };
    assert_eq!(get("/app/url").await, "two");
    assert_eq!(get("/app/url:1").await, "one");
    assert_ne!(
        assert_ok!(ssm.get_parameter().name("/app/url").send().await).parameter().expect("it").value(),
        Some("two")
    );
    assert_denied!(ssm.get_parameter().name("/other/url").send().await);
    assert_denied!(ssm.put_parameter().name("/app/url").value("x").send().await);
    let by_path = |recursive| ssm.get_parameters_by_path().path("/app").recursive(recursive).send();
    assert_eq!(assert_ok!(by_path(false).await).parameters().len(), 1);
    assert_eq!(assert_ok!(by_path(true).await).parameters().len(), 2);
    let again =
        admin.put_parameter().name("/app/url").value("x").r#type(ParameterType::SecureString).send().await;
    assert!(again.expect_err("it is there").into_service_error().is_parameter_already_exists());
    assert_ok!(admin.delete_parameter().name("/app/url").send().await);
    assert!(
        ssm.get_parameter()
            .name("/app/url")
            .send()
            .await
            .expect_err("it is gone")
            .into_service_error()
            .is_parameter_not_found()
    );
    assert_eq!(
        code(admin.put_parameter().name("aws-x").value("x").r#type(ParameterType::String).send().await),
        "ValidationException"
    );
}
