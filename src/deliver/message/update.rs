//! News of a story that was told, as a message shows it.

use jiff::Timestamp;
use minijinja::{Value, context};

use super::{MAX_NAME, MAX_TITLE, optional, rfc3339, web_link};
use crate::deliver::text::one_line;
use crate::model::UpdateContent;

/// What is new.
#[derive(Clone, Debug)]
pub(in crate::deliver) struct UpdateLine {
    pub(in crate::deliver) id: String,
    pub(in crate::deliver) kind: String,
    pub(in crate::deliver) text: String,
    pub(in crate::deliver) at: Timestamp,
    pub(in crate::deliver) sources: u32,
    pub(in crate::deliver) title: String,
    pub(in crate::deliver) url: Option<String>,
    pub(in crate::deliver) outlet: String,
}

impl UpdateLine {
    pub(super) fn context(&self) -> Value {
        context! {
            id => &self.id,
            kind => &self.kind,
            text => &self.text,
            at => rfc3339(self.at),
            sources => self.sources,
            title => &self.title,
            url => optional(self.url.as_deref()),
            outlet => &self.outlet,
        }
    }
}

pub(super) fn update_line(update: &UpdateContent) -> UpdateLine {
    UpdateLine {
        id: update.id.to_string(),
        kind: update.kind.clone(),
        text: one_line(&update.text, MAX_TITLE),
        at: update.at,
        sources: update.sources,
        title: one_line(&update.title, MAX_TITLE),
        url: update.url.as_deref().and_then(web_link),
        outlet: one_line(&update.outlet, MAX_NAME),
    }
}
