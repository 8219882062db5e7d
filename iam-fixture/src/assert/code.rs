//! What an AWS error code says about authorization.

/// What an error answer says about authorization, judged by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeClass {
    /// Authorization passed: the service went on and failed for a reason of its own, such as `NoSuchKey`.
    Authorized,
    /// The credentials were not accepted, so no policy was asked.
    Credentials,
    /// An authorization denial.
    Denial,
    /// The request was refused for its form, which services check before or after authorization.
    Malformed,
    /// The endpoint does not perform this operation, and did not ask a policy.
    NotMapped,
    /// The request was throttled before a policy was asked.
    Throttled,
}

/// Codes whose meaning is known, each with its class; any other 4xx code is [`CodeClass::Authorized`].
///
/// From the services' "Common Errors" pages, for example
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html> and
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
const CODES: &[(CodeClass, &[&str])] = &[
    (
        // Authorization passed, although the HTTP status is 501 or 4xx: a dry run, or the embedded endpoint's word
        // for "allowed, but nothing here performs it".
        CodeClass::Authorized,
        &["AuthorizedNotPerformed", "DryRunOperation", "DryRunOperationException"],
    ),
    (
        CodeClass::Credentials,
        &[
            "AuthFailure",
            "AuthorizationHeaderMalformed",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSecurity",
            "InvalidSignatureException",
            "InvalidToken",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "OptInRequired",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "TokenRefreshRequired",
            "UnrecognizedClientException",
        ],
    ),
    (
        CodeClass::Denial,
        &[
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "AuthorizationErrorException",
            "Client.UnauthorizedOperation",
            "ForbiddenException",
            "KMS.AccessDeniedException",
            "KMSAccessDenied",
            "KMSAccessDeniedException",
            "KmsAccessDenied",
            "NotAuthorized",
            "UnauthorizedAccess",
            "UnauthorizedException",
            "UnauthorizedOperation",
        ],
    ),
    (
        CodeClass::Malformed,
        &[
            "BadRequest",
            "BadRequestException",
            "InvalidAction",
            "InvalidParameterCombination",
            "InvalidParameterValue",
            "InvalidQueryParameter",
            "InvalidRequest",
            "InvalidURI",
            "MalformedQueryString",
            "MalformedXML",
            "MethodNotAllowed",
            "MissingAction",
            "MissingParameter",
            "SerializationException",
            "UnknownOperationException",
            "ValidationError",
            "ValidationException",
        ],
    ),
    (
        CodeClass::NotMapped,
        &[
            "ConditionKeyNotEvaluable",
            "NotImplemented",
            "OperationNotMapped",
            "ResourceNotEvaluable",
            "SessionNotEvaluable",
        ],
    ),
    (
        CodeClass::Throttled,
        &[
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "TooManyRequestsException",
        ],
    ),
];

impl CodeClass {
    /// The class of `code`, where it is one whose meaning is known.
    pub(crate) fn of(code: &str) -> Option<Self> {
        CODES.iter().find(|(_, codes)| codes.contains(&code)).map(|(class, _)| *class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once() {
        let mut all: Vec<_> = CODES.iter().flat_map(|(_, codes)| codes.iter()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn credentials_that_are_not_live_are_no_denial() {
        for code in [
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "InvalidToken",
            "AuthFailure",
            "SignatureDoesNotMatch",
            "ExpiredToken",
        ] {
            assert_eq!(CodeClass::of(code), Some(CodeClass::Credentials), "{code}");
        }
    }

    #[test]
    fn each_service_family_has_its_denial_code() {
        for code in ["AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"] {
            assert_eq!(CodeClass::of(code), Some(CodeClass::Denial), "{code}");
        }
    }
}
