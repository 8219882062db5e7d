//! `GetRandomPassword`.
//!
//! See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html>.

use serde_json::json;

use super::{State, invalid_parameter};
use crate::fault::Answer;
use crate::kept::Ask;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

pub(super) fn random(_: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let length = input.limit("PasswordLength", 4096, 32)?;
    let excluded = input.text("ExcludeCharacters")?.unwrap_or_default();
    let flag = |name: &str| Ok(input.boolean(name)?.unwrap_or(false));
    let kinds = [
        (LOWER, !flag("ExcludeLowercase")?),
        (UPPER, !flag("ExcludeUppercase")?),
        (DIGITS, !flag("ExcludeNumbers")?),
        (PUNCTUATION, !flag("ExcludePunctuation")?),
        (" ", flag("IncludeSpace")?),
    ];
    let allowed = |text: &str| text.chars().filter(|c| !excluded.contains(*c)).collect::<Vec<char>>();
    let kinds: Vec<Vec<char>> =
        kinds.iter().filter(|(_, is_on)| *is_on).map(|(kind, _)| allowed(kind)).collect();
    let kinds: Vec<Vec<char>> = kinds.into_iter().filter(|kind| !kind.is_empty()).collect();
    let each = input.boolean("RequireEachIncludedType")?.unwrap_or(true);
    let all = kinds.concat();
    if all.is_empty() || each && kinds.len() > length {
        return Err(invalid_parameter("The password length is too short based on the required types."));
    }
    let mut chosen: Vec<char> =
        kinds.iter().filter(|_| each).filter_map(|kind| fastrand::choice(kind).copied()).collect();
    while chosen.len() < length {
        chosen.extend(fastrand::choice(&all));
    }
    fastrand::shuffle(&mut chosen);
    Ok(json!({ "RandomPassword": chosen.into_iter().collect::<String>() }))
}
