//! Object Lock: versions that nobody deletes before their time.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>.

use http::StatusCode;
use roxmltree::Node;
use time::{Duration, OffsetDateTime};

use super::fault::{self, Fault};
use super::operation::Operation;
use super::state::{Bucket, Conditions, Version, Versioning};
use super::task::{Answer, Target, Task, document, empty, set_header, timestamp};
use super::{delete, object, xml};
use crate::call::Call;
use crate::clock;

const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
const LEGAL_HOLD: &str = "x-amz-object-lock-legal-hold";

/// The longest default retention: a hundred years.
const MOST_DAYS: u32 = 36_500;
const MOST_YEARS: u32 = 100;

/// What holds a version.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lock {
    retention: Option<Retention>,
    /// `None` where nobody said so or otherwise.
    is_held: Option<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Retention {
    mode: Mode,
    until: OffsetDateTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Compliance,
    Governance,
}

/// What a bucket with Object Lock gives to versions that are put without a word about it.
#[derive(Clone, Copy, Default)]
pub(super) struct Configuration {
    default: Option<(Mode, Period)>,
}

#[derive(Clone, Copy)]
enum Period {
    Days(u32),
    Years(u32),
}

impl Mode {
    fn read(name: &str) -> Option<Self> {
        [Self::Compliance, Self::Governance].into_iter().find(|mode| mode.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Compliance => "COMPLIANCE",
            Self::Governance => "GOVERNANCE",
        }
    }
}

impl Configuration {
    fn retention(self, now: OffsetDateTime) -> Option<Retention> {
        let (mode, period) = self.default?;
        let until = match period {
            Period::Days(days) => now + Duration::days(days.into()),
            Period::Years(years) => {
                let year = now.year() + i32::try_from(years).ok()?;
                // Of the 29th of February there is none in most years.
                now.replace_year(year).or_else(|_| (now - Duration::DAY).replace_year(year)).ok()?
            }
        };
        Some(Retention { mode, until })
    }
}

impl Lock {
    /// What headers ask for.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`
    fn read<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Result<Self, Fault> {
        let invalid = |name: &'static str, value: &str, why: &str| {
            fault::INVALID_ARGUMENT.because(why).with("ArgumentName", name).with("ArgumentValue", value)
        };
        let retention = match (header(MODE), header(UNTIL)) {
            (None, None) => None,
            (Some(mode), Some(until)) => Some(Retention {
                mode: Mode::read(mode).ok_or_else(|| invalid(MODE, mode, "Unknown wormMode directive."))?,
                until: clock::parse_iso8601(until).ok_or_else(|| {
                    invalid(UNTIL, until, "The retain until date must be provided in ISO 8601 format")
                })?,
            }),
            (mode, _) => {
                let name = if mode.is_none() { MODE } else { UNTIL };
                let why =
                    "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
                return Err(invalid(name, "", why));
            }
        };
        let is_held = match header(LEGAL_HOLD) {
            None => None,
            Some("ON") => Some(true),
            Some("OFF") => Some(false),
            Some(other) => {
                return Err(invalid(LEGAL_HOLD, other, "Legal Hold must be either of 'ON' or 'OFF'"));
            }
        };
        Ok(Self { retention, is_held })
    }

    /// What the request that began an upload asked for, which was refused then if it was wrong.
    pub(super) fn of_upload(task: &Task<'_>) -> Result<Self, Fault> {
        Self::read(|name| task.said(name))
    }

    /// What a request asks for that stores an object or begins an upload.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, `InvalidRequest` where the bucket has no Object Lock, `NoSuchBucket`
    pub(super) fn of_new(task: &Task<'_>) -> Result<Self, Fault> {
        let lock = Self::read(|name| task.header(name))?;
        if lock.retention.is_some() || lock.is_held.is_some() {
            task.in_bucket(has_object_lock)?;
        }
        lock.retention.map_or(Ok(()), |retention| retention.check_future(task.call.now))?;
        Ok(lock)
    }

    /// The lock of a version that is put in the bucket now.
    pub(super) fn or_default(self, configuration: Option<Configuration>, now: OffsetDateTime) -> Self {
        let by_default = || configuration?.retention(now);
        Self { retention: self.retention.or_else(by_default), ..self }
    }

    /// Refuses to delete what is still locked. Who bypasses governance was found to be allowed to.
    ///
    /// # Errors
    ///
    /// `AccessDenied`
    pub(super) fn check_deletable(self, now: OffsetDateTime, bypasses: bool) -> Result<(), Fault> {
        let is_free = self.retention.is_none_or(|retention| retention.is_weak(now, bypasses));
        if is_free && self.is_held != Some(true) { Ok(()) } else { Err(protected()) }
    }

    /// Tells in the answer to a read what the caller may know.
    pub(super) fn tell(self, task: &Task<'_>, target: Target<'_>, answer: &mut Answer) {
        if let Some(retention) = self.retention
            && task.probe("s3:GetObjectRetention", target).is_ok()
        {
            set_header(answer, MODE, retention.mode.name());
            set_header(answer, UNTIL, &timestamp(retention.until));
        }
        if let Some(is_held) = self.is_held
            && task.probe("s3:GetObjectLegalHold", target).is_ok()
        {
            set_header(answer, LEGAL_HOLD, switch(is_held));
        }
    }
}

