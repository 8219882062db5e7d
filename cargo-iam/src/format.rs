//! How the commands that answer one question write their answer.

/// For people or for programs; `check` has formats of its own.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
}

/// A row that does not wrap.
pub(crate) fn cut(row: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if row.chars().count() > width => {
            row.chars().take(width.saturating_sub(1)).chain(['…']).collect()
        }
        _ => row.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_cut_at_the_width_of_the_terminal() {
        assert_eq!(cut("s3:GetObject", Some(6)), "s3:Ge…");
        assert_eq!(cut("s3:Get", Some(6)), "s3:Get");
        assert_eq!(cut("s3:GetObject", None), "s3:GetObject");
    }
}
