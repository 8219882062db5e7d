//! One-time passwords of callers.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html>

use http::StatusCode;

use crate::call::Call;
use crate::fault::Fault;
use crate::journal::Outcome;
use crate::wire::query::Parameters;

/// Whether the call proves that the caller has an MFA device: with `SerialNumber` and `TokenCode`.
///
/// # Errors
///
/// Where it tries to, and fails.
pub(super) fn proven(call: &Call<'_>, parameters: &Parameters<'_>) -> Result<bool, Fault> {
    let (serial, code) = match (parameters.optional("SerialNumber"), parameters.optional("TokenCode")) {
        (None, None) => return Ok(false),
        (Some(serial), Some(code)) => (serial, code),
        _ => return Err(failed(", must provide both MFA serial number and one time pass code.")),
    };
    parameters.check_length("SerialNumber", 9..=256)?;
    parameters.check_length("TokenCode", 6..=6)?;
    if !code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::violated(
            "TokenCode",
            code,
            r"Member must satisfy regular expression pattern: [\d]*",
        ));
    }
    let user = call.caller.user_name();
    let mut iam = call.endpoint.iam_mut();
    let Some(device) = user.and_then(|user| iam.device_of(user, serial)) else {
        return Err(failed(
            ", unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
        ));
    };
    if device.take_code(code, call.now) {
        return Ok(true);
    }
    Err(failed(" with invalid MFA one time pass code. "))
}

/// What AWS's client is told as a denial has nothing to do with policies.
fn failed(how: &str) -> Fault {
    Fault {
        outcome: Outcome::AuthenticationFailed,
        ..Fault::new(StatusCode::FORBIDDEN, "AccessDenied", format!("MultiFactorAuthentication failed{how}"))
    }
}
