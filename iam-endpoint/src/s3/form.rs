//! Forms, `multipart/form-data`, as browsers send them with a file.
//!
//! See <https://datatracker.ietf.org/doc/html/rfc7578> and, for what S3 makes of them,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html>.

use std::borrow::Cow;

use bytes::Bytes;
use memchr::memmem;
use percent_encoding::percent_decode_str;

use super::fault::{self, Fault};

/// How much may stand before the file's content.
const LARGEST: usize = 20 * 1024;

/// The form's names are nobody's concern beyond this many: each is looked for among all.
const MOST_FIELDS: usize = 1000;

/// The longest boundary: <https://datatracker.ietf.org/doc/html/rfc2046#section-5.1.1>.
const LONGEST_BOUNDARY: usize = 70;

/// A form's fields and its file. What stands behind the file is ignored.
#[derive(Debug)]
pub(super) struct Form {
    /// Names in lower case, each once; `${filename}` in the values is already the file's name.
    fields: Vec<(String, String)>,
    pub(super) file: Bytes,
}

impl Form {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// `PreconditionFailed` for what is no form, `MalformedPOSTRequest`, `MaxPostPreDataLengthExceededError`, `InvalidArgument`.
    pub(super) fn read(content_type: Option<&str>, body: &Bytes) -> Result<Self, Fault> {
        let boundary = content_type.and_then(boundary).ok_or_else(|| {
            fault::PRECONDITION_FAILED
                .fault()
                .with("Condition", "Bucket POST must be of the enclosure-type multipart/form-data")
        })?;
        let mut parts = Parts::begin(body, boundary).ok_or_else(malformed)?;
        let mut fields: Vec<(String, String)> = Vec::new();
        loop {
            let Some(part) = parts.next()? else {
                return Err(fault::INVALID_ARGUMENT
                    .because("POST requires exactly one file upload per request.")
                    .with("ArgumentName", "file")
                    .with("ArgumentValue", "0"));
            };
            if part.name == "file" {
                let file = body.slice_ref(part.content);
                let name = part.file_name.as_deref().unwrap_or_default();
                // Some browsers tell the whole path.
                let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
                for (_, value) in &mut fields {
                    *value = value.replace("${filename}", name);
                }
                return Ok(Self { fields, file });
            }
            if fields.len() == MOST_FIELDS {
                return Err(too_much());
            }
            if fields.iter().any(|(name, _)| *name == part.name) {
                return Err(fault::INVALID_ARGUMENT
                    .because(format!("Bucket POST contains the field '{}' more than once.", part.name))
                    .with("ArgumentName", part.name));
            }
            let value = String::from_utf8(part.content.to_vec()).map_err(|_| malformed())?;
            fields.push((part.name, value));
        }
    }

    /// The value of a field, whose name is given in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The value of a field that S3 asks for.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`
    pub(super) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| {
            fault::INVALID_ARGUMENT
                .because(format!(
                    "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the \
                     fields."
                ))
                .with("ArgumentName", name)
                .with("ArgumentValue", "")
        })
    }

    /// Fields in the order in which they were sent.
    pub(super) fn fields(&self) -> &[(String, String)] {
        &self.fields
    }
}

fn malformed() -> Fault {
    fault::MALFORMED_POST.fault()
}

fn too_much() -> Fault {
    fault::MAX_POST_PRE_DATA_LENGTH.fault()
}

/// The boundary that a `multipart/form-data` names.
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim())
    })?;
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    (1..=LONGEST_BOUNDARY).contains(&value.len()).then_some(value)
}

/// What is left of a body, behind a boundary.
struct Parts<'b> {
    rest: &'b [u8],
    /// What ends a part: a line break, two hyphens and the boundary.
    delimiter: memmem::Finder<'static>,
    /// What came of fields until now.
    size: usize,
}

struct Part<'b> {
    name: String,
    file_name: Option<String>,
    content: &'b [u8],
}

impl<'b> Parts<'b> {
    /// Skips what stands before the first boundary; `None` where there is none.
    fn begin(body: &'b [u8], boundary: &str) -> Option<Self> {
        let delimiter = memmem::Finder::new(&["\r\n--", boundary].concat()).into_owned();
        let length = delimiter.needle().len();
        let start = if delimiter.needle().get(2..).is_some_and(|first| body.starts_with(first)) {
            length - 2
        } else {
            delimiter.find(body)? + length
        };
        Some(Self { rest: body.get(start..)?, delimiter, size: 0 })
    }

    /// The next part; none behind the last boundary.
    fn next(&mut self) -> Result<Option<Part<'b>>, Fault> {
        if self.rest.starts_with(b"--") {
            return Ok(None);
        }
        let line_end = memmem::find(self.rest, b"\r\n").ok_or_else(malformed)?;
        let (padding, rest) = self.rest.split_at(line_end);
        if !padding.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return Err(malformed());
        }
        // The blank line follows at once where there are no headers.
        let head_end = memmem::find(rest, b"\r\n\r\n").ok_or_else(malformed)?;
        let (head, rest) = rest.split_at(head_end);
        self.size += head.len();
        if self.size > LARGEST {
            return Err(too_much());
        }
        let rest = rest.get(4..).unwrap_or_default();
        let end = self.delimiter.find(rest).ok_or_else(malformed)?;
        let (content, after) = rest.split_at(end);
        self.rest = after.get(self.delimiter.needle().len()..).unwrap_or_default();
        let head = std::str::from_utf8(head).map_err(|_| malformed())?;
        let (name, file_name) = disposition(head).ok_or_else(malformed)?;
        if name != "file" {
            self.size += content.len();
            if self.size > LARGEST {
                return Err(too_much());
            }
        }
        Ok(Some(Part { name, file_name, content }))
    }
}

