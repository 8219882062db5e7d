//! The sub-resources of a bucket that are several documents, each with an id: kept as they are put, given back as they were, and
//! without effect on anything else.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};

use super::fault::{self, Fault};
use super::task::{Answer, Task, empty, set_header};
use super::xml;

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
    let name = task.query.get("id").map(|id| (listed.subresource, id.to_owned()));
    match (&task.call.parts.method, name) {
        (&Method::PUT, name) => {
            let id = xml::read(&task.call.body, listed.root, |root| Some(xml::text(root, "Id")?.to_owned()))?;
            let name = name.filter(|(_, named)| *named == id).ok_or_else(|| {
                fault::INVALID_ARGUMENT
                    .because("The ID of the configuration must be that of the request.")
                    .with("ArgumentName", "id")
            })?;
            task.in_bucket(|bucket| {
                bucket.listed.insert(name, task.call.body.clone());
                Ok(empty(StatusCode::OK))
            })
        }
        (&Method::DELETE, name) => task.in_bucket(|bucket| {
            let gone = name.and_then(|name| bucket.listed.remove(&name));
            gone.map(|_| empty(StatusCode::NO_CONTENT)).ok_or_else(absent)
        }),
        (_, Some(name)) => {
            let document = task.in_bucket(|bucket| bucket.listed.get(&name).cloned().ok_or_else(absent))?;
            Ok(answer(document))
        }
        (_, None) => list(task, listed),
    }
}

fn list(task: &Task<'_>, listed: &Listed) -> Result<Answer, Fault> {
    let documents: Vec<Bytes> = task.in_bucket(|bucket| {
        let all = bucket.listed.iter().filter(|((subresource, _), _)| *subresource == listed.subresource);
        Ok(all.map(|(_, document)| document.clone()).collect())
    })?;
    let elements = documents.iter().map(|document| {
        let text = String::from_utf8_lossy(document);
        // Without the declaration of a document.
        text.find(&["<", listed.root].concat()).and_then(|at| text.get(at..)).unwrap_or_default().to_owned()
    });
    Ok(answer(Bytes::from(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{0} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{1}\
         <IsTruncated>false</IsTruncated></{0}>",
        listed.list,
        elements.collect::<String>()
    ))))
}

fn answer(document: Bytes) -> Answer {
    let mut answer = Response::new(document);
    set_header(&mut answer, CONTENT_TYPE, "application/xml");
    answer
}
