//! The sub-resources of a bucket that are several documents, each with an id: kept as they are put, given back as they were, and
//! without effect on anything else.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};

use super::fault::{self, Fault};
use super::task::{Answer, Task, empty, set_header};
use super::xml;
use crate::sorted::Sorted;

/// A sub-resource of several documents.
struct Listed {
    /// Its key in the query.
    subresource: &'static str,
    /// The root element of each document.
    root: &'static str,
    /// The root element of the list of all.
    list: &'static str,
}

static ALL: [Listed; 4] = [
    Listed {
        subresource: "analytics",
        root: "AnalyticsConfiguration",
        list: "ListBucketAnalyticsConfigurationResult",
    },
    Listed {
        subresource: "intelligent-tiering",
        root: "IntelligentTieringConfiguration",
        list: "ListBucketIntelligentTieringConfigurationsOutput",
    },
    Listed {
        subresource: "inventory",
        root: "InventoryConfiguration",
        list: "ListInventoryConfigurationsResult",
    },
    Listed { subresource: "metrics", root: "MetricsConfiguration", list: "ListMetricsConfigurationsResult" },
];

/// Gets, lists, puts or deletes, as the method says and whether there is an id.
///
/// # Errors
///
/// `NoSuchConfiguration`, `MalformedXML`, `InvalidArgument` for a document without its id
pub(super) fn handle(task: &Task<'_>) -> Result<Answer, Fault> {
    let listed = ALL.iter().find(|listed| task.operation.is_about(listed.subresource));
    let listed = listed.ok_or_else(|| fault::not_performed(task.operation.name))?;
    let absent = || fault::NO_SUCH_CONFIGURATION.fault().with("BucketName", task.bucket);
    match (&task.call.parts.method, task.query.get("id")) {
        (&Method::PUT, named) => {
            let id = xml::read(&task.call.body, listed.root, |root| Some(xml::text(root, "Id")?.to_owned()))?;
            if named != Some(&id) {
                return Err(fault::INVALID_ARGUMENT
                    .because("The ID of the configuration must be that of the request.")
                    .with("ArgumentName", "id"));
            }
            task.in_bucket(|bucket| {
                let documents = bucket.listed.entry(listed.subresource, Sorted::default);
                documents.insert(id, task.call.body.clone());
                Ok(empty(StatusCode::OK))
            })
        }
        (&Method::DELETE, id) => task.in_bucket(|bucket| {
            let documents = bucket.listed.get_mut(listed.subresource).ok_or_else(absent)?;
            id.and_then(|id| documents.remove(id)).ok_or_else(absent)?;
            Ok(empty(StatusCode::NO_CONTENT))
        }),
        (_, Some(id)) => task.in_bucket(|bucket| {
            let documents = bucket.listed.get(listed.subresource);
            Ok(answer(documents.and_then(|documents| documents.get(id)).ok_or_else(absent)?.clone()))
        }),
        (_, None) => list(task, listed),
    }
}

fn list(task: &Task<'_>, listed: &Listed) -> Result<Answer, Fault> {
    let documents = task.in_bucket(|bucket| {
        Ok(bucket.listed.get(listed.subresource).map(|documents| documents.values().to_vec()))
    })?;
    let (start, mut elements) = (["<", listed.root].concat(), String::new());
    for document in documents.unwrap_or_default() {
        let text = String::from_utf8_lossy(&document);
        // Without the declaration of a document.
        elements.push_str(text.find(&start).and_then(|at| text.get(at..)).unwrap_or_default());
    }
    Ok(answer(Bytes::from(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{0} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{1}\
         <IsTruncated>false</IsTruncated></{0}>",
        listed.list, elements
    ))))
}

fn answer(document: Bytes) -> Answer {
    let mut answer = Response::new(document);
    set_header(&mut answer, CONTENT_TYPE, "application/xml");
    answer
}