impl Retention {
    fn check_future(self, now: OffsetDateTime) -> Result<(), Fault> {
        if self.until > now {
            return Ok(());
        }
        Err(fault::INVALID_ARGUMENT
            .because("The retain until date must be in the future!")
            .with("ArgumentName", UNTIL)
            .with("ArgumentValue", timestamp(self.until)))
    }

    /// Whether it holds no longer, or not the caller.
    fn is_weak(self, now: OffsetDateTime, bypasses: bool) -> bool {
        self.until <= now || bypasses && self.mode == Mode::Governance
    }
}

fn protected() -> Fault {
    fault::ACCESS_DENIED.because("Access Denied because object protected by object lock.")
}

fn switch(is_on: bool) -> &'static str {
    if is_on { "ON" } else { "OFF" }
}

fn has_object_lock(bucket: &mut Bucket) -> Result<(), Fault> {
    bucket.object_lock.map(drop).ok_or_else(|| fault::MISSING_OBJECT_LOCK.fault())
}

/// What an operation about a lock says in its body, by the names of the headers that say it of a new object: they are the same
/// condition keys. None where it cannot be read, which the handler will refuse.
pub(super) fn conditions(call: &Call<'_>, operation: &Operation) -> Conditions {
    let (root, elements): (_, &[_]) = match operation.name {
        "PutObjectLegalHold" => ("LegalHold", &[("Status", LEGAL_HOLD)]),
        "PutObjectRetention" => ("Retention", &[("Mode", MODE), ("RetainUntilDate", UNTIL)]),
        _ => return Conditions::new(),
    };
    let read = |root: Node<'_, '_>| {
        let mut said = Conditions::new();
        for (element, header) in elements {
            said.extend(xml::text(root, element).map(|text| (*header, text.trim().to_owned())));
        }
        Some(said)
    };
    xml::read(&call.body, root, read).unwrap_or_default()
}

