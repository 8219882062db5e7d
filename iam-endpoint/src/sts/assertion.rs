//! SAML's assertions: what they say.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html>

use roxmltree::{Document, Node};
use time::{OffsetDateTime, UtcOffset};

use crate::clock;
use crate::iam::Tags;
use crate::wire::tame::is_tame_xml;

/// What an assertion says.
pub(super) struct Assertion {
    pub(super) issuer: String,
    pub(super) subject: String,
    /// The format of the subject's name: `persistent`, `transient`, or a URI.
    pub(super) subject_type: String,
    /// Where it was sent to.
    pub(super) recipient: String,
    /// Until when it can be used.
    pub(super) redeemed_by: OffsetDateTime,
    pub(super) begins: Option<OffsetDateTime>,
    /// When the session that it is for has to end.
    pub(super) session_ends: Option<OffsetDateTime>,
    /// Names and values, as often as they are there.
    attributes: Vec<(String, Vec<String>)>,
}

/// Why a text is no assertion.
pub(super) struct Rejected(pub(super) &'static str);

/// What AWS's own attributes begin with.
const AWS: &str = "https://aws.amazon.com/SAML/Attributes/";

/// Attributes that AWS makes condition keys of, by their names in LDAP's schemas.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-saml>
#[rustfmt::skip]
const KEYS: &[(&str, &str)] = &[
    ("urn:oid:0.9.2342.19200300.100.1.1", "uid"),
    ("urn:oid:0.9.2342.19200300.100.1.3", "mail"),
    ("urn:oid:0.9.2342.19200300.100.1.45", "organizationStatus"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "edupersonaffiliation"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "edupersontargetedid"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "edupersonassurance"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.2", "edupersonnickname"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.3", "edupersonorgdn"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.4", "edupersonorgunitdn"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.5", "edupersonprimaryaffiliation"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "edupersonprincipalname"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.7", "edupersonentitlement"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.8", "edupersonprimaryorgunitdn"),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "edupersonscopedaffiliation"),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.2", "eduorghomepageuri"),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.3", "eduorgidentityauthnpolicyuri"),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.4", "eduorglegalname"),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.5", "eduorgsuperioruri"),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.6", "eduorgwhitepagesuri"),
    ("urn:oid:2.5.4.3", "cn"),
    ("urn:oid:2.5.4.4", "surname"),
    ("urn:oid:2.5.4.41", "name"),
    ("urn:oid:2.5.4.42", "givenName"),
    ("urn:oid:2.5.4.45", "x500UniqueIdentifier"),
];

/// What its certificate and address are for, a provider's metadata says under this name.
pub(super) fn entity_id(metadata: &str) -> Option<String> {
    if !is_tame_xml(metadata) {
        return None;
    }
    let document = Document::parse(metadata).ok()?;
    let mut all = document.descendants();
    let descriptor = all.find(|node| node.tag_name().name() == "EntityDescriptor")?;
    descriptor.attribute("entityID").map(str::to_owned)
}

