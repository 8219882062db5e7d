//! Which operation of a REST service a request asks for.
//!
//! See <https://smithy.io/2.0/spec/http-bindings.html>.

use std::borrow::Cow;
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;

use super::service::{Operation, Service};
use super::{place_of, services};
use crate::wire::headers::Headers;
use crate::wire::query::percent_decode;

/// The operation of a request, and the decoded labels of its path.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) labels: Vec<(&'static str, String)>,
    /// Whether path and template both end in a slash, or neither does.
    pub(crate) ends_alike: bool,
}

/// A method and a URI template: `GET /tags/{arn}?name=value :header`.
struct Template {
    operation: Operation,
    method: &'static str,
    segments: Vec<Segment>,
    is_greedy: bool,
    ends_in_slash: bool,
    /// Parameters that the query has, some with this value.
    query: Vec<(&'static str, Option<&'static str>)>,
    headers: Vec<&'static str>,
}

/// What stands between two slashes.
enum Segment {
    /// A label that takes the rest of the path, slashes too.
    Greedy(&'static str),
    Label(&'static str),
    Literal(&'static str),
}

pub(super) fn find(
    service: Service,
    method: &str,
    path: &str,
    query: &str,
    headers: &Headers<'_>,
) -> Option<Route> {
    let mut pairs = Vec::new();
    for pair in query.split('&') {
        if !pair.is_empty() {
            pairs.extend(decoded(pair));
        }
    }
    let has = |name: &str, value: Option<&str>| {
        pairs.iter().any(|(given, text)| given == name && value.is_none_or(|value| value == text))
    };
    let count = segments(path).len();
    for template in templates(service) {
        // Most templates are left here: a service has hundreds, and a debug build is slow at reading each.
        if !template.takes(count) || template.method != method {
            continue;
        }
        let Some(labels) = template.labels(path) else { continue };
        if template.query.iter().all(|(name, value)| has(name, *value))
            && template.headers.iter().all(|name| headers.get(name).is_some())
        {
            let ends_alike = template.ends_in_slash == path.ends_with('/');
            return Some(Route { operation: template.operation, labels, ends_alike });
        }
    }
    None
}

fn decoded(pair: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some((percent_decode(name)?, percent_decode(value)?))
}

/// The templates of a service, the closest first.
fn templates(service: Service) -> &'static [Template] {
    static OF_SERVICES: OnceLock<Vec<OnceLock<Vec<Template>>>> = OnceLock::new();
    let of_services = OF_SERVICES.get_or_init(|| services().iter().map(|_| OnceLock::new()).collect());
    let of_service = place_of(service.id()).and_then(|place| of_services.get(place));
    of_service.map_or(&[], |of_service| {
        of_service.get_or_init(|| {
            let (mut templates, mut order): (Vec<Template>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
            for operation in service.operations() {
                let Some(template) = Template::parse(operation) else { continue };
                let closeness = template.closeness();
                // Of operations with the same template the first by name is meant.
                let place = order.partition_point(|before| *before <= closeness);
                order.insert(place, closeness);
                templates.insert(place, template);
            }
            templates
        })
    })
}

impl Template {
    fn parse(operation: Operation) -> Option<Self> {
        let mut words = operation.template()?.split(' ');
        let method = words.next()?;
        let (path, query) = words.next().map(|uri| uri.split_once('?').unwrap_or((uri, "")))?;
        let (mut segments, mut is_greedy) = (Vec::new(), false);
        for text in self::segments(path) {
            let segment = Segment::parse(text);
            is_greedy |= matches!(segment, Segment::Greedy(_));
            segments.push(segment);
        }
        let (mut parameters, mut headers) = (Vec::new(), Vec::new());
        for pair in query.split('&') {
            if let Some((name, value)) = pair.split_once('=') {
                parameters.push((name, Some(value)));
            } else if !pair.is_empty() {
                parameters.push((pair, None));
            }
        }
        for word in words {
            headers.extend(word.strip_prefix(':'));
        }
        Some(Self {
            operation,
            method,
            is_greedy,
            ends_in_slash: path.ends_with('/'),
            segments,
            query: parameters,
            headers,
        })
    }

    /// Whether a path of this many segments can have this template; a greedy label may also be of slashes alone.
    fn takes(&self, count: usize) -> bool {
        count == self.segments.len() || self.is_greedy && count + 1 >= self.segments.len()
    }

    /// A path of literals is closer than one of labels, and then who asks for more in query and headers.
    fn closeness(&self) -> Vec<u8> {
        let mut closeness = Vec::with_capacity(self.segments.len() + 4);
        for segment in &self.segments {
            closeness.push(match segment {
                Segment::Literal(_) => 0,
                Segment::Label(_) => 1,
                Segment::Greedy(_) => 2,
            });
        }
        // An end is behind all, so that of greedy labels the one that goes on is closer.
        closeness.push(3);
        let values = self.query.iter().filter(|(_, value)| value.is_some()).count();
        for count in [self.query.len() + self.headers.len(), values] {
            closeness.push(u8::MAX - u8::try_from(count).unwrap_or(u8::MAX));
        }
        closeness.push(self.operation.is_deprecated().into());
        closeness
    }

    /// The labels of a path that has this template.
    fn labels(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        let mut labels = Vec::new();
        let mut rest = Some(trimmed(path));
        for (at, segment) in self.segments.iter().enumerate() {
            let text = rest?;
            let end = match segment {
                Segment::Greedy(_) if at + 1 == self.segments.len() => None,
                Segment::Greedy(_) => Some(start_of_last(text, self.segments.len() - at - 1)?),
                Segment::Label(_) | Segment::Literal(_) => text.find('/'),
            };
            rest = end.and_then(|end| text.get(end + 1..));
            let text = text.get(..end.unwrap_or(text.len()))?;
            match segment {
                Segment::Literal(literal) if decode(text)? == *literal => {}
                Segment::Literal(_) => return None,
                Segment::Greedy(_) | Segment::Label(_) if text.is_empty() => return None,
                Segment::Greedy(name) | Segment::Label(name) => {
                    labels.push((*name, decode(text)?.into_owned()));
                }
            }
        }
        // AWS does not mind a slash at the end.
        rest.is_none_or(str::is_empty).then_some(labels)
    }
}

impl Segment {
    fn parse(text: &'static str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Self::Literal(text),
            Some(name) => name.strip_suffix('+').map_or(Self::Label(name), Self::Greedy),
        }
    }
}

/// The segments of a path; none of `/`.
fn segments(path: &str) -> Vec<&str> {
    let path = trimmed(path).trim_end_matches('/');
    let mut segments = Vec::new();
    if !path.is_empty() {
        segments.extend(path.split('/'));
    }
    segments
}

/// Where the slash before this many segments at the end is; `None` if the path has not so many.
fn start_of_last(path: &str, segments: usize) -> Option<usize> {
    path.trim_end_matches('/').rmatch_indices('/').nth(segments.checked_sub(1)?).map(|(at, _)| at)
}

fn trimmed(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}
