//! Filters of lists of parameters.
//!
//! See <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html>.

use super::parameter::Parameter;
use crate::fault::Fault;
use crate::input::Input;

/// One filter: any of the values has to match.
pub(super) struct Filter<'a> {
    key: &'a str,
    option: &'a str,
    values: Vec<&'a str>,
}

impl<'a> Filter<'a> {
    /// The `ParameterFilters` of a request.
    pub(super) fn all(input: Input<'a>) -> Result<Vec<Self>, Fault> {
        let filters = input.objects("ParameterFilters")?.into_iter().map(|filter| {
            let key = filter.required("Key")?;
            let is_path = key == "Path";
            let option = filter.text("Option")?.unwrap_or(if is_path { "OneLevel" } else { "Equals" });
            let known = ["DataType", "KeyId", "Label", "Name", "Path", "Tier", "Type"];
            if !known.contains(&key) && !key.starts_with("tag:") {
                return Err(Fault::new(
                    "InvalidFilterKey",
                    "The specified key is not valid. Valid filter keys include: [Path, Name, Type, KeyId, \
                     Tier, DataType, \
                     tag:<key>, Label].",
                ));
            }
            let options: &[&str] = match key {
                "Path" => &["OneLevel", "Recursive"],
                "Name" => &["BeginsWith", "Contains", "Equals"],
                _ => &["BeginsWith", "Equals"],
            };
            if !options.contains(&option) {
                return Err(Fault::new(
                    "InvalidFilterOption",
                    format!(
                        "The following filter option is not valid: {option}. Valid options include: \
                         [{}].",
                        options.join(", ")
                    ),
                ));
            }
            Ok(Self { key, option, values: filter.texts("Values")? })
        });
        filters.collect()
    }

    pub(super) fn matches(&self, parameter: &Parameter) -> bool {
        let Some(latest) = parameter.latest() else { return false };
        let fits = |text: &str| {
            self.values.iter().any(|value| match self.option {
                "BeginsWith" => text.starts_with(value),
                "Contains" => text.contains(value),
                _ => text == *value,
            })
        };
        match self.key {
            "DataType" => fits(latest.data_type),
            "KeyId" => latest.key.as_deref().is_some_and(fits),
            "Label" => latest.labels.iter().any(|label| fits(label)),
            "Name" => {
                fits(&parameter.name) || fits(parameter.name.strip_prefix('/').unwrap_or(&parameter.name))
            }
            "Path" => {
                self.values.iter().any(|path| is_under(&parameter.name, path, self.option == "Recursive"))
            }
            "Tier" => fits(latest.tier),
            "Type" => fits(latest.kind),
            tag => {
                let tag = tag.strip_prefix("tag:").and_then(|key| parameter.tags.get(key));
                tag.is_some_and(|value| self.values.is_empty() || fits(value))
            }
        }
    }
}

/// Whether a name is in a hierarchy, at the next level or at any.
pub(super) fn is_under(name: &str, path: &str, is_recursive: bool) -> bool {
    let path = path.trim_end_matches('/');
    // A name without a slash is at the root.
    let rest = match name.strip_prefix('/') {
        Some(_) => name.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')),
        None => path.is_empty().then_some(name),
    };
    rest.is_some_and(|rest| !rest.is_empty() && (is_recursive || !rest.contains('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_level_of_the_hierarchy_and_not_a_prefix() {
        assert!(is_under("/a/b", "/a", false));
        assert!(is_under("/a/b", "/a/", false));
        assert!(!is_under("/a/b/c", "/a", false));
        assert!(is_under("/a/b/c", "/a", true));
        assert!(!is_under("/ab", "/a", true));
        assert!(is_under("a", "/", false));
        assert!(is_under("/a", "/", false));
    }
}
