//! How each AWS protocol words an error.
//!
//! A client finds the code and the message only where its own protocol puts them, so even a refusal has to be told in
//! the caller's protocol. See <https://smithy.io/2.0/aws/protocols/index.html>.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::fault::Fault;
use crate::identify::sigv4::{Failure, Kind};
use crate::journal::Outcome;
use crate::wire::headers::Headers;
use crate::wire::request::Parts;
use crate::wire::xml::Xml;

/// A wire protocol of AWS services.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protocol {
    /// `rpc-v2-cbor`.
    Cbor,
    /// `ec2`, a query protocol with errors of its own.
    Ec2,
    /// `awsJson1_0` and `awsJson1_1`.
    Json,
    /// `query`.
    Query,
    /// `restJson1`.
    RestJson,
    /// `restXml`, but for S3.
    RestXml,
    /// S3's `restXml`, whose errors are not wrapped.
    S3,
}

impl Protocol {
    /// The operation's name, where the protocol tells it without a table of the service's paths.
    pub(crate) fn operation(self, parts: &Parts, headers: &Headers<'_>, body: &[u8]) -> Option<String> {
        let text = match self {
            Self::Cbor => parts.uri.path().rsplit_once("/operation/").map(|(_, name)| name.to_owned()),
            Self::Json => headers.text("x-amz-target")?.rsplit('.').next().map(str::to_owned),
            Self::Ec2 | Self::Query => {
                let query = parts.uri.query().unwrap_or_default().as_bytes();
                let action = parameter(query, "Action").or_else(|| parameter(body, "Action"))?;
                String::from_utf8(action.to_vec()).ok()
            }
            Self::RestJson | Self::RestXml | Self::S3 => None,
        };
        text.filter(|name| {
            !name.is_empty() && name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    }

    /// The error answer.
    pub(crate) fn error(self, fault: &Fault, method: &Method, ids: Ids<'_>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = fault.status;
        if *method == Method::HEAD {
            return response;
        }
        let fault = &Fault { message: printable(&fault.message), ..fault.clone() };
        let headers = response.headers_mut();
        let body = match self {
            Self::Cbor => {
                headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
                Bytes::from(cbor_error(fault))
            }
            Self::Ec2 => ec2_error(fault, ids).into(),
            Self::Json | Self::RestJson => {
                name_error(headers, fault);
                json_error(fault).into()
            }
            Self::Query | Self::RestXml => wrapped_xml_error(fault, ids).into(),
            Self::S3 => s3_error(fault, ids).into(),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type()));
        *response.body_mut() = body;
        response
    }

    /// What the service answers to a request that it cannot authenticate.
    pub(crate) fn authentication_fault(self, failure: Failure) -> Fault {
        let [s3, query, json, ec2] = authentication_codes(failure.kind);
        let (status, code) = match self {
            Self::Cbor | Self::Json => json,
            Self::Ec2 => ec2,
            Self::Query | Self::RestXml => query,
            // The REST services answer with the same names, as a 403.
            Self::RestJson => (403, json.1),
            Self::S3 => s3,
        };
        Fault {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN),
            code: code.into(),
            message: failure.message,
            outcome: Outcome::AuthenticationFailed,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Cbor => "application/cbor",
            Self::Ec2 => "text/xml;charset=UTF-8",
            Self::Json => "application/x-amz-json-1.1",
            Self::Query | Self::RestXml => "text/xml",
            Self::RestJson => "application/json",
            Self::S3 => "application/xml",
        }
    }
}

/// The value of a parameter in a query or a form, as it was sent.
pub(crate) fn parameter<'t>(text: &'t [u8], name: &str) -> Option<&'t [u8]> {
    for pair in text.split(|b| *b == b'&') {
        if let Some(value) = pair.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) {
            return Some(value);
        }
    }
    None
}

/// The ids of one answer.
#[derive(Clone, Copy)]
pub(crate) struct Ids<'a> {
    pub(crate) request: &'a str,
    /// S3's second one.
    pub(crate) host: &'a str,
}

