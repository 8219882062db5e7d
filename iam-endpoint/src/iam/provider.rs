//! Identity providers: of OIDC, and of SAML.

use time::OffsetDateTime;

use super::input::Input;
use super::named::{Head, entity};
use super::tags::Tags;
use crate::clock;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// How many audiences a provider can have.
const MOST_CLIENTS: usize = 100;

/// An OIDC provider. Its name is its URL without the scheme, in lower case.
pub(crate) struct OidcProvider {
    head: Head,
    pub(crate) arn: String,
    pub(crate) client_ids: Vec<String>,
    thumbprints: Vec<String>,
}

entity!(
    OidcProvider,
    oidc_providers,
    "OpenID Connect provider",
    "oidc-provider",
    "OpenIDConnectProviderArn",
    {
        const NAME: &'static str = "Url";

        fn name_in(reference: &str) -> &str {
            reference.split_once(":oidc-provider/").map_or(reference, |(_, name)| name)
        }

        fn is(&self, reference: &str) -> bool {
            !reference.starts_with("arn:") || self.arn == reference
        }

        fn arn(&self, _: &crate::endpoint::Shared) -> String {
            self.arn.clone()
        }

        fn no_such(arn: &str) -> Fault {
            Fault::no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}"))
        }

        fn exists(name: &str) -> Fault {
            Fault::already_exists(format!("Provider with url https://{name} already exists."))
        }
    }
);

/// A provider's URL without its scheme, which is what its ARN and its condition keys have.
pub(super) fn oidc_name<'a>(input: &'a Input<'_>) -> Result<&'a str, Fault> {
    let url = input.parameters.required("Url")?;
    let invalid = || Fault::invalid_input("Invalid Open ID Connect Provider URL");
    input.parameters.check_length("Url", 1..=255)?;
    let name = url.strip_prefix("https://").ok_or_else(invalid)?.trim_end_matches('/');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:%@".contains(&b);
    let host = name.split('/').next().unwrap_or_default();
    if host.is_empty() || host.contains(['@', '%']) || !name.bytes().all(allowed) {
        return Err(invalid());
    }
    Ok(name)
}

pub(super) fn create_oidc(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let name = oidc_name(input)?;
    let texts =
        |list| -> Vec<String> { input.parameters.list(list).into_iter().map(str::to_owned).collect() };
    let client_ids = texts("ClientIDList");
    check_clients(&client_ids)?;
    let thumbprints = texts("ThumbprintList");
    check_thumbprints(&thumbprints)?;
    let arn = input.call.endpoint.iam_arn("oidc-provider", "/", name);
    let tags = Tags::read(&input.parameters)?;
    let head = Head::new("", name, "/", tags, input.call.now);
    let mut iam = input.call.endpoint.iam_mut();
    let provider = iam.oidc_providers.insert(OidcProvider { head, arn, client_ids, thumbprints })?;
    xml.leaf("OpenIDConnectProviderArn", &provider.arn);
    provider.head.tags.write(xml);
    Ok(())
}

pub(super) fn read_oidc(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let OidcProvider { head, client_ids, thumbprints, .. } = iam.get::<OidcProvider>(input)?;
    xml.leaf("Url", &head.name);
    for (list, texts) in [("ClientIDList", client_ids), ("ThumbprintList", thumbprints)] {
        xml.element(list, |xml| {
            for text in texts {
                xml.leaf("member", text);
            }
        });
    }
    xml.leaf("CreateDate", &clock::iso8601(head.created));
    head.tags.write(xml);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "of the table's type")]
pub(super) fn list_oidc(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    xml.element("OpenIDConnectProviderList", |xml| {
        for provider in iam.oidc_providers.iter() {
            xml.element("member", |xml| xml.leaf("Arn", &provider.arn));
        }
    });
    Ok(())
}

pub(super) fn delete_oidc(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let arn = iam.get::<OidcProvider>(input)?.arn.clone();
    iam.oidc_providers.remove(&arn);
    Ok(())
}

pub(super) fn add_client(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let client = input.parameters.required("ClientID")?;
    let mut iam = input.call.endpoint.iam_mut();
    let provider = iam.get_mut::<OidcProvider>(input)?;
    let mut clients = provider.client_ids.clone();
    if !clients.iter().any(|other| other == client) {
        clients.push(client.to_owned());
    }
    check_clients(&clients)?;
    provider.client_ids = clients;
    Ok(())
}

pub(super) fn remove_client(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let client = input.parameters.required("ClientID")?;
    let mut iam = input.call.endpoint.iam_mut();
    iam.get_mut::<OidcProvider>(input)?.client_ids.retain(|other| other != client);
    Ok(())
}

