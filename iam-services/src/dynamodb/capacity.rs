//! What a call would have cost.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>.

use serde_json::{Map, Value, json};

use crate::fault::Fault;
use crate::input::Input;

/// Units of capacity, and whether they are told.
#[derive(Clone, Copy)]
pub(super) enum Told {
    Indexes,
    None,
    Total,
}

impl Told {
    pub(super) fn read(input: Input<'_>) -> Result<Self, Fault> {
        Ok(match input.one_of("ReturnConsumedCapacity", &["INDEXES", "TOTAL", "NONE"])? {
            Some("INDEXES") => Self::Indexes,
            Some("TOTAL") => Self::Total,
            _ => Self::None,
        })
    }

    /// What is told of one table.
    pub(super) fn of(self, table: &str, units: f64) -> Option<Value> {
        match self {
            Self::Indexes => {
                Some(json!({"TableName": table, "CapacityUnits": units, "Table": {"CapacityUnits": units}}))
            }
            Self::None => None,
            Self::Total => Some(json!({"TableName": table, "CapacityUnits": units})),
        }
    }

    pub(super) fn add(self, answer: &mut Map<String, Value>, table: &str, units: f64) {
        if let Some(told) = self.of(table, units) {
            answer.insert("ConsumedCapacity".to_owned(), told);
        }
    }
}

/// For reading so many bytes.
pub(super) fn to_read(bytes: usize, is_consistent: bool) -> f64 {
    let units = blocks(bytes, 4096);
    if is_consistent { units } else { units / 2.0 }
}

/// For writing so many bytes.
pub(super) fn to_write(bytes: usize) -> f64 {
    blocks(bytes, 1024)
}

fn blocks(bytes: usize, block: usize) -> f64 {
    u32::try_from(bytes.div_ceil(block).max(1)).map_or(f64::INFINITY, f64::from)
}
