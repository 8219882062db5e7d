//! What all IAM resources have, and how they are kept.

use http::StatusCode;
use time::OffsetDateTime;

use super::input::Input;
use super::key::unique_id;
use super::state::State;
use super::tags::Tags;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::sorted::Sorted;

/// What all IAM resources have.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: OffsetDateTime,
    pub(crate) tags: Tags,
}

impl Head {
    pub(super) fn new(id_prefix: &str, name: &str, path: &str, tags: Tags, now: OffsetDateTime) -> Self {
        Self { name: name.to_owned(), path: path.to_owned(), id: unique_id(id_prefix), created: now, tags }
    }
}

/// A kind of IAM resource.
pub(crate) trait Entity: Sized {
    /// What messages call it.
    const WHAT: &'static str;
    /// What its ARN calls it.
    const TYPE: &'static str;
    /// The parameter by which a request refers to one: its name or its ARN.
    const PARAMETER: &'static str;
    /// The parameter that names a new one.
    const NAME: &'static str = Self::PARAMETER;

    fn all(iam: &State) -> &Named<Self>;
    fn all_mut(iam: &mut State) -> &mut Named<Self>;
    fn head(&self) -> &Head;
    fn head_mut(&mut self) -> &mut Head;

    /// Which one a request is about.
    fn reference<'a>(input: &'a Input<'_>) -> Result<&'a str, Fault> {
        input.parameters.required(Self::PARAMETER)
    }

    /// The name in a reference.
    fn name_in(reference: &str) -> &str {
        reference
    }

    /// Whether a reference with this one's name is to this one.
    fn is(&self, _reference: &str) -> bool {
        true
    }

    fn arn(&self, endpoint: &Shared) -> String {
        let Head { path, name, .. } = self.head();
        endpoint.iam_arn(Self::TYPE, path, name)
    }

    /// The ARN of its permissions boundary.
    fn boundary(&self) -> Option<&str> {
        None
    }

    fn no_such(reference: &str) -> Fault {
        Fault::no_such_entity(format!("The {} with name {reference} cannot be found.", Self::WHAT))
    }

    fn exists(name: &str) -> Fault {
        Fault::already_exists(format!("{} with name {name} already exists.", capitalized(Self::WHAT)))
    }
}

/// Says where the state keeps a kind of resource with a `head`, and what requests call it.
macro_rules! entity {
    ($kind:ty, $field:ident, $what:literal, $type:literal, $parameter:literal, { $($more:item)* }) => {
        impl $crate::iam::named::Entity for $kind {
            const WHAT: &'static str = $what;
            const TYPE: &'static str = $type;
            const PARAMETER: &'static str = $parameter;

            fn all(iam: &$crate::iam::State) -> &$crate::iam::named::Named<Self> {
                &iam.$field
            }

            fn all_mut(iam: &mut $crate::iam::State) -> &mut $crate::iam::named::Named<Self> {
                &mut iam.$field
            }

            fn head(&self) -> &$crate::iam::named::Head {
                &self.head
            }

            fn head_mut(&mut self) -> &mut $crate::iam::named::Head {
                &mut self.head
            }

            $($more)*
        }
    };
}
pub(super) use entity;

/// Resources by name. Names differ in more than case.
pub(crate) struct Named<T>(Sorted<Box<T>>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Sorted::default())
    }
}

impl<T: Entity> Named<T> {
    pub(crate) fn find(&self, reference: &str) -> Option<&T> {
        self.0.get(&key::<T>(reference)).map(|entity| &**entity).filter(|entity| entity.is(reference))
    }

    pub(super) fn get(&self, reference: &str) -> Result<&T, Fault> {
        self.find(reference).ok_or_else(|| T::no_such(reference))
    }

    pub(super) fn get_mut(&mut self, reference: &str) -> Result<&mut T, Fault> {
        let found = self.0.get_mut(&key::<T>(reference)).map(|entity| &mut **entity);
        found.filter(|entity| entity.is(reference)).ok_or_else(|| T::no_such(reference))
    }

    /// Adds one whose name is not taken.
    pub(super) fn insert(&mut self, entity: T) -> Result<&mut T, Fault> {
        let name = &entity.head().name;
        if self.0.get(&name.to_ascii_lowercase()).is_some() {
            return Err(T::exists(name));
        }
        Ok(self.put(entity))
    }

    pub(super) fn remove(&mut self, reference: &str) -> Option<T> {
        self.0.remove(&key::<T>(reference)).map(|entity| *entity)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Box<T>> {
        self.0.values().iter()
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Box<T>> {
        self.0.values_mut().iter_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().len()
    }

    pub(super) fn put(&mut self, entity: T) -> &mut T {
        let key = entity.head().name.to_ascii_lowercase();
        self.0.insert(key, Box::new(entity))
    }

    /// Gives one another name or path; the other name must not be another one's.
    pub(super) fn rename(
        &mut self,
        reference: &str,
        name: Option<&str>,
        path: Option<&str>,
    ) -> Result<(), Fault> {
        let old = self.get(reference)?.head().name.clone();
        if let Some(name) = name.filter(|name| !name.eq_ignore_ascii_case(&old))
            && self.find(name).is_some()
        {
            return Err(T::exists(name));
        }
        if let Some(mut entity) = self.remove(&old) {
            let head = entity.head_mut();
            if let Some(name) = name {
                name.clone_into(&mut head.name);
            }
            if let Some(path) = path {
                path.clone_into(&mut head.path);
            }
            self.put(entity);
        }
        Ok(())
    }
}

fn key<T: Entity>(reference: &str) -> String {
    T::name_in(reference).to_ascii_lowercase()
}

/// A word as AWS begins a sentence or a quota's name with it.
pub(super) fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at_checked(1).unwrap_or_default();
    format!("{}{rest}", first.to_ascii_uppercase())
}

impl Fault {
    pub(super) fn no_such_entity(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NoSuchEntity", message)
    }

    pub(super) fn already_exists(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "EntityAlreadyExists", message)
    }
}