pub(super) fn update_thumbprint(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let thumbprints = input.parameters.list("ThumbprintList");
    let thumbprints: Vec<_> = thumbprints.into_iter().map(str::to_owned).collect();
    check_thumbprints(&thumbprints)?;
    let mut iam = input.call.endpoint.iam_mut();
    iam.get_mut::<OidcProvider>(input)?.thumbprints = thumbprints;
    Ok(())
}

fn check_clients(clients: &[String]) -> Result<(), Fault> {
    if clients.len() > MOST_CLIENTS {
        return Err(Fault::limit(format!(
            "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {MOST_CLIENTS}"
        )));
    }
    if let Some(client) = clients.iter().find(|client| client.is_empty() || client.len() > 255) {
        let rule = "Member must have length less than or equal to 255 and greater than or equal to 1";
        return Err(Fault::violated("ClientIDList", client, rule));
    }
    Ok(())
}

fn check_thumbprints(thumbprints: &[String]) -> Result<(), Fault> {
    /// AWS's quota.
    const MOST: usize = 5;
    if thumbprints.len() > MOST {
        return Err(Fault::invalid_input(format!("Thumbprint list must contain fewer than {MOST} entries.")));
    }
    if let Some(wrong) = thumbprints.iter().find(|text| text.len() != 40) {
        let rule = "Member must have length less than or equal to 40 and greater than or equal to 40";
        return Err(Fault::violated("ThumbprintList", wrong, rule));
    }
    Ok(())
}

/// A SAML provider.
pub(crate) struct SamlProvider {
    head: Head,
    arn: String,
    document: String,
}

impl SamlProvider {
    /// Its metadata.
    pub(crate) fn document(&self) -> &str {
        &self.document
    }
}

entity!(SamlProvider, saml_providers, "SAML provider", "saml-provider", "SAMLProviderArn", {
    const NAME: &'static str = "Name";

    fn name_in(reference: &str) -> &str {
        reference.rsplit('/').next().unwrap_or(reference)
    }

    fn is(&self, reference: &str) -> bool {
        self.arn == reference
    }

    fn no_such(arn: &str) -> Fault {
        Fault::no_such_entity(format!("Manifest not found for arn {arn}"))
    }

    fn exists(name: &str) -> Fault {
        Fault::already_exists(format!("SAMLProvider with name {name} already exists."))
    }
});

pub(super) fn create_saml(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let name = input.name("Name", 128)?;
    let document = metadata(input)?.ok_or_else(|| Fault::missing("SAMLMetadataDocument"))?;
    let arn = input.call.endpoint.iam_arn("saml-provider", "/", name);
    let head = Head::new("", name, "/", Tags::read(&input.parameters)?, input.call.now);
    let mut iam = input.call.endpoint.iam_mut();
    let provider = iam.saml_providers.insert(SamlProvider { head, arn, document })?;
    xml.leaf("SAMLProviderArn", &provider.arn);
    provider.head.tags.write(xml);
    Ok(())
}

pub(super) fn read_saml(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let SamlProvider { head, document, .. } = iam.get::<SamlProvider>(input)?;
    xml.leaf("SAMLMetadataDocument", document);
    xml.leaf("CreateDate", &clock::iso8601(head.created));
    xml.leaf("ValidUntil", &clock::iso8601(valid_until(head)));
    head.tags.write(xml);
    Ok(())
}

pub(super) fn update_saml(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let document = metadata(input)?;
    let mut iam = input.call.endpoint.iam_mut();
    let provider = iam.get_mut::<SamlProvider>(input)?;
    if let Some(document) = document {
        provider.document = document;
    }
    xml.leaf("SAMLProviderArn", &provider.arn);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "of the table's type")]
pub(super) fn list_saml(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    xml.element("SAMLProviderList", |xml| {
        for provider in iam.saml_providers.iter() {
            let SamlProvider { head, arn, .. } = &**provider;
            xml.element("member", |xml| {
                xml.leaf("Arn", arn);
                xml.leaf("ValidUntil", &clock::iso8601(valid_until(head)));
                xml.leaf("CreateDate", &clock::iso8601(head.created));
            });
        }
    });
    Ok(())
}

pub(super) fn delete_saml(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let arn = iam.get::<SamlProvider>(input)?.arn.clone();
    iam.saml_providers.remove(&arn);
    Ok(())
}

fn metadata(input: &Input<'_>) -> Result<Option<String>, Fault> {
    input.parameters.check_length("SAMLMetadataDocument", 1000..=10_000_000)?;
    let document = input.parameters.optional("SAMLMetadataDocument");
    if document.is_some_and(|document| !document.contains("EntityDescriptor")) {
        return Err(Fault::invalid_input("Could not parse metadata"));
    }
    Ok(document.map(str::to_owned))
}

/// AWS takes the earlier of the certificate's end and a hundred years.
fn valid_until(head: &Head) -> OffsetDateTime {
    head.created.saturating_add(time::Duration::days(36_500))
}
