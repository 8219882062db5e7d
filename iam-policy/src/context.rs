//! The condition keys of a request.

use std::borrow::Cow;
use std::sync::Arc;

/// The condition keys of a request and their values.
///
/// Names are case-insensitive, tag keys such as `aws:PrincipalTag/Team` too
/// ([tagging](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html)). A key is in one of three states: it has
/// values, it is known to be [absent](Context::absent) from the request, or nothing is known about it. AWS's rules for missing
/// keys hold for the last two alike, but a decision names the unknown ones in
/// [`missing_context`](crate::Decision::missing_context).
///
/// # Examples
///
/// ```
/// use iam_policy::Context;
///
/// let mut context = Context::new();
/// context.set("aws:username", "alice").set_many("aws:TagKeys", ["team", "stage"]).absent("aws:SourceVpc");
/// assert_eq!(context.lookup("AWS:UserName"), Some(&["alice".to_owned()][..]));
/// assert_eq!(context.lookup("aws:SourceVpc"), Some(&[][..]));
/// assert_eq!(context.lookup("aws:SourceVpce"), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// What is not set here is as it is there.
    base: Option<Arc<Context>>,
    /// A few dozen at most, the last of a name counting: a scan beats hashing, in debug builds above all.
    entries: Vec<(Cow<'static, str>, Values)>,
}

/// More keys than most requests have: with room for them from the start, none is moved.
const A_FEW_DOZEN: usize = 24;

#[derive(Clone, Debug)]
enum Values {
    Many(Vec<String>),
    One(String),
}

impl Context {
    /// A context in which nothing is known.
    #[must_use]
    pub const fn new() -> Context {
        Context { base: None, entries: Vec::new() }
    }

    /// A context that begins with all that another one knows, which is shared and not copied: of what one call asks, most
    /// keys are the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use iam_policy::Context;
    ///
    /// let mut call = Context::new();
    /// call.set("aws:username", "alice").set("aws:SourceIp", "192.0.2.1");
    /// let mut request = Context::over(Arc::new(call));
    /// request.set("s3:prefix", "home/").absent("aws:SourceIp");
    /// assert_eq!(request.lookup("aws:username"), Some(&["alice".to_owned()][..]));
    /// assert_eq!(request.lookup("aws:SourceIp"), Some(&[][..]));
    /// ```
    #[must_use]
    pub fn over(base: Arc<Context>) -> Context {
        Context { base: Some(base), entries: Vec::new() }
    }

    /// Sets a key to one value, and forgets what was known of it.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) -> &mut Context {
        self.put(key.into(), Values::One(value.into()))
    }

    /// Sets a key to several values; to none is as [`absent`](Context::absent).
    pub fn set_many<V: Into<String>>(
        &mut self,
        key: impl Into<Cow<'static, str>>,
        values: impl IntoIterator<Item = V>,
    ) -> &mut Context {
        self.put(key.into(), Values::Many(values.into_iter().map(Into::into).collect()))
    }

    /// Declares that the request does not carry a key.
    pub fn absent(&mut self, key: impl Into<Cow<'static, str>>) -> &mut Context {
        self.put(key.into(), Values::Many(Vec::new()))
    }

    /// The values of a key: none when it is known to be absent, `None` when nothing is known about it.
    #[must_use]
    #[inline]
    pub fn lookup(&self, key: &str) -> Option<&[String]> {
        match self.own(key) {
            None => self.base.as_ref()?.lookup(key),
            own => own,
        }
    }

    #[inline]
    fn own(&self, key: &str) -> Option<&[String]> {
        self.entries.iter().rev().find(|(name, _)| same_key(name, key)).map(|(_, values)| values.as_slice())
    }

    /// Every key about which something is known, with its values, in the order in which they were last set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.all().into_iter()
    }

    fn all(&self) -> Vec<(&str, &[String])> {
        let mut all = self.base.as_ref().map_or_else(Vec::new, |base| base.all());
        all.retain(|(name, _)| self.own(name).is_none());
        for (at, (name, values)) in self.entries.iter().enumerate() {
            if !self.entries.iter().skip(at + 1).any(|(later, _)| same_key(later, name)) {
                all.push((name, values.as_slice()));
            }
        }
        all
    }

    fn put(&mut self, key: Cow<'static, str>, values: Values) -> &mut Context {
        if self.entries.is_empty() {
            self.entries.reserve(A_FEW_DOZEN);
        }
        self.entries.push((key, values));
        self
    }
}

/// Both mostly have the case of AWS's documentation.
#[inline]
fn same_key(a: &str, b: &str) -> bool {
    a.len() == b.len() && (a == b || a.eq_ignore_ascii_case(b))
}

impl Values {
    #[inline]
    fn as_slice(&self) -> &[String] {
        match self {
            Values::Many(values) => values,
            Values::One(value) => std::slice::from_ref(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_comes_before_what_the_context_began_with() {
        let mut base = Context::new();
        base.set("a:One", "base").set("a:Two", "base").set("a:two", "later");
        let mut context = Context::over(Arc::new(base));
        context.set("A:ONE", "own").set("a:Three", "own");
        let known: Vec<_> = context.iter().map(|(key, values)| (key, values.concat())).collect();
        let expected = [("a:two", "later"), ("A:ONE", "own"), ("a:Three", "own")];
        assert_eq!(known, expected.map(|(key, value)| (key, value.to_owned())));
        assert_eq!(context.lookup("a:one"), Some(&["own".to_owned()][..]));
        assert_eq!(Context::over(Arc::new(context)).lookup("a:TWO"), Some(&["later".to_owned()][..]));
    }

    #[test]
    fn setting_a_key_again_in_another_case_replaces_it() {
        let mut context = Context::new();
        context.set("aws:PrincipalTag/Team", "a").set("AWS:principaltag/team", "b");
        assert_eq!(context.iter().count(), 1);
        assert_eq!(context.lookup("aws:principaltag/TEAM"), Some(&["b".to_owned()][..]));
        context.absent("aws:PrincipalTag/Team");
        assert_eq!(context.lookup("aws:PrincipalTag/Team"), Some(&[][..]));
    }
}