/// The name of the field, in lower case, and of the file, where it is one.
fn disposition(head: &str) -> Option<(String, Option<String>)> {
    let value = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let (kind, mut rest) = value.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut file_name) = (None, None);
    while let Some((key, after)) = rest.split_once('=') {
        let (value, after) = parameter(after)?;
        match key.trim().to_ascii_lowercase().as_str() {
            "name" => name = Some(value.to_lowercase()),
            "filename" => file_name = file_name.or(Some(value.into_owned())),
            // https://datatracker.ietf.org/doc/html/rfc8187, which older clients use for what is not ASCII.
            "filename*" => {
                let encoded = value.splitn(3, '\'').nth(2)?;
                file_name = Some(percent_decode_str(encoded).decode_utf8().ok()?.into_owned());
            }
            _ => {}
        }
        rest = after;
    }
    Some((name.filter(|name| !name.is_empty())?, file_name))
}

/// A parameter's value, and what follows it. Of backslashes only those before a quotation mark escape: others are in paths.
fn parameter(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, after) = text.split_once(';').unwrap_or((text, ""));
        return Some((Cow::Borrowed(value.trim()), after));
    };
    let mut from = 0;
    let end = loop {
        let at = from + quoted.get(from..)?.find('"')?;
        if !quoted.get(..at)?.ends_with('\\') {
            break at;
        }
        from = at + 1;
    };
    let (value, after) = quoted.split_at(end);
    let after = after.get(1..)?.trim_start();
    Some((Cow::Owned(value.replace("\\\"", "\"")), after.strip_prefix(';').unwrap_or(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Form, String> {
        let body = Bytes::from(body.replace('\n', "\r\n"));
        let form = Form::read(Some("multipart/form-data; boundary=\"x\""), &body);
        form.map_err(|fault| fault.code().to_owned())
    }

    const KEY: &str = "--x\nContent-Disposition: form-data; name=\"Key\"\n\nu/${filename}\n";
    const FILE: &str = "--x\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\a\\b;\\\"c.txt\"\nContent-Type: a/b\n\n";

    #[test]
    fn fields_are_known_by_their_names_and_the_file_by_its_content() {
        let form = read(&format!("{KEY}{FILE}one\n--y\n\n--x\nrest is not read--x--\n")).expect("a form");
        assert_eq!(form.get("key"), Some("u/b;\"c.txt"));
        assert_eq!(form.file, "one\r\n--y\r\n");
        assert_eq!(form.required("policy").expect_err("it is not there").code(), "InvalidArgument");
        let form = read(&format!("preamble\n{KEY}{FILE}\n--x--")).expect("a form with an empty file");
        assert_eq!(form.file, "");
    }

    #[test]
    fn what_is_no_form_with_one_file_is_refused() {
        for (body, code) in [
            (String::new(), "MalformedPOSTRequest"),
            ("--x--".to_owned(), "InvalidArgument"),
            (format!("{KEY}--x--"), "InvalidArgument"),
            (format!("{KEY}{KEY}{FILE}\n--x--"), "InvalidArgument"),
            (format!("{KEY}{FILE}never ends"), "MalformedPOSTRequest"),
            (format!("--xy\n\n\n{KEY}--x--"), "MalformedPOSTRequest"),
            ("--x\nContent-Disposition: form-data\n\n1\n--x--".to_owned(), "MalformedPOSTRequest"),
            ("--x\nContent-Type: a/b\n\n1\n--x--".to_owned(), "MalformedPOSTRequest"),
            (
                format!("{KEY}{}{FILE}\n--x--", KEY.replace("u/", &"u".repeat(LARGEST))),
                "MaxPostPreDataLengthExceededError",
            ),
            (
                (0..=MOST_FIELDS)
                    .map(|n| KEY.replace("Key", &n.to_string()).replace("u/${filename}", ""))
                    .collect(),
                "MaxPostPreDataLengthExceededError",
            ),
        ] {
            assert_eq!(read(&body).expect_err("no form"), code, "{}", &body[..body.len().min(200)]);
        }
        for content_type in
            [None, Some("text/plain"), Some("multipart/form-data"), Some("multipart/form-data; a=b")]
        {
            let fault = Form::read(content_type, &Bytes::new()).expect_err("no form");
            assert_eq!(fault.code(), "PreconditionFailed");
        }
    }

    #[test]
    fn file_names_beyond_ascii_are_read() {
        let file = FILE.replace("filename=\"C:\\a\\b;\\\"c.txt\"", "filename*=utf-8''%C3%BC.txt");
        assert_eq!(read(&format!("{KEY}{file}\n--x--")).expect("a form").get("key"), Some("u/ü.txt"));
    }
}
