//! The parameters of a call, checked where they are taken.

use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::ids;
use crate::tags::Tags;

/// One structure of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    members: &'a Map<String, Value>,
    /// The service's code for a parameter that is missing or breaks a rule.
    invalid: &'static str,
}

impl<'a> Input<'a> {
    pub(crate) fn new(members: &'a Map<String, Value>, invalid: &'static str) -> Self {
        Self { members, invalid }
    }

    /// A parameter; `null` is as good as none.
    pub(crate) fn value(self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn has(self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(crate) fn members(self) -> &'a Map<String, Value> {
        self.members
    }

    /// Leaves the call to others where it has one of these parameters, which are not understood here.
    pub(crate) fn without(self, names: &[&str]) -> Result<(), Fault> {
        let is_there = |name: &&str| match self.value(name) {
            None | Some(Value::Bool(false)) => false,
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        };
        if names.iter().any(is_there) { Err(Fault::NotPerformed) } else { Ok(()) }
    }

    /// The service's error for a parameter that breaks a rule.
    pub(crate) fn invalid(self, message: impl Into<String>) -> Fault {
        Fault::new(self.invalid, message)
    }

    fn missing(self, name: &str) -> Fault {
        if self.invalid == "InvalidParameterValue" {
            return Fault::new("MissingParameter", format!("The request must contain the parameter {name}."));
        }
        self.invalid(format!(
            "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not \
             be null",
            lower_first(name)
        ))
    }

    pub(crate) fn text(self, name: &str) -> Result<Option<&'a str>, Fault> {
        self.value(name).map(|value| value.as_str().ok_or_else(|| mistyped(name, "a string"))).transpose()
    }

