//! `notices`: what operators are told of feeds, channels and rules.

use std::process::ExitCode;

use serde_json::json;

use super::args::NoticesArgs;
use super::lists::{attach, short, show, since};
use super::{CliError, Context};
use crate::model::NoticeAbout;
use crate::store::NoticeRow;

pub(super) async fn run(context: Context, args: NoticesArgs) -> Result<ExitCode, CliError> {
    let about = [
        (NoticeAbout::Feed, args.feed),
        (NoticeAbout::Channel, args.channel),
        (NoticeAbout::Rule, args.rule),
    ];
    let about = about.into_iter().find_map(|(about, name)| Some((about, name?)));
    let rows = attach(&context)?.notices(about, since(args.since)?, args.limit).await?;
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
