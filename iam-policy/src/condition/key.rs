//! The names of condition keys: the table of the global ones, and which names are known at all.

use crate::catalogue::{self, ValueType};
use crate::near::near;

/// A global condition key: one that AWS as a whole, and no single service, puts into requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GlobalKey {
    name: &'static str,
    value_type: ValueType,
    multivalued: bool,
}

impl GlobalKey {
    /// The key's name; one that ends with `/` is followed by the key of a tag.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The type of its values.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        self.value_type
    }

    /// Whether a request can have several values for it, so that conditions on it need `ForAllValues` or `ForAnyValue`.
    #[must_use]
    pub fn is_multivalued(&self) -> bool {
        self.multivalued
    }

    /// The key of this name, which has no case: `aws:sourceip`, `aws:PrincipalTag/Team`.
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::GlobalKey;
    ///
    /// assert_eq!(GlobalKey::find("aws:principaltag/Team").map(|key| key.name().to_owned()), Some("aws:PrincipalTag/".to_owned()));
    /// assert_eq!(GlobalKey::find("aws:PrincipalTag"), None);
    /// ```
    #[must_use]
    pub fn find(name: &str) -> Option<&'static GlobalKey> {
        GLOBAL_KEYS.iter().find(|key| match name.split_at_checked(key.name.len()) {
            Some((start, tag)) => {
                start.eq_ignore_ascii_case(key.name) && tag.is_empty() != key.name.ends_with('/')
            }
            None => false,
        })
    }
}

const fn one(name: &'static str, value_type: ValueType) -> GlobalKey {
    GlobalKey { name, value_type, multivalued: false }
}

const fn many(name: &'static str, value_type: ValueType) -> GlobalKey {
    GlobalKey { name, value_type, multivalued: true }
}

/// The keys of [AWS global condition context keys](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html),
/// in the order of the page, and two that only AWS managed policies tell of.
pub static GLOBAL_KEYS: [GlobalKey; 61] = [
    // Properties of the principal
    one("aws:PrincipalArn", ValueType::Arn),
    one("aws:PrincipalAccount", ValueType::String),
    many("aws:PrincipalOrgPaths", ValueType::String),
    one("aws:PrincipalOrgID", ValueType::String),
    one("aws:PrincipalOrgMasterAccountId", ValueType::String),
    one("aws:PrincipalTag/", ValueType::String),
    one("aws:PrincipalIsAWSService", ValueType::Bool),
    one("aws:PrincipalServiceName", ValueType::String),
    many("aws:PrincipalServiceNamesList", ValueType::String),
    one("aws:PrincipalType", ValueType::String),
    one("aws:userid", ValueType::String),
    one("aws:username", ValueType::String),
    // Properties of a role session
    one("aws:AssumedRoot", ValueType::Bool),
    one("aws:FederatedProvider", ValueType::String),
    one("aws:TokenIssueTime", ValueType::Date),
    one("aws:MultiFactorAuthAge", ValueType::Numeric),
    one("aws:MultiFactorAuthPresent", ValueType::Bool),
    one("aws:ChatbotSourceArn", ValueType::Arn),
    one("aws:Ec2InstanceSourceVpc", ValueType::String),
    one("aws:Ec2InstanceSourcePrivateIPv4", ValueType::IpAddress),
    one("aws:SourceIdentity", ValueType::String),
    one("ec2:RoleDelivery", ValueType::Numeric),
    one("ec2:SourceInstanceArn", ValueType::Arn),
    one("glue:RoleAssumedBy", ValueType::String),
    one("glue:CredentialIssuingService", ValueType::String),
    one("codebuild:BuildArn", ValueType::Arn),
    one("codebuild:ProjectArn", ValueType::Arn),
    one("lambda:SourceFunctionArn", ValueType::Arn),
    one("ssm:SourceInstanceArn", ValueType::Arn),
    one("identitystore:UserId", ValueType::String),
    // Properties of the network
    one("aws:SourceIp", ValueType::IpAddress),
    one("aws:SourceVpc", ValueType::String),
    one("aws:SourceVpcArn", ValueType::Arn),
    one("aws:SourceVpce", ValueType::String),
    one("aws:VpceAccount", ValueType::String),
    one("aws:VpceOrgID", ValueType::String),
    many("aws:VpceOrgPaths", ValueType::String),
    one("aws:VpcSourceIp", ValueType::IpAddress),
    // Properties of the resource
    one("aws:ResourceAccount", ValueType::String),
    one("aws:ResourceOrgID", ValueType::String),
    many("aws:ResourceOrgPaths", ValueType::String),
    one("aws:ResourceTag/", ValueType::String),
    // Properties of the request
    many("aws:CalledVia", ValueType::String),
    one("aws:CalledViaFirst", ValueType::String),
    one("aws:CalledViaLast", ValueType::String),
    one("aws:CalledViaAWSMCP", ValueType::String),
    one("aws:IsMcpServiceAction", ValueType::Bool),
    one("aws:ViaAWSMCPService", ValueType::Bool),
    one("aws:ViaAWSService", ValueType::Bool),
    one("aws:CurrentTime", ValueType::Date),
    one("aws:EpochTime", ValueType::Date),
    one("aws:Referer", ValueType::String),
    one("aws:RequestedRegion", ValueType::String),
    one("aws:RequestTag/", ValueType::String),
    many("aws:TagKeys", ValueType::String),
    one("aws:SecureTransport", ValueType::Bool),
    one("aws:SourceAccount", ValueType::String),
    one("aws:SourceArn", ValueType::Arn),
    one("aws:SourceOrgID", ValueType::String),
    many("aws:SourceOrgPaths", ValueType::String),
    one("aws:UserAgent", ValueType::String),
];