    pub(crate) fn required(self, name: &str) -> Result<&'a str, Fault> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A required string of so many characters.
    pub(crate) fn sized(self, name: &str, least: usize, most: usize) -> Result<&'a str, Fault> {
        let text = self.required(name)?;
        self.check_size(name, text, least, most)?;
        Ok(text)
    }

    pub(crate) fn check_size(self, name: &str, text: &str, least: usize, most: usize) -> Result<(), Fault> {
        let length = text.chars().count();
        let constraint = if length < least {
            format!("Member must have length greater than or equal to {least}")
        } else if length > most {
            format!("Member must have length less than or equal to {most}")
        } else {
            return Ok(());
        };
        Err(self.violated(name, text, &constraint))
    }

    /// AWS's sentence for a value that breaks a rule of the API's model.
    pub(crate) fn violated(self, name: &str, value: &str, constraint: &str) -> Fault {
        let shown: String = value.chars().take(256).collect();
        self.invalid(format!(
            "1 validation error detected: Value '{shown}' at '{}' failed to satisfy constraint: {constraint}",
            lower_first(name)
        ))
    }

    /// One of these, where it is there.
    pub(crate) fn one_of(self, name: &str, choices: &[&'static str]) -> Result<Option<&'static str>, Fault> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if let Some(choice) = choices.iter().find(|choice| **choice == text) {
            return Ok(Some(choice));
        }
        let set = choices.join(", ");
        Err(self.violated(name, text, &format!("Member must satisfy enum value set: [{set}]")))
    }

    pub(crate) fn integer(self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        // The query protocol has only strings.
        let number =
            value.as_i64().or_else(|| whole(value.as_f64()?)).or_else(|| value.as_str()?.parse().ok());
        number.map(Some).ok_or_else(|| mistyped(name, "an integer"))
    }

    /// An integer within bounds.
    pub(crate) fn within(self, name: &str, least: i64, most: i64) -> Result<Option<i64>, Fault> {
        let number = self.integer(name)?;
        let Some(value) = number else { return Ok(None) };
        let (bound, constraint) = if value < least {
            (least, "greater than or equal to")
        } else if value > most {
            (most, "less than or equal to")
        } else {
            return Ok(number);
        };
        let constraint = format!("Member must have value {constraint} {bound}");
        Err(self.violated(name, &value.to_string(), &constraint))
    }

    /// How many a page may have.
    pub(crate) fn limit(self, name: &str, most: i64, otherwise: usize) -> Result<usize, Fault> {
        let limit = self.within(name, 1, most)?;
        Ok(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(otherwise))
    }

    pub(crate) fn boolean(self, name: &str) -> Result<Option<bool>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let truth = match value {
            Value::Bool(truth) => Some(*truth),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        truth.map(Some).ok_or_else(|| mistyped(name, "a boolean"))
    }

    pub(crate) fn blob(self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        ids::from_base64(text).map(Some).ok_or_else(|| mistyped(name, "base64"))
    }

    pub(crate) fn object(self, name: &str) -> Result<Option<Input<'a>>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let members = value.as_object().ok_or_else(|| mistyped(name, "a structure"))?;
        Ok(Some(Self { members, ..self }))
    }

    pub(crate) fn required_object(self, name: &str) -> Result<Input<'a>, Fault> {
        self.object(name)?.ok_or_else(|| self.missing(name))
    }

    /// A list; one that is not there is empty.
    pub(crate) fn list(self, name: &str) -> Result<&'a [Value], Fault> {
        let Some(value) = self.value(name) else { return Ok(&[]) };
        value.as_array().map(Vec::as_slice).ok_or_else(|| mistyped(name, "a list"))
    }

    /// A list that must be there.
    pub(crate) fn required_list(self, name: &str) -> Result<&'a [Value], Fault> {
        if self.has(name) { self.list(name) } else { Err(self.missing(name)) }
    }

    pub(crate) fn texts(self, name: &str) -> Result<Vec<&'a str>, Fault> {
        let texts = self.list(name)?.iter().map(Value::as_str);
        texts.collect::<Option<_>>().ok_or_else(|| mistyped(name, "a list of strings"))
    }

    pub(crate) fn objects(self, name: &str) -> Result<Vec<Input<'a>>, Fault> {
        let objects = self.list(name)?.iter().map(|value| Some(Self { members: value.as_object()?, ..self }));
        objects.collect::<Option<_>>().ok_or_else(|| mistyped(name, "a list of structures"))
    }

    pub(crate) fn required_objects(self, name: &str) -> Result<Vec<Input<'a>>, Fault> {
        self.required_list(name)?;
        self.objects(name)
    }

    /// A map of strings; one that is not there is empty.
    pub(crate) fn map(self, name: &str) -> Result<Vec<(&'a str, &'a str)>, Fault> {
        let Some(object) = self.object(name)? else { return Ok(Vec::new()) };
        let pairs = object.members.iter().map(|(key, value)| Some((key.as_str(), value.as_str()?)));
        pairs.collect::<Option<_>>().ok_or_else(|| mistyped(name, "a map of strings"))
    }

    /// Tags as a list of structures, whose members have these names.
    pub(crate) fn tag_list(self, name: &str, key: &str, value: &str) -> Result<Tags, Fault> {
        let tags = self
            .objects(name)?
            .into_iter()
            .map(|tag| Ok((tag.required(key)?.to_owned(), tag.text(value)?.unwrap_or_default().to_owned())));
        tags.collect()
    }

    /// Tags as a map.
    pub(crate) fn tag_map(self, name: &str) -> Result<Tags, Fault> {
        Ok(self.map(name)?.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }
}

fn mistyped(name: &str, expected: &str) -> Fault {
    Fault::new("SerializationException", format!("the parameter `{name}` is not {expected}"))
}

/// A number that JSON wrote with a fraction of zero.
#[expect(clippy::cast_possible_truncation, reason = "only what survives the way back is kept")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// AWS's messages name members in lower camel case.
fn lower_first(name: &str) -> String {
    let (first, rest) = name.split_at_checked(1).unwrap_or_default();
    format!("{}{rest}", first.to_ascii_lowercase())
}
