//! `Tag…`, `Untag…` and `List…Tags`, which all kinds of resources have.

use super::input::Input;
use super::named::{Entity, Head};
use super::tags::Tags;
use crate::fault::Fault;
use crate::wire::xml::Xml;

pub(super) fn tag<T: Entity>(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let tags = Tags::read(&input.parameters)?;
    let mut iam = input.call.endpoint.iam_mut();
    iam.get_mut::<T>(input)?.head_mut().add(tags)
}

pub(super) fn untag<T: Entity>(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    iam.get_mut::<T>(input)?.head_mut().remove(&input.parameters.list("TagKeys"));
    Ok(())
}

/// Once for all kinds.
impl Head {
    fn add(&mut self, tags: Tags) -> Result<(), Fault> {
        let mut all = self.tags.clone();
        all.extend(tags);
        all.check_count()?;
        self.tags = all;
        Ok(())
    }

    fn remove(&mut self, keys: &[&str]) {
        for key in keys {
            self.tags.remove(key);
        }
    }
}

pub(super) fn list_tags<T: Entity>(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    write_page(&input.call.endpoint.iam().get::<T>(input)?.head().tags, input, xml)
}

fn write_page(tags: &Tags, input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let mut page = input.page()?;
    // Keys differ in more than case, and a marker tells the last one of a page.
    let mut keys: Vec<String> = Vec::new();
    for (key, _) in tags.iter() {
        keys.push(key.to_lowercase());
    }
    keys.sort();
    keys.dedup();
    keys.retain(|key| page.takes(key));
    xml.element("Tags", |xml| {
        for wanted in &keys {
            for (key, value) in tags.iter() {
                if key.to_lowercase() == *wanted {
                    Tags::write_member(key, value, xml);
                }
            }
        }
    });
    page.end(xml);
    Ok(())
}
