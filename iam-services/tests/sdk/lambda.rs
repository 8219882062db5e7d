use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, InvocationType, Runtime};
use iam_fixture::{TemporaryRole, assert_allowed, assert_denied, assert_ok, iam_policy};

use crate::{allow, code};

#[iam_policy(policy = allow(&["lambda:InvokeFunction", "lambda:GetFunction"],
    &["arn:aws:lambda:us-east-1:123456789012:function:resize"]))]
#[tokio::test]
async fn a_caller_invokes_one_function_and_changes_none(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    let create = |client: &Client, name: &str| {
        client
            .create_function()
            .function_name(name)
            .runtime(Runtime::from("provided.al2023"))
            .handler("bootstrap")
            .role("arn:aws:iam::123456789012:role/service")
            .code(FunctionCode::builder().zip_file(Blob::new(*b"PK\x05\x06")).build())
            .tags("team", "a")
            .send()
    };
    let made = assert_ok!(create(&admin, "resize").await);
    assert_eq!((made.timeout(), made.version()), (Some(3), Some("$LATEST")));

    let lambda = Client::new(role.config());
    let invoke = |name: &str, kind| lambda.invoke().function_name(name).invocation_type(kind).send();
    assert_eq!(assert_ok!(invoke("resize", InvocationType::DryRun).await).status_code(), 204);
    // Allowed, and there is nobody to run it.
    assert_allowed!(invoke("resize", InvocationType::RequestResponse).await);
    assert_denied!(invoke("other", InvocationType::DryRun).await);
    assert_denied!(create(&lambda, "another").await);
    let got = assert_ok!(lambda.get_function().function_name("resize").send().await);
    assert_eq!(got.tags().expect("tags")["team"], "a");

    assert_eq!(code(create(&admin, "resize").await), "ResourceConflictException");
    let published = assert_ok!(admin.publish_version().function_name("resize").send().await);
    assert_eq!(published.version(), Some("1"));
    assert_ok!(admin.create_alias().function_name("resize").name("live").function_version("1").send().await);
    let live = admin.get_function_configuration().function_name("resize").qualifier("live");
    assert_eq!(assert_ok!(live.send().await).version(), Some("1"));
    let permission = admin
        .add_permission()
        .function_name("resize")
        .statement_id("s3")
        .action("lambda:InvokeFunction")
        .principal("s3.amazonaws.com");
    assert_ok!(permission.send().await);
    let policy =
        assert_ok!(admin.get_policy().function_name("resize").send().await).policy.expect("a policy");
    assert!(policy.contains(r#""Service":"s3.amazonaws.com""#), "{policy}");
    assert_ok!(admin.update_function_configuration().function_name("resize").timeout(10).send().await);
    assert_ok!(
        admin.untag_resource().resource(made.function_arn().expect("an ARN")).tag_keys("team").send().await
    );
    assert_ok!(admin.delete_function().function_name("resize").send().await);
    let gone = lambda.get_function().function_name("resize").send().await.expect_err("it is gone");
    assert!(gone.into_service_error().is_resource_not_found_exception());
    assert!(assert_ok!(admin.list_functions().send().await).functions().is_empty());
}
