//! Tags of objects and buckets.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>.

use http::StatusCode;
use roxmltree::Node;

use super::fault::{self, Fault};
use super::object;
use super::state::Tags;
use super::task::{Answer, Target, Task, document, empty, set_version};
use super::{query, xml};
use crate::wire::xml::Xml;

const MOST_OF_OBJECT: usize = 10;
const MOST_OF_BUCKET: usize = 50;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// The tags that a request carries: in its body where that is what it is about, else in `x-amz-tagging`.
///
/// # Errors
///
/// `MalformedXML`, `InvalidArgument`, `InvalidTag`, `BadRequest`
pub(super) fn of_request(task: &Task<'_>) -> Result<Tags, Fault> {
    match task.operation.name {
        "PutBucketTagging" => of_body(task, MOST_OF_BUCKET),
        "PutObjectTagging" => of_body(task, MOST_OF_OBJECT),
        "CreateBucket" if task.call.body.is_empty() => Ok(Tags::new()),
        "CreateBucket" => {
            let tags = xml::read(&task.call.body, "CreateBucketConfiguration", |root| {
                xml::child(root, "Tags").map_or(Some(Tags::new()), read_set)
            })?;
            checked(tags, MOST_OF_BUCKET)
        }
        _ => of_header(task),
    }
}

fn of_body(task: &Task<'_>, most: usize) -> Result<Tags, Fault> {
    let tags = xml::read(&task.call.body, "Tagging", |root| read_set(xml::child(root, "TagSet")?))?;
    checked(tags, most)
}

pub(super) fn read_set(set: Node<'_, '_>) -> Option<Tags> {
    let mut tags = Tags::new();
    for tag in xml::children(set, "Tag") {
        tags.push((xml::text(tag, "Key")?.to_owned(), xml::text(tag, "Value")?.to_owned()));
    }
    Some(tags)
}

fn of_header(task: &Task<'_>) -> Result<Tags, Fault> {
    let Some(header) = task.condition("x-amz-tagging") else {
        return Ok(Tags::new());
    };
    let query = query::Query::parse(Some(header)).ok_or_else(|| {
        fault::INVALID_ARGUMENT
            .because("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
            .with("ArgumentName", "x-amz-tagging")
            .with("ArgumentValue", header)
    })?;
    let mut tags = Tags::new();
    for (key, value) in query.iter() {
        tags.push((key.clone().into_owned(), value.clone().into_owned()));
    }
    checked(tags, MOST_OF_OBJECT)
}

/// Checks the tags of a bucket.
pub(super) fn of_bucket(tags: Tags) -> Result<Tags, Fault> {
    checked(tags, MOST_OF_BUCKET)
}

fn checked(tags: Tags, most: usize) -> Result<Tags, Fault> {
    if tags.len() > most {
        let what = if most == MOST_OF_OBJECT { "Object" } else { "Bucket" };
        return Err(fault::BAD_REQUEST.because(format!("{what} tags cannot be greater than {most}")));
    }
    let length = |text: &str| text.encode_utf16().count();
    let is_allowed = |text: &str| {
        text.chars().all(|character| character.is_alphanumeric() || " +-=._:/@".contains(character))
    };
    for (index, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || length(key) > LONGEST_KEY || !is_allowed(key) {
            return Err(fault::INVALID_TAG
                .because("The TagKey you have provided is invalid")
                .with("TagKey", key));
        }
        if length(value) > LONGEST_VALUE || !is_allowed(value) {
            return Err(fault::INVALID_TAG
                .because("The TagValue you have provided is invalid")
                .with("TagValue", value));
        }
        if key.starts_with("aws:") {
            return Err(fault::INVALID_TAG
                .because("System tags cannot be added/updated by requester")
                .with("TagKey", key));
        }
        if tags.iter().take(index).any(|(other, _)| other == key) {
            return Err(fault::INVALID_TAG
                .because("Cannot provide multiple Tags with the same key")
                .with("TagKey", key));
        }
    }
    Ok(tags)
}

fn tag_set(tags: &Tags) -> Answer {
    document("Tagging", |xml| write_set("TagSet", tags, xml))
}

pub(super) fn write_set(name: &str, tags: &Tags, xml: &mut Xml) {
    xml.element(name, |xml| {
        for (key, value) in tags {
            xml.element("Tag", |xml| {
                xml.leaf("Key", key);
                xml.leaf("Value", value);
            });
        }
    });
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html>
pub(super) fn get_of_object(task: &Task<'_>) -> Result<Answer, Fault> {
    let found = object::find(task, target(task))?;
    let mut answer = tag_set(&found.version.tags);
    set_version(&mut answer, found.versioning, &found.version.id);
    Ok(answer)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html>
pub(super) fn put_on_object(task: &Task<'_>) -> Result<Answer, Fault> {
    change(task, StatusCode::OK, task.tags()?)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html>
pub(super) fn delete_from_object(task: &Task<'_>) -> Result<Answer, Fault> {
    change(task, StatusCode::NO_CONTENT, Tags::new())
}

fn change(task: &Task<'_>, status: StatusCode, tags: Tags) -> Result<Answer, Fault> {
    let target = target(task);
    // Whether the caller may know that there is nothing to tag is asked there.
    object::find(task, target)?;
    let (id, versioning) = task.in_bucket(|bucket| {
        let versioning = bucket.versioning;
        let version = bucket.version_mut(target.key, target.version);
        let version = version.ok_or_else(|| fault::NO_SUCH_KEY.fault().with("Key", target.key))?;
        version.tags = tags;
        Ok((version.id.clone(), versioning))
    })?;
    let mut answer = empty(status);
    set_version(&mut answer, versioning, &id);
    Ok(answer)
}

fn target<'t>(task: &'t Task<'_>) -> Target<'t> {
    Target { bucket: task.bucket, key: task.key, version: task.query.get("versionId") }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>
pub(super) fn get_of_bucket(task: &Task<'_>) -> Result<Answer, Fault> {
    let tags = task.in_bucket(|bucket| Ok(bucket.tags.clone()))?;
    if tags.is_empty() {
        return Err(fault::NO_SUCH_TAG_SET.fault().with("BucketName", task.bucket));
    }
    Ok(tag_set(&tags))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>
pub(super) fn put_on_bucket(task: &Task<'_>) -> Result<Answer, Fault> {
    let tags = task.tags()?;
    task.in_bucket(|bucket| {
        bucket.tags = tags;
        Ok(empty(StatusCode::NO_CONTENT))
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html>
pub(super) fn delete_from_bucket(task: &Task<'_>) -> Result<Answer, Fault> {
    task.in_bucket(|bucket| {
        bucket.tags.clear();
        Ok(empty(StatusCode::NO_CONTENT))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tags: &[(&str, &str)], most: usize) -> Result<Tags, String> {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        checked(tags, most).map_err(|fault| fault.code().to_owned())
    }

    #[test]
    fn tags_keep_to_the_rules() {
        assert!(check(&[("team", "a b"), ("Team", "")], 2).is_ok());
        assert_eq!(check(&[("team", "a"), ("team", "b")], 10).err().as_deref(), Some("InvalidTag"));
        assert_eq!(check(&[("", "a")], 10).err().as_deref(), Some("InvalidTag"));
        assert_eq!(check(&[("a<", "a")], 10).err().as_deref(), Some("InvalidTag"));
        assert_eq!(check(&[("aws:a", "a")], 10).err().as_deref(), Some("InvalidTag"));
        assert_eq!(check(&[("a", "1"), ("b", "2")], 1).err().as_deref(), Some("BadRequest"));
    }
}
