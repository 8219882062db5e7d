//! The credential report: a table of all users and what they can sign in with.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>

use std::sync::Arc;

use http::StatusCode;
use time::{Duration, OffsetDateTime};

use super::input::Input;
use super::key::AccessKey;
use super::state::State;
use super::user::User;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// A report, as it was when it was made.
pub(super) struct Report {
    made: OffsetDateTime,
    text: String,
}

/// For as long no new one is made.
const GOOD_FOR: Duration = Duration::hours(4);

const COLUMNS: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
                       password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
                       access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
                       access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
                       access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
                       cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

#[expect(clippy::unnecessary_wraps, reason = "of the table's type")]
pub(super) fn generate(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let now = input.call.now;
    let mut iam = input.call.endpoint.iam_mut();
    if iam.credential_report.as_ref().is_some_and(|report| report.made + GOOD_FOR > now) {
        xml.leaf("State", "COMPLETE");
        return Ok(());
    }
    let text = write(&iam, input.call.endpoint);
    iam.credential_report = Some(Report { made: now, text });
    xml.leaf("State", "STARTED");
    xml.leaf("Description", "No report exists. Starting a new report generation task");
    Ok(())
}

pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let Some(report) = &iam.credential_report else {
        return Err(Fault::new(
            StatusCode::GONE,
            "ReportNotPresent",
            "The request was rejected because the credential report does not exist.",
        ));
    };
    xml.leaf("Content", &base64_simd::STANDARD.encode_to_string(&report.text));
    xml.leaf("ReportFormat", "text/csv");
    xml.leaf("GeneratedTime", &clock::iso8601(report.made));
    Ok(())
}

fn write(iam: &State, endpoint: &Shared) -> String {
    let root = format!("arn:{}:iam::{}:root", endpoint.partition, endpoint.account.id);
    let made = iam.users.iter().map(|user| user.head.created).min().unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut cells = vec!["<root_account>".to_owned(), root, date(made)];
    add(&mut cells, &["not_supported", "no_information", "not_supported", "not_supported", "false"]);
    add_keys(&mut cells, &[]);
    let mut lines = vec![COLUMNS.to_owned(), cells.join(",")];
    for user in iam.users.iter() {
        lines.push(row(user, iam, endpoint).join(","));
    }
    lines.join("\n")
}

fn row(user: &User, iam: &State, endpoint: &Shared) -> Vec<String> {
    let head = &user.head;
    let mut cells =
        vec![head.name.clone(), endpoint.iam_arn("user", &head.path, &head.name), date(head.created)];
    // Nobody signs in to the console here.
    match &user.login {
        Some(login) => add(&mut cells, &["true", "no_information", &date(login.created()), "N/A"]),
        None => add(&mut cells, &["false", "N/A", "N/A", "N/A"]),
    }
    let has_device = iam.devices.iter().any(|device| device.is_of(&head.name));
    cells.push(has_device.to_string());
    add_keys(&mut cells, &iam.keys_of(&head.name));
    cells
}

fn add(cells: &mut Vec<String>, texts: &[&str]) {
    for text in texts {
        cells.push((*text).to_owned());
    }
}

/// The columns of two access keys, and of two certificates, of which there are none.
fn add_keys(cells: &mut Vec<String>, keys: &[&Arc<AccessKey>]) {
    for number in 0..2 {
        let Some(key) = keys.get(number) else {
            add(cells, &["false", "N/A", "N/A", "N/A", "N/A"]);
            continue;
        };
        add(cells, &[&key.is_active().to_string(), &date(key.created)]);
        match key.used() {
            Some(used) => add(cells, &[&date(used.at), &used.region, &used.service]),
            None => add(cells, &["N/A", "N/A", "N/A"]),
        }
    }
    add(cells, &["false", "N/A", "false", "N/A"]);
}

/// `2026-11-22T00:00:00+00:00`
fn date(at: OffsetDateTime) -> String {
    clock::iso8601(at).replace('Z', "+00:00")
}