/// Whether AWS has a condition key of this name: a global one, a service's, or an identity provider's.
pub(crate) fn is_known(name: &str) -> bool {
    GlobalKey::find(name).is_some() || is_identity_provider(name) || catalogue::condition_key(name).is_some()
}

/// Names that the unknown one may be a slip of, best first.
pub(crate) fn near_names(name: &str) -> Vec<String> {
    let (stem, tag) = match name.split_once('/') {
        Some((stem, tag)) => (format!("{stem}/"), tag),
        None => (name.to_owned(), ""),
    };
    let global = near(&stem, GLOBAL_KEYS.iter().map(GlobalKey::name));
    let names = if global.is_empty() { catalogue::near_condition_keys(name) } else { global };
    // Who writes a service's prefix means one of its keys.
    let service = name.split_once(':').and_then(|(prefix, _)| catalogue::service(prefix));
    let is_own = |found: &&str| {
        let prefix = found.split_once(':').map_or("", |(prefix, _)| prefix);
        service.is_none_or(|service| service.prefix().eq_ignore_ascii_case(prefix))
    };
    names
        .into_iter()
        .filter(is_own)
        .map(|found| if found.ends_with('/') { format!("{found}{tag}") } else { found.to_owned() })
        .collect()
}

/// Keys of [OIDC and SAML federation](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html)
/// begin with the provider's host, and its claims are its own.
fn is_identity_provider(name: &str) -> bool {
    name.rsplit_once(':').is_some_and(|(prefix, claim)| prefix.contains('.') && !claim.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn global_service_and_provider_keys_are_known_whatever_their_case() {
        for name in [
            "aws:SourceIp",
            "AWS:sourceip",
            "aws:PrincipalTag/Team",
            "aws:requesttag/a/b",
            "s3:prefix",
            "S3:Prefix",
            "s3:ExistingObjectTag/x",
            "ec2:ResourceTag/Team",
            "kms:EncryptionContext:AppName",
            "sts:ExternalId",
            "token.actions.githubusercontent.com:sub",
            "oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud",
        ] {
            assert!(is_known(name), "{name}");
        }
    }

    #[test]
    fn slips_are_not_known_and_the_right_name_is_near() {
        for (slip, right) in [
            ("aws:SourceIP4", "aws:SourceIp"),
            ("aws:usrname", "aws:username"),
            ("aws:PrincipleTag/Team", "aws:PrincipalTag/Team"),
            ("s3:prefx", "s3:prefix"),
        ] {
            assert!(!is_known(slip), "{slip}");
            assert_eq!(near_names(slip).first().map(String::as_str), Some(right), "{slip}");
        }
        assert_eq!(near_names("lakeformation:GlueARN"), [""; 0]);
        assert!(!is_known("aws:PrincipalTag"));
        assert!(!is_known("aws:PrincipalTag/"));
        assert!(!is_known("prefix"));
    }

    #[test]
    fn no_global_key_is_listed_twice() {
        for key in &GLOBAL_KEYS {
            assert_eq!(
                GLOBAL_KEYS.iter().filter(|other| other.name.eq_ignore_ascii_case(key.name)).count(),
                1,
                "{}",
                key.name
            );
        }
    }
}