/// Status and code of S3, the query services, the JSON services, and EC2.
#[rustfmt::skip]
fn authentication_codes(kind: Kind) -> [(u16, &'static str); 4] {
    const MISMATCH: (u16, &str) = (403, "SignatureDoesNotMatch");
    const INVALID: (u16, &str) = (400, "InvalidSignatureException");
    const INCOMPLETE: (u16, &str) = (400, "IncompleteSignature");
    const INCOMPLETE_JSON: (u16, &str) = (400, "IncompleteSignatureException");
    const UNRECOGNIZED: (u16, &str) = (400, "UnrecognizedClientException");
    const UNKNOWN: (u16, &str) = (403, "InvalidClientTokenId");
    const AUTH: (u16, &str) = (401, "AuthFailure");
    match kind {
        Kind::BrokenBody => [(400, "IncompleteBody"), INCOMPLETE, INCOMPLETE_JSON, AUTH],
        Kind::ExpiredToken => [(400, "ExpiredToken"), (403, "ExpiredToken"), (400, "ExpiredTokenException"), (400, "RequestExpired")],
        Kind::ExpiredUrl => [(403, "AccessDenied"), MISMATCH, INVALID, (400, "RequestExpired")],
        Kind::HashMismatch => [(400, "XAmzContentSHA256Mismatch"), MISMATCH, INVALID, AUTH],
        Kind::InvalidToken => [(400, "InvalidToken"), UNKNOWN, UNRECOGNIZED, AUTH],
        Kind::Malformed => [(400, "AuthorizationHeaderMalformed"), INCOMPLETE, INCOMPLETE_JSON, AUTH],
        Kind::MalformedQuery => [(400, "AuthorizationQueryParametersError"), INCOMPLETE, INCOMPLETE_JSON, AUTH],
        Kind::Mismatch => [MISMATCH, MISMATCH, INVALID, AUTH],
        Kind::Missing => [(403, "AccessDenied"), (403, "MissingAuthenticationToken"), (400, "MissingAuthenticationTokenException"), AUTH],
        Kind::PayloadHeader => [(400, "InvalidArgument"), MISMATCH, INVALID, AUTH],
        Kind::Skewed => [(403, "RequestTimeTooSkewed"), MISMATCH, INVALID, (400, "RequestExpired")],
        Kind::UnknownKey => [(403, "InvalidAccessKeyId"), UNKNOWN, UNRECOGNIZED, AUTH],
        Kind::UnsignedHeaders => [(403, "AccessDenied"), MISMATCH, INVALID, AUTH],
        Kind::Unsupported => [(400, "InvalidRequest"), INCOMPLETE, INCOMPLETE_JSON, AUTH],
        Kind::WrongScope => [(400, "AuthorizationHeaderMalformed"), MISMATCH, INVALID, AUTH],
    }
}

/// A message may repeat what the caller sent; XML has no control characters but these.
fn printable(message: &str) -> String {
    // As bytes, which a debug build looks at in a tenth of the time; 0xC2 is what the upper half of controls begins with.
    if !message.bytes().any(|byte| byte < b' ' || byte == 0x7f || byte == 0xc2) {
        return message.to_owned();
    }
    let mut text = String::with_capacity(message.len());
    for c in message.chars() {
        text.push(if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c });
    }
    text
}

fn fault_type(fault: &Fault) -> &'static str {
    if fault.status.is_server_error() { "Receiver" } else { "Sender" }
}

fn wrapped_xml_error(fault: &Fault, ids: Ids<'_>) -> String {
    let mut xml = Xml::new();
    xml.element("ErrorResponse", |xml| {
        xml.element("Error", |xml| {
            xml.leaf("Type", fault_type(fault));
            xml.leaf("Code", &fault.code);
            xml.leaf("Message", &fault.message);
        });
        xml.leaf("RequestId", ids.request);
    });
    xml.finish()
}