impl Assertion {
    /// Reads a response in base64, as a browser gets it from the identity provider.
    pub(super) fn read(response: &str) -> Result<Self, Rejected> {
        let compact: String = response.split_ascii_whitespace().collect();
        let bytes = base64_simd::STANDARD.decode_to_vec(compact).map_err(|_| Rejected("it is not base64"))?;
        let text = String::from_utf8(bytes).map_err(|_| Rejected("it is not XML"))?;
        if !is_tame_xml(&text) {
            return Err(Rejected("it is XML beyond all measure"));
        }
        let document = Document::parse(&text).map_err(|_| Rejected("it is not XML"))?;
        let assertion = find(document.root(), "Assertion").ok_or(Rejected("there is no assertion in it"))?;
        let name = find(assertion, "NameID").ok_or(Rejected("it names no subject (`NameID`)"))?;
        let confirmed =
            find(assertion, "SubjectConfirmationData").ok_or(Rejected("it confirms no subject"))?;
        let format = name.attribute("Format").unwrap_or_default();
        let subject_type =
            format.strip_prefix("urn:oasis:names:tc:SAML:2.0:nameid-format:").unwrap_or(format);
        let at = |node: Option<Node<'_, '_>>, name: &str| time(node?.attribute(name)?);
        let attributes = assertion.descendants().filter(|node| is(*node, "Attribute"));
        Ok(Self {
            issuer: find(assertion, "Issuer").map(text_of).ok_or(Rejected("it names no issuer"))?,
            subject: text_of(name),
            subject_type: subject_type.to_owned(),
            recipient: confirmed.attribute("Recipient").unwrap_or_default().to_owned(),
            redeemed_by: at(Some(confirmed), "NotOnOrAfter").ok_or(Rejected("it has no end"))?,
            begins: at(find(assertion, "Conditions"), "NotBefore"),
            session_ends: at(find(assertion, "AuthnStatement"), "SessionNotOnOrAfter"),
            attributes: attributes.filter_map(attribute).collect(),
        })
    }

    /// Whether it offers a role together with a provider.
    pub(super) fn offers(&self, role: &str, provider: &str) -> bool {
        self.values(&format!("{AWS}Role")).iter().any(|pair| {
            let pair = pair.split_once(',').map(|(one, other)| (one.trim(), other.trim()));
            pair == Some((role, provider)) || pair == Some((provider, role))
        })
    }

    pub(super) fn session_name(&self) -> Option<&str> {
        self.values(&format!("{AWS}RoleSessionName")).first().map(|name| name.as_str())
    }

    pub(super) fn source_identity(&self) -> Option<String> {
        self.values(&format!("{AWS}SourceIdentity")).first().map(|identity| (*identity).clone())
    }

    pub(super) fn tags(&self) -> Result<Tags, Rejected> {
        let mut tags = Vec::new();
        for (name, values) in &self.attributes {
            if let Some(key) = name.strip_prefix(AWS).and_then(|name| name.strip_prefix("PrincipalTag:")) {
                tags.push((key.to_owned(), values.concat()));
            }
        }
        Tags::checked(tags).map_err(|_| Rejected("its tags are not such as a session can have"))
    }

    pub(super) fn transitive(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for key in self.values(&format!("{AWS}TransitiveTagKeys")) {
            keys.push(key.clone());
        }
        keys
    }

    /// The condition keys that its attributes become, without `saml:`.
    pub(super) fn condition_keys(&self) -> Vec<(&'static str, &Vec<String>)> {
        let mut keys = Vec::new();
        for (name, values) in &self.attributes {
            for (known, key) in KEYS {
                if known == name || key.eq_ignore_ascii_case(name) {
                    keys.push((*key, values));
                    break;
                }
            }
        }
        keys
    }

    fn values(&self, wanted: &str) -> Vec<&String> {
        let mut all = Vec::new();
        for (name, values) in &self.attributes {
            if name == wanted {
                all.extend(values);
            }
        }
        all
    }
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
        && node.tag_name().namespace() == Some("urn:oasis:names:tc:SAML:2.0:assertion")
}

fn find<'a, 'i>(within: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    within.descendants().find(|node| is(*node, name))
}

fn text_of(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().trim().to_owned()
}

fn attribute(node: Node<'_, '_>) -> Option<(String, Vec<String>)> {
    let values = node.children().filter(|value| is(*value, "AttributeValue"));
    Some((node.attribute("Name")?.to_owned(), values.map(text_of).collect()))
}

/// `2026-11-22T03:13:37.000Z`
fn time(text: &str) -> Option<OffsetDateTime> {
    let digits: String = text.get(..19)?.chars().filter(|c| !"-:".contains(*c)).collect();
    let rest = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    (rest == "Z").then(|| clock::parse_basic(&format!("{digits}Z")))?.map(|at| at.to_offset(UtcOffset::UTC))
}
