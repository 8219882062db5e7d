//! Everything that is wrong with one use of the attribute, reported together.

use iam_policy::near;

/// Collects errors, so that one mistake does not hide the next.
#[derive(Default)]
pub(crate) struct Problems(Option<syn::Error>);

impl Problems {
    /// The value, or its error for the report.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn into_result(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// The help line of a message, when one of the known names is near to what was written.
pub(crate) fn did_you_mean<'n>(written: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    suggestion(near(written, known).first().copied())
}

/// The help line of a message, when there is something that was probably meant.
pub(crate) fn suggestion(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!("\n  = help: did you mean `{meant}`?"))
}
