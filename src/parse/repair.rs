//! What had to be mended before a document could be read.
//!
//! A sound document leaves nothing here. What is noted here is counted, so
//! that ten thousand bare `&` make one sentence.

/// One way in which a document breaks the rules of its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Repair {
    LossyText,
    JunkBefore,
    JunkAfter,
    Controls,
    BareAmpersand,
    UnknownEntity,
    BadCharRef,
    BareLess,
    BadAttribute,
    UnclosedTag,
    UnclosedCdata,
    UnclosedComment,
    Unclosed,
    StrayEnd,
    UnclosedItem,
    UndeclaredPrefix,
    NoVersion,
    OddVersion,
    TooDeep,
    TooManyAttributes,
    TooManyElements,
    Truncated,
    CutItem,
    JsonSyntax,
    JsonItem,
    JsonField,
    JsonVersion,
}

impl Repair {
    /// A sentence for one and for many; `#` stands for the number.
    fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::LossyText => ("bytes that are no text were replaced", ""),
            Self::JunkBefore => ("something stands before the feed", ""),
            Self::JunkAfter => ("something stands after the feed", ""),
            Self::Controls => ("control characters that no text has", ""),
            Self::BareAmpersand => ("a bare \"&\"", "# bare \"&\""),
            Self::UnknownEntity => {
                ("an entity that XML does not know", "# entities that XML does not know")
            }
            Self::BadCharRef => {
                ("a character reference to no character", "# character references to no character")
            }
            Self::BareLess => ("a bare \"<\"", "# bare \"<\""),
            Self::BadAttribute => ("a malformed attribute", "# malformed attributes"),
            Self::UnclosedTag => ("a tag without its \">\"", "# tags without their \">\""),
            Self::UnclosedCdata => {
                ("a CDATA section that does not end", "# CDATA sections that do not end")
            }
            Self::UnclosedComment => {
                ("a comment or instruction that does not end", "# comments that do not end")
            }
            Self::Unclosed => {
                ("an element without its end tag", "# elements without their end tag")
            }
            Self::StrayEnd => {
                ("an end tag without its element", "# end tags without their element")
            }
            Self::UnclosedItem => ("an item that is not closed", "# items that are not closed"),
            Self::UndeclaredPrefix => {
                ("an undeclared namespace prefix", "undeclared namespace prefixes, used # times")
            }
            Self::NoVersion => ("the rss element states no version", ""),
            Self::OddVersion => ("the version of the format is unknown", ""),
            Self::TooDeep => ("elements are nested too deeply", ""),
            Self::TooManyAttributes => ("a tag has too many attributes", ""),
            Self::TooManyElements => ("an item has too many elements", ""),
            Self::Truncated => ("the document breaks off", ""),
            Self::CutItem => ("the item in which it breaks off was left out", ""),
            Self::JsonSyntax => ("broken JSON", ""),
            Self::JsonItem => {
                ("an item that is no item was left out", "# items that are no items were left out")
            }
            Self::JsonField => ("a value of the wrong type", "# values of the wrong type"),
            Self::JsonVersion => ("the version of JSON Feed is missing or unknown", ""),
        }
    }
}

/// The repairs that one document needed.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    counts: Vec<(Repair, u32)>,
}

impl Repairs {
    /// Counts one repair.
    pub(super) fn note(&mut self, repair: Repair) {
        match self.counts.iter_mut().find(|(known, _)| *known == repair) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.counts.push((repair, 1)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub(super) fn has(&self, repair: Repair) -> bool {
        self.counts.iter().any(|(known, _)| *known == repair)
    }

    /// Sentences for people, in a fixed order.
    pub(super) fn sentences(mut self) -> Vec<String> {
        self.counts.sort_unstable();
        let sentence = |(repair, count): (Repair, u32)| match (repair.sentences(), count) {
            ((one, ""), _) | ((one, _), 1) => one.to_string(),
            ((_, many), count) => many.replace('#', &count.to_string()),
        };
        self.counts.into_iter().map(sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_are_counted_and_told_once_in_a_fixed_order() {
        let mut repairs = Repairs::default();
        for repair in [Repair::StrayEnd, Repair::BareAmpersand, Repair::BareAmpersand] {
            repairs.note(repair);
        }
        assert_eq!(repairs.sentences(), ["2 bare \"&\"", "an end tag without its element"]);
    }
}
