//! The regions of the diagram: which policies allow which actions.

use std::collections::{BTreeMap, HashMap};

use iam_policy::Permissions;
use iam_policy::catalogue;
use serde::Serialize;

/// What some policies allow, action by action.
pub(crate) struct Regions {
    pub(crate) policies: Vec<PolicyOf>,
    /// By which of the policies allow it, a bit for each; the last one is what all do, the first what none does.
    pub(crate) regions: Vec<Region>,
    /// The actions of which it cannot be told, with the reason; they count as allowed.
    pub(crate) unknown: Vec<String>,
}

pub(crate) struct PolicyOf {
    pub(crate) name: String,
    pub(crate) count: usize,
}

#[derive(Default)]
pub(crate) struct Region {
    pub(crate) count: usize,
    /// The services with the most actions in it, and how many.
    pub(crate) services: Vec<(&'static str, usize)>,
}

#[derive(Serialize)]
struct Report<'r> {
    actions: usize,
    policies: Vec<PolicyReport<'r>>,
    regions: Vec<RegionReport<'r>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    unknown: &'r [String],
}

#[derive(Serialize)]
struct PolicyReport<'r> {
    name: &'r str,
    count: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegionReport<'r> {
    allowed_by: Vec<&'r str>,
    count: usize,
    services: BTreeMap<&'static str, usize>,
}

impl Regions {
    pub(crate) fn new(sets: &[(String, Permissions)]) -> Regions {
        let mut members: HashMap<String, usize> = HashMap::new();
        let mut unknown = Vec::new();
        let mut policies = Vec::new();
        for (bit, (name, set)) in sets.iter().enumerate() {
            let actions = set.actions();
            policies.push(PolicyOf { name: name.clone(), count: actions.len() });
            for (action, answer) in actions {
                unknown.extend(answer.unknown().map(|reason| format!("`{action}` in {name}: {reason}")));
                *members.entry(action.to_string()).or_default() |= 1 << bit;
            }
        }
        let mut services: Vec<BTreeMap<&str, usize>> = vec![BTreeMap::new(); 1 << sets.len()];
        for action in catalogue::services().flat_map(catalogue::Service::actions) {
            let region = members.get(&action.to_string()).copied().unwrap_or_default();
            if let Some(services) = services.get_mut(region) {
                *services.entry(action.service().prefix()).or_default() += 1;
            }
        }
        let region = |services: BTreeMap<&'static str, usize>| {
            let mut services: Vec<_> = services.into_iter().collect();
            services.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            Region { count: services.iter().map(|(_, count)| count).sum(), services }
        };
        Regions { policies, regions: services.into_iter().map(region).collect(), unknown }
    }

    pub(crate) fn total(&self) -> usize {
        self.regions.iter().map(|region| region.count).sum()
    }

    pub(crate) fn json(&self) -> String {
        let regions = self.regions.iter().enumerate().map(|(bits, region)| RegionReport {
            allowed_by: self.names(bits),
            count: region.count,
            services: region.services.iter().copied().collect(),
        });
        let report = Report {
            actions: self.total(),
            policies: self
                .policies
                .iter()
                .map(|policy| PolicyReport { name: &policy.name, count: policy.count })
                .collect(),
            regions: regions.collect(),
            unknown: &self.unknown,
        };
        // Strings and numbers are always JSON.
        serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
    }

    /// The policies of a region.
    pub(crate) fn names(&self, bits: usize) -> Vec<&str> {
        let named = self.policies.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
        named.map(|(_, policy)| policy.name.as_str()).collect()
    }
}