/// The number of days that a version will be retained, as the request has it.
pub(super) fn remaining_days(task: &Task<'_>) -> Option<String> {
    const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;
    let until = clock::parse_iso8601(task.condition(UNTIL)?)?;
    Some((until - task.call.now).whole_seconds().div_euclid(SECONDS_OF_A_DAY).to_string())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>
pub(super) fn get_configuration(task: &Task<'_>) -> Result<Answer, Fault> {
    let configuration = task.in_bucket(|bucket| {
        bucket.object_lock.ok_or_else(|| fault::NO_OBJECT_LOCK.fault().with("BucketName", task.bucket))
    })?;
    Ok(document("ObjectLockConfiguration", |xml| {
        xml.leaf("ObjectLockEnabled", "Enabled");
        let Some((mode, period)) = configuration.default else { return };
        xml.element("Rule", |xml| {
            xml.element("DefaultRetention", |xml| {
                xml.leaf("Mode", mode.name());
                match period {
                    Period::Days(days) => xml.leaf("Days", &days.to_string()),
                    Period::Years(years) => xml.leaf("Years", &years.to_string()),
                }
            });
        });
    }))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html>
pub(super) fn put_configuration(task: &Task<'_>) -> Result<Answer, Fault> {
    let default = xml::read(&task.call.body, "ObjectLockConfiguration", |root| {
        if xml::text(root, "ObjectLockEnabled")? != "Enabled" {
            return None;
        }
        match xml::child(root, "Rule") {
            None => Some(Ok(None)),
            Some(rule) => read_default(xml::child(rule, "DefaultRetention")?).map(|read| read.map(Some)),
        }
    })??;
    task.in_bucket(|bucket| {
        if bucket.versioning != Versioning::Enabled {
            return Err(fault::INVALID_BUCKET_STATE
                .because("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"));
        }
        bucket.object_lock = Some(Configuration { default });
        Ok(empty(StatusCode::OK))
    })
}

/// `None` for what does not fit the schema.
fn read_default(node: Node<'_, '_>) -> Option<Result<(Mode, Period), Fault>> {
    let mode = Mode::read(xml::text(node, "Mode")?)?;
    let number = |element| xml::text(node, element).map(|text| text.parse::<i64>().ok());
    let (number, most) = match (number("Days"), number("Years")) {
        (Some(days), None) => (days?, MOST_DAYS),
        (None, Some(years)) => (years?, MOST_YEARS),
        _ => return None,
    };
    let invalid = |why: &str| Some(Err(fault::INVALID_ARGUMENT.because(why)));
    match u32::try_from(number) {
        Err(_) | Ok(0) if number <= 0 => {
            invalid("Default retention period must be a positive integer value.")
        }
        Ok(number) if number <= most => {
            let period = if most == MOST_DAYS { Period::Days(number) } else { Period::Years(number) };
            Some(Ok((mode, period)))
        }
        _ => invalid(&format!("Default retention period too large, the most is {most}.")),
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html>
pub(super) fn get_retention(task: &Task<'_>) -> Result<Answer, Fault> {
    let retention = of_object(task)?.retention.ok_or_else(|| fault::NO_SUCH_OBJECT_LOCK.fault())?;
    Ok(document("Retention", |xml| {
        xml.leaf("Mode", retention.mode.name());
        xml.leaf("RetainUntilDate", &timestamp(retention.until));
    }))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html>
pub(super) fn get_legal_hold(task: &Task<'_>) -> Result<Answer, Fault> {
    let is_held = of_object(task)?.is_held.ok_or_else(|| fault::NO_SUCH_OBJECT_LOCK.fault())?;
    Ok(document("LegalHold", |xml| xml.leaf("Status", switch(is_held))))
}

fn of_object(task: &Task<'_>) -> Result<Lock, Fault> {
    task.in_bucket(has_object_lock)?;
    Ok(object::find(task, target(task))?.version.lock)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html>
pub(super) fn put_retention(task: &Task<'_>) -> Result<Answer, Fault> {
    let now = task.call.now;
    let wanted = xml::read(&task.call.body, "Retention", |root| {
        match (xml::text(root, "Mode"), xml::text(root, "RetainUntilDate")) {
            // Which takes one away.
            (None, None) => Some(None),
            (Some(mode), Some(until)) => {
                Some(Some(Retention { mode: Mode::read(mode)?, until: clock::parse_iso8601(until.trim())? }))
            }
            _ => None,
        }
    })?;
    wanted.map_or(Ok(()), |wanted| wanted.check_future(now))?;
    change(task, |version| {
        if let Some(current) = version.lock.retention {
            let is_longer = wanted.is_some_and(|new| new.mode == current.mode && new.until >= current.until);
            if !is_longer && !current.is_weak(now, delete::bypasses_governance(task)) {
                return Err(protected());
            }
        }
        version.lock.retention = wanted;
        Ok(())
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html>
pub(super) fn put_legal_hold(task: &Task<'_>) -> Result<Answer, Fault> {
    let is_held = xml::read(&task.call.body, "LegalHold", |root| match xml::text(root, "Status")?.trim() {
        "ON" => Some(true),
        "OFF" => Some(false),
        _ => None,
    })?;
    change(task, |version| {
        version.lock.is_held = Some(is_held);
        Ok(())
    })
}

fn change(task: &Task<'_>, change: impl FnOnce(&mut Version) -> Result<(), Fault>) -> Result<Answer, Fault> {
    let target = target(task);
    task.in_bucket(has_object_lock)?;
    // Whether the caller may know that there is nothing to lock is asked there.
    let found = object::find(task, target)?;
    task.in_bucket(|bucket| {
        let version = bucket.version_mut(task.key, Some(&found.version.id));
        change(version.ok_or_else(|| fault::NO_SUCH_KEY.fault().with("Key", task.key))?)?;
        Ok(empty(StatusCode::OK))
    })
}

fn target<'t>(task: &'t Task<'_>) -> Target<'t> {
    Target { bucket: task.bucket, key: task.key, version: task.query.get("versionId") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_period_of_years_ends_on_the_same_day() {
        let retain = |from: &str, period| {
            let configuration = Configuration { default: Some((Mode::Compliance, period)) };
            let from = clock::parse_iso8601(from).expect("a date");
            clock::iso8601(configuration.retention(from).expect("a retention").until)
        };
        assert_eq!(retain("2024-02-29T10:00:00Z", Period::Years(1)), "2025-02-28T10:00:00Z");
        assert_eq!(retain("2023-03-01T10:00:00Z", Period::Years(1)), "2024-03-01T10:00:00Z");
        assert_eq!(retain("2023-03-01T10:00:00Z", Period::Days(366)), "2024-03-01T10:00:00Z");
    }

    #[test]
    fn only_governance_can_be_bypassed() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let lock = |mode, until| Lock { retention: Some(Retention { mode, until }), is_held: None };
        let (later, before) = (now + Duration::DAY, now - Duration::DAY);
        for (lock, bypasses, is_deletable) in [
            (Lock::default(), false, true),
            (lock(Mode::Governance, later), false, false),
            (lock(Mode::Governance, later), true, true),
            (lock(Mode::Compliance, later), true, false),
            (lock(Mode::Compliance, before), false, true),
            (Lock { is_held: Some(true), ..lock(Mode::Governance, later) }, true, false),
            (Lock { is_held: Some(false), retention: None }, false, true),
        ] {
            assert_eq!(lock.check_deletable(now, bypasses).is_ok(), is_deletable, "{lock:?}");
        }
    }
}
