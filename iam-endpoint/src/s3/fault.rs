//! S3's errors.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::authorize::Refusal;
use crate::call::Call;
use crate::journal::Outcome;
use crate::wire::xml::Xml;

/// One of S3's error codes.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
#[derive(Clone, Copy)]
pub(super) struct Code {
    name: &'static str,
    status: StatusCode,
    message: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $name:literal $status:ident $message:literal;)*) => {$(
        pub(super) const $constant: Code =
            Code { name: $name, status: StatusCode::$status, message: $message };
    )*};
}

codes! {
    ACCESS_DENIED = "AccessDenied" FORBIDDEN "Access Denied";
    ACL_NOT_SUPPORTED = "AccessControlListNotSupported" BAD_REQUEST "The bucket does not allow ACLs";
    AUTHORIZED_NOT_PERFORMED = "AuthorizedNotPerformed" NOT_IMPLEMENTED "";
    BAD_DIGEST = "BadDigest" BAD_REQUEST "The Content-MD5 you specified did not match what we received.";
    BAD_REQUEST = "BadRequest" BAD_REQUEST "Bad Request";
    BUCKET_ALREADY_EXISTS = "BucketAlreadyExists" CONFLICT "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
    BUCKET_ALREADY_OWNED_BY_YOU = "BucketAlreadyOwnedByYou" CONFLICT "Your previous request to create the named bucket succeeded and you already own it.";
    BUCKET_NOT_EMPTY = "BucketNotEmpty" CONFLICT "The bucket you tried to delete is not empty";
    ENTITY_TOO_LARGE = "EntityTooLarge" BAD_REQUEST "Your proposed upload exceeds the maximum allowed size";
    ENTITY_TOO_SMALL = "EntityTooSmall" BAD_REQUEST "Your proposed upload is smaller than the minimum allowed size";
    ILLEGAL_LOCATION_CONSTRAINT = "IllegalLocationConstraintException" BAD_REQUEST "The location constraint is incompatible for the region specific endpoint this request was sent to.";
    ILLEGAL_VERSIONING_CONFIGURATION = "IllegalVersioningConfigurationException" BAD_REQUEST "The Versioning element must be specified";
    INVALID_ARGUMENT = "InvalidArgument" BAD_REQUEST "Invalid Argument";
    INVALID_BUCKET_ACL_WITH_OBJECT_OWNERSHIP = "InvalidBucketAclWithObjectOwnership" BAD_REQUEST "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    INVALID_BUCKET_STATE = "InvalidBucketState" CONFLICT "The request is not valid for the current state of the bucket.";
    INVALID_BUCKET_NAME = "InvalidBucketName" BAD_REQUEST "The specified bucket is not valid.";
    INVALID_DIGEST = "InvalidDigest" BAD_REQUEST "The Content-MD5 you specified was invalid.";
    INVALID_LOCATION_CONSTRAINT = "InvalidLocationConstraint" BAD_REQUEST "The specified location-constraint is not valid";
    INVALID_OBJECT_STATE = "InvalidObjectState" FORBIDDEN "The operation is not valid for the object's storage class";
    INVALID_PART = "InvalidPart" BAD_REQUEST "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
    INVALID_PART_NUMBER = "InvalidPartNumber" RANGE_NOT_SATISFIABLE "The requested partnumber is not satisfiable";
    INVALID_PART_ORDER = "InvalidPartOrder" BAD_REQUEST "The list of parts was not in ascending order. Parts must be ordered by part number.";
    INVALID_POLICY_DOCUMENT = "InvalidPolicyDocument" BAD_REQUEST "";
    INVALID_RANGE = "InvalidRange" RANGE_NOT_SATISFIABLE "The requested range is not satisfiable";
    INVALID_REQUEST = "InvalidRequest" BAD_REQUEST "Invalid Request";
    INVALID_STORAGE_CLASS = "InvalidStorageClass" BAD_REQUEST "The storage class you specified is not valid";
    INVALID_TAG = "InvalidTag" BAD_REQUEST "The tag provided was not a valid tag.";
    INVALID_URI = "InvalidURI" BAD_REQUEST "Couldn't parse the specified URI.";
    KEY_TOO_LONG = "KeyTooLongError" BAD_REQUEST "Your key is too long";
    MALFORMED_POLICY = "MalformedPolicy" BAD_REQUEST "Policies must be valid JSON and the first byte must be '{'";
    MALFORMED_POST = "MalformedPOSTRequest" BAD_REQUEST "The body of your POST request is not well-formed multipart/form-data.";
    MALFORMED_XML = "MalformedXML" BAD_REQUEST "The XML you provided was not well-formed or did not validate against our published schema";
    MAX_POST_PRE_DATA_LENGTH = "MaxPostPreDataLengthExceededError" BAD_REQUEST "Your POST request fields preceding the upload file were too large.";
    METADATA_TOO_LARGE = "MetadataTooLarge" BAD_REQUEST "Your metadata headers exceed the maximum allowed metadata size";
    MISSING_OBJECT_LOCK = "InvalidRequest" BAD_REQUEST "Bucket is missing Object Lock Configuration";
    METHOD_NOT_ALLOWED = "MethodNotAllowed" METHOD_NOT_ALLOWED "The specified method is not allowed against this resource.";
    NO_SUCH_BUCKET = "NoSuchBucket" NOT_FOUND "The specified bucket does not exist";
    NO_SUCH_BUCKET_POLICY = "NoSuchBucketPolicy" NOT_FOUND "The bucket policy does not exist";
    NO_OBJECT_LOCK = "ObjectLockConfigurationNotFoundError" NOT_FOUND "Object Lock configuration does not exist for this bucket";
    NO_OWNERSHIP_CONTROLS = "OwnershipControlsNotFoundError" NOT_FOUND "The bucket ownership controls were not found";
    NO_SUCH_CONFIGURATION = "NoSuchConfiguration" NOT_FOUND "The specified configuration does not exist.";
    NO_SUCH_CORS = "NoSuchCORSConfiguration" NOT_FOUND "The CORS configuration does not exist";
    NO_SUCH_KEY = "NoSuchKey" NOT_FOUND "The specified key does not exist.";
    NO_SUCH_LIFECYCLE = "NoSuchLifecycleConfiguration" NOT_FOUND "The lifecycle configuration does not exist";
    NO_SUCH_OBJECT_LOCK = "NoSuchObjectLockConfiguration" NOT_FOUND "The specified object does not have a ObjectLock configuration";
    NO_SUCH_REPLICATION = "ReplicationConfigurationNotFoundError" NOT_FOUND "The replication configuration was not found";
    NO_SUCH_PUBLIC_ACCESS_BLOCK = "NoSuchPublicAccessBlockConfiguration" NOT_FOUND "The public access block configuration was not found";
    NO_SUCH_TAG_SET = "NoSuchTagSet" NOT_FOUND "The TagSet does not exist";
    NO_SUCH_UPLOAD = "NoSuchUpload" NOT_FOUND "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    NO_SUCH_WEBSITE = "NoSuchWebsiteConfiguration" NOT_FOUND "The specified bucket does not have a website configuration";
    NO_SUCH_VERSION = "NoSuchVersion" NOT_FOUND "The specified version does not exist.";
    NOT_MODIFIED = "NotModified" NOT_MODIFIED "";
    PRECONDITION_FAILED = "PreconditionFailed" PRECONDITION_FAILED "At least one of the pre-conditions you specified did not hold";
}