fn ec2_error(fault: &Fault, ids: Ids<'_>) -> String {
    let mut xml = Xml::declared();
    xml.element("Response", |xml| {
        xml.element("Errors", |xml| {
            xml.element("Error", |xml| {
                xml.leaf("Code", &fault.code);
                xml.leaf("Message", &fault.message);
            });
        });
        xml.leaf("RequestID", ids.request);
    });
    xml.finish()
}

fn s3_error(fault: &Fault, ids: Ids<'_>) -> String {
    let mut xml = Xml::declared();
    xml.element("Error", |xml| {
        xml.leaf("Code", &fault.code);
        xml.leaf("Message", &fault.message);
        xml.leaf("RequestId", ids.request);
        xml.leaf("HostId", ids.host);
    });
    xml.finish()
}

/// Names the code in headers: the REST clients look there first, and those of a service that once spoke the query
/// protocol (SQS) take the old name from the second.
fn name_error(headers: &mut HeaderMap, fault: &Fault) {
    if let Ok(code) = HeaderValue::from_str(&fault.code) {
        headers.insert("x-amzn-errortype", code);
    }
    if let Ok(both) = HeaderValue::from_str(&format!("{};{}", fault.code, fault_type(fault))) {
        headers.insert("x-amzn-query-error", both);
    }
}

fn json_error(fault: &Fault) -> String {
    ["{\"__type\":\"", &in_json(&fault.code), "\",\"message\":\"", &in_json(&fault.message), "\"}"].concat()
}

fn in_json(text: &str) -> Cow<'_, str> {
    const SPECIAL: [(char, &str); 4] = [('\\', "\\\\"), ('"', "\\\""), ('\n', "\\n"), ('\t', "\\t")];
    // Looking for one character is the standard library's work, and fast in a debug build.
    SPECIAL.iter().fold(Cow::Borrowed(text), |text, (special, escaped)| {
        if text.contains(*special) { text.replace(*special, escaped).into() } else { text }
    })
}

/// `{"__type": …, "message": …}` as RFC 8949 has it.
fn cbor_error(fault: &Fault) -> Vec<u8> {
    let mut cbor = vec![0xa2];
    for text in ["__type", &fault.code, "message", &fault.message] {
        push_cbor_text(&mut cbor, text);
    }
    cbor
}

fn push_cbor_text(cbor: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    if let Ok(short @ 0..=23) = u8::try_from(length) {
        cbor.push(0x60 | short);
    } else {
        cbor.push(0x7a);
        cbor.extend_from_slice(&length.to_be_bytes());
    }
    cbor.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(protocol: Protocol, message: &str) -> Bytes {
        let fault = Fault::new(StatusCode::BAD_REQUEST, "Code", message);
        protocol.error(&fault, &Method::POST, Ids { request: "id", host: "host" }).into_body()
    }

    #[test]
    fn messages_are_escaped_for_their_protocol() {
        let message = "a\"b\\c\nd<\u{1}";
        assert_eq!(body(Protocol::Json, message), r#"{"__type":"Code","message":"a\"b\\c\nd<�"}"#);
        assert_eq!(
            body(Protocol::Query, message),
            "<ErrorResponse><Error><Type>Sender</Type><Code>Code</Code><Message>a&quot;b\\c\nd&lt;\u{fffd}</Message>\
             </Error><RequestId>id</RequestId></ErrorResponse>"
        );
    }

    #[test]
    fn cbor_texts_carry_their_length() {
        let short = body(Protocol::Cbor, "m");
        assert_eq!(short, &b"\xa2\x66__type\x64Code\x67message\x61m"[..]);
        let long = body(Protocol::Cbor, &"m".repeat(24));
        assert!(long.ends_with(&[&b"\x7a\0\0\0\x18"[..], &b"m".repeat(24)].concat()));
    }

    #[test]
    fn an_answer_to_head_has_no_body() {
        let fault = Fault::new(StatusCode::FORBIDDEN, "AccessDenied", "no");
        let answer = Protocol::S3.error(&fault, &Method::HEAD, Ids { request: "id", host: "host" });
        assert!(answer.body().is_empty());
    }
}
