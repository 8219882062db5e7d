//! The request that an upstream is sent.

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use time::OffsetDateTime;

use super::client::Unavailable;
use super::url::Url;
use crate::addressee::host::Host;
use crate::identify::sigv4::{self, Signer, SigningKeys};
use crate::perform::Allowed;
use crate::s3::address::bucket_of_host;
use crate::wire::body::Body;

/// What is between two neighbours, and not part of the request.
const HOP_BY_HOP: [HeaderName; 6] =
    [CONNECTION, EXPECT, TE, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")];

/// Who signs the request anew: the emulator's own keys, for the service and region of the client's signature.
pub(super) fn signer<'a>(access_key_id: &'a str, keys: &'a SigningKeys, allowed: &'a Allowed) -> Signer<'a> {
    Signer {
        access_key_id,
        keys,
        session_token: None,
        region: &allowed.region,
        signing_name: allowed.signing_name,
    }
}

/// The allowed request as the upstream is sent it.
pub(super) fn to(
    url: &Url,
    allowed: &Allowed,
    signer: &Signer<'_>,
    now: OffsetDateTime,
) -> Result<Request<Body>, Unavailable> {
    let unsendable = |why: String| Unavailable::broken(format!("the request cannot be sent on: {why}"));
    let (mut parts, body) = allowed.request.clone().into_parts();
    without_hop_by_hop(&mut parts.headers);
    // The client's own host stays, for an emulator makes URLs of it, which shall lead here again; AWS's would lead to AWS.
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host = host.or_else(|| parts.uri.authority().map(ToString::to_string)).unwrap_or_default();
    let name = Host::parse(&host);
    let is_aws = name.service().is_some();
    let path_and_query = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    // Emulators that know no host names find the bucket in the path.
    let path_and_query = match bucket_of_host(name.name) {
        Some(bucket) if allowed.signing_name == "s3" => format!("/{bucket}{path_and_query}"),
        _ => path_and_query.to_owned(),
    };
    let stays = !is_aws && !host.is_empty() && allowed.signing_name != "s3";
    let host = if stays { &*host } else { url.authority() };
    let host = HeaderValue::from_str(host).map_err(|error| unsendable(error.to_string()))?;
    parts.headers.insert(HOST, host);
    parts.uri = url.join(&path_and_query).map_err(|error| unsendable(error.to_string()))?;
    // The hash of what is still to come is known only where the client has told it.
    let (payload, body) = match allowed.take_upload() {
        Some(upload) => {
            let told = parts.headers.get("x-amz-content-sha256").and_then(|hash| hash.to_str().ok());
            (told.unwrap_or("UNSIGNED-PAYLOAD").to_owned(), upload)
        }
        None => (sigv4::hash_payload(&body), Body::from(body)),
    };
    sigv4::sign(signer, &mut parts, &payload, now).map_err(|failure| unsendable(failure.message))?;
    // The client's HTTP library tells it.
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Request::from_parts(parts, body))
}

/// Takes off what the upstream's answer, or the client's request, said to its neighbour only.
pub(super) fn without_hop_by_hop(headers: &mut HeaderMap) {
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}