impl Code {
    pub(super) fn fault(self) -> Fault {
        let message = self.message;
        self.because(message)
    }

    /// The error with a message of its own.
    pub(super) fn because(self, message: impl Into<String>) -> Fault {
        crate::fault::Fault::new(self.status, self.name, message).into()
    }
}

/// The caller may do this, but the endpoint does not do it: neither a denial nor a success.
pub(super) fn not_performed(what: &str) -> Fault {
    AUTHORIZED_NOT_PERFORMED
        .because(format!("the caller is allowed to do this, but this endpoint does not perform {what}"))
        .concluding(Outcome::NotMapped)
}

/// An error on its way to the client, with what S3 adds to code and message.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    base: crate::fault::Fault,
    fields: Vec<(&'static str, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Fault {
    pub(super) fn code(&self) -> &str {
        &self.base.code
    }

    pub(super) fn message(&self) -> &str {
        &self.base.message
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.base.outcome
    }

    /// The error without what only S3 adds to it.
    pub(super) fn into_base(self) -> crate::fault::Fault {
        self.base
    }

    /// Adds an element to the error's body.
    pub(super) fn with(mut self, element: &'static str, text: impl Into<String>) -> Self {
        self.fields.push((element, text.into()));
        self
    }

    /// Adds a header, unless its value is none.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    pub(super) fn concluding(mut self, outcome: Outcome) -> Self {
        self.base.outcome = outcome;
        self
    }

    /// Journals the error and words it as S3 does; a `HEAD` is answered without a body.
    pub(super) fn answer(self, call: &Call<'_>) -> Response<Bytes> {
        call.conclude(self.base.outcome, self.base.code.clone());
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.base.status;
        response.headers_mut().extend(self.headers);
        if call.parts.method != Method::HEAD && self.base.status != StatusCode::NOT_MODIFIED {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            let mut xml = Xml::declared();
            xml.element("Error", |xml| {
                xml.leaf("Code", &self.base.code);
                xml.leaf("Message", &self.base.message);
                for (element, text) in &self.fields {
                    xml.leaf(element, text);
                }
                xml.leaf("Resource", call.parts.uri.path());
                xml.leaf("RequestId", call.ids.request);
                xml.leaf("HostId", call.ids.host);
            });
            *response.body_mut() = xml.finish().into();
        }
        response
    }
}

impl From<crate::fault::Fault> for Fault {
    fn from(base: crate::fault::Fault) -> Self {
        Self { base, fields: Vec::new(), headers: Vec::new() }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        crate::fault::Fault::from(refusal).into()
    }
}
