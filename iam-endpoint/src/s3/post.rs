//! `PostObject`: what a browser uploads with a form.
//!
//! A form is a request in a request: its fields are what `PutObject` has in headers, its file is the body, and its signature
//! is that of a policy about the fields. So it is made the call that it stands for, and goes the way of `PutObject`.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>.

use std::cell::{OnceCell, RefCell};

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, EXPIRES,
    LOCATION,
};
use http::{HeaderMap, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::fault::{self, Fault};
use super::form::Form;
use super::operation;
use super::post_policy::PostPolicy;
use super::service::check_key;
use super::task::{Answer, Task, document, empty, set_header};
use super::{address, object, tagging, xml};
use crate::call::{Call, Record, Signing};
use crate::endpoint::Shared;
use crate::identify::caller::Caller;
use crate::identify::signer_of_form;
use crate::identify::sigv4::Presented;
use crate::service::authority;
use crate::wire::headers::Headers;
use crate::wire::protocol::Protocol;

/// What percent-encoding leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The fields that a signature needs, as messages name them.
const OF_SIGNATURE: [&str; 5] =
    ["policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"];

pub(super) fn object(task: &Task<'_>) -> Result<Answer, Fault> {
    let call = task.call;
    let form = Form::read(call.headers.text("content-type"), &call.body)?;
    let key = form.required("key")?;
    let Signer { caller, endpoint, signing, policy } = signer(call, &form)?;
    let headers = headers(call, &form)?;
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let inner = Call {
        endpoint: &endpoint,
        parts: call.parts,
        headers: &Headers::new(headers),
        host: call.host,
        body: form.file.clone(),
        trailers: HeaderMap::new(),
        caller,
        signing,
        ids: call.ids,
        now: call.now,
        source_ip: call.source_ip,
        global_context: OnceCell::new(),
        record: RefCell::new(call.record.take()),
    };
    let answer = put(task, &inner, key, &form, policy.as_ref());
    let Call { caller, record, .. } = inner;
    call.record.replace(Record { caller: Some(caller), ..record.into_inner() });
    answer
}

fn put(
    task: &Task<'_>,
    inner: &Call<'_>,
    key: &str,
    form: &Form,
    policy: Option<&PostPolicy>,
) -> Result<Answer, Fault> {
    if let Some(policy) = policy {
        policy.check(form, task.bucket, inner.now)?;
    }
    if key.is_empty() {
        let fault = fault::INVALID_ARGUMENT.because("User key must have a length greater than 0.");
        return Err(fault.with("ArgumentName", "key").with("ArgumentValue", ""));
    }
    check_key(key)?;
    let stored = Task::new(inner, task.operation, (task.bucket, key), task.query)?;
    stored.authorize(operation::STORING)?;
    if let Some(policy) = policy {
        policy.check_size(inner.body.len() as u64)?;
    }
    let answer = object::put(&stored)?;
    Ok(answer_to(task, key, form, &answer))
}

/// Who sends a form, and what for.
struct Signer {
    caller: Caller,
    endpoint: Shared,
    signing: Option<Signing>,
    /// A form that nobody signed needs none.
    policy: Option<PostPolicy>,
}

fn signer(call: &Call<'_>, form: &Form) -> Result<Signer, Fault> {
    if form.get("awsaccesskeyid").is_some() {
        return Err(fault::INVALID_REQUEST.because(
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        ));
    }
    if OF_SIGNATURE.iter().all(|field| form.get(field).is_none()) {
        let (caller, endpoint) = (Caller::anonymous(), call.endpoint.clone());
        return Ok(Signer { caller, endpoint, signing: None, policy: None });
    }
    for field in OF_SIGNATURE {
        form.required(field)?;
    }
    let policy = form.required("policy")?;
    let signer = Presented::of_form(|field| form.get(field))
        .and_then(|presented| signer_of_form(call, &presented, policy));
    let (caller, endpoint, signing) = signer.map_err(|failure| Protocol::S3.authentication_fault(failure))?;
    let policy = PostPolicy::read(policy)?;
    Ok(Signer { caller, endpoint, signing: Some(signing), policy: Some(policy) })
}

/// The headers that `PutObject` would have in place of the fields, and those of the form's own request that decisions ask for.
fn headers(call: &Call<'_>, form: &Form) -> Result<Vec<(String, String)>, Fault> {
    let mut headers = Vec::new();
    for name in ["referer", "user-agent"] {
        headers.extend(call.headers.text(name).map(|value| (name.to_owned(), value.to_owned())));
    }
    for (name, value) in form.fields() {
        let header = match name.as_str() {
            "acl" => ("x-amz-acl", value.to_owned()),
            "tagging" => ("x-amz-tagging", tagging_header(value)?),
            // They sign, or name what a form does not copy.
            "x-amz-security-token" => continue,
            name if OF_SIGNATURE.contains(&name) || name.starts_with("x-amz-copy-source") => continue,
            name if name.starts_with("x-amz-") || is_content(name) => (name, value.to_owned()),
            _ => continue,
        };
        headers.push((header.0.to_owned(), header.1));
    }
    Ok(headers)
}

fn is_content(name: &str) -> bool {
    let of_http =
        [CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES];
    name == "content-md5" || of_http.iter().any(|header| header == name)
}

/// The document of the field `tagging` as a header has it.
fn tagging_header(document: &str) -> Result<String, Fault> {
    let tags =
        xml::read(document.as_bytes(), "Tagging", |root| tagging::read_set(xml::child(root, "TagSet")?))?;
    let mut pairs = Vec::new();
    for (key, value) in &tags {
        pairs.push(format!("{}={}", encoded(key), encoded(value)));
    }
    Ok(pairs.join("&"))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The answer that the form asks for: another page, or a status.
fn answer_to(task: &Task<'_>, key: &str, form: &Form, stored: &Answer) -> Answer {
    let text = |name| stored.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let etag = text(ETAG);
    let redirect = form.get("success_action_redirect").or_else(|| form.get("redirect"));
    let redirect = redirect.filter(|url| url.parse::<Uri>().is_ok_and(|url| url.authority().is_some()));
    let (mut answer, location) = if let Some(url) = redirect {
        let glue = if url.contains('?') { '&' } else { '?' };
        let (bucket, key, etag) = (encoded(task.bucket), encoded(key), encoded(etag));
        (empty(StatusCode::SEE_OTHER), format!("{url}{glue}bucket={bucket}&key={key}&etag={etag}"))
    } else {
        let location = location(task, key);
        let answer = match form.get("success_action_status") {
            Some("200") => empty(StatusCode::OK),
            Some("201") => {
                let mut answer = document("PostResponse", |xml| {
                    xml.leaf("Location", &location);
                    xml.leaf("Bucket", task.bucket);
                    xml.leaf("Key", key);
                    xml.leaf("ETag", etag);
                });
                *answer.status_mut() = StatusCode::CREATED;
                answer
            }
            _ => empty(StatusCode::NO_CONTENT),
        };
        (answer, location)
    };
    answer.headers_mut().extend(stored.headers().clone());
    set_header(&mut answer, LOCATION, &location);
    answer
}

/// The URL of the object, at the host that the form was sent to.
fn location(task: &Task<'_>, key: &str) -> String {
    let call = task.call;
    let scheme = call.parts.uri.scheme_str().unwrap_or("http");
    let bucket = if address::bucket_of_host(call.host).is_some() {
        String::new()
    } else {
        format!("{}/", task.bucket)
    };
    format!("{scheme}://{}/{bucket}{}", authority(call.parts, call.headers), encoded(key))
}
