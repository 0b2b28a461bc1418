//! `notices`: what operators are told of feeds.

use std::process::ExitCode;

use serde_json::json;

use super::args::ListArgs;
use super::lists::{attach, filter, short, show};
use super::{CliError, Context};
use crate::store::NoticeRow;

pub(super) async fn run(context: Context, args: ListArgs) -> Result<ExitCode, CliError> {
    let filter = filter(&args)?;
    let rows = attach(&context)?.notices(filter.feed, filter.since, filter.limit).await?;
    let as_json = |row: &NoticeRow| {
        json!({
            "kind": row.notice.kind.as_str(),
            "feed": row.notice.feed.as_str(),
            "subject": row.notice.subject,
            "text": row.notice.text,
            "at": row.notice.at.to_string(),
            "severity": row.notice.kind.severity().as_str(),
            "message": row.message,
        })
    };
    show(context, &rows, as_json, ["at", "kind", "feed", "notice"], |row| {
        [
            short(row.notice.at),
            row.notice.kind.as_str().to_string(),
            row.notice.feed.to_string(),
            row.notice.text.replace('\n', " "),
        ]
    })
}
