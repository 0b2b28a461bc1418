//! The parsed form of a rule, and what can be wrong with one.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::model::Field;

use super::pattern::TextPattern;
use super::term::Mention;

/// A problem in an expression, or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// Where: byte offsets into the expression.
    pub span: Range<usize>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl SyntaxError {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { message: message.into(), span, hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// An expression, and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

/// What an expression says.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// All of them.
    And(Vec<Expr>),
    /// At least one of them.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A word or phrase.
    Term(Mention),
    /// A regular expression.
    Pattern(Box<TextPattern>),
    /// A named list.
    List(ListRef),
    /// Two operands that stand near each other.
    Near(Nearness, Operands),
    /// At least so many of them.
    Of(usize, Vec<Expr>),
    /// So many places at least.
    AtLeast(usize, Box<Expr>),
    /// The weights of those that hold reach the threshold; weights in the
    /// order of the expressions.
    Score(i64, Vec<i64>, Vec<Expr>),
    /// Only in one field.
    Scoped(Fields, Box<Expr>),
    /// The feed's configured name, with `*` for anything.
    Feed(String),
    /// The host of the link, or one above it, with `*` for anything.
    Site(String),
    /// A language tag.
    Lang(String),
    /// Stands where an error was reported.
    Broken,
}

/// What stands left and right of an operator.
pub(super) type Operands = Box<[Expr; 2]>;

/// How two operands must stand to each other. Distances are in words; next to
/// each other is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nearness {
    /// At most so many words apart, in either order.
    Near(u32),
    /// The same, the left one first.
    Pre(u32),
    /// The left one, without the right one so near.
    NotNear(u32),
    /// In one sentence.
    Sentence,
    /// In one paragraph.
    Paragraph,
}

impl fmt::Display for Nearness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Near(words) => write!(f, "NEAR/{words}"),
            Self::Pre(words) => write!(f, "PRE/{words}"),
            Self::NotNear(words) => write!(f, "NOT NEAR/{words}"),
            Self::Sentence => f.write_str("SENT"),
            Self::Paragraph => f.write_str("PARA"),
        }
    }
}

/// A mention of a list.
#[derive(Clone, Debug)]
pub(super) struct ListRef {
    pub(super) name: String,
    /// The list's own expression, once the name was looked up.
    pub(super) body: Option<Arc<Expr>>,
}

/// Where words are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fields {
    /// Title and text.
    Both,
    Title,
    Text,
    /// The first words of the text.
    Lead,
    /// Title and lead.
    Hlead,
    Author,
    Category,
    Source,
    Url,
}

impl Fields {
    pub(super) fn phrase(self) -> &'static str {
        match self {
            Self::Both => "title or text",
            Self::Title => "title",
            Self::Text => "text",
            Self::Lead => "lead",
            Self::Hlead => "title or lead",
            Self::Author => "author",
            Self::Category => "category",
            Self::Source => "source",
            Self::Url => "url",
        }
    }

    /// How it is written before a term.
    pub(super) fn scope(self) -> &'static str {
        match self {
            Self::Both => "",
            Self::Title => "title:",
            Self::Text => "text:",
            Self::Lead => "lead:",
            Self::Hlead => "hlead:",
            Self::Author => "author:",
            Self::Category => "category:",
            Self::Source => "source:",
            Self::Url => "url:",
        }
    }

    /// Whether it looks at more than title and text.
    pub(super) fn is_further(self) -> bool {
        matches!(self, Self::Author | Self::Category | Self::Source | Self::Url)
    }

    /// The fields, and whether only their first words are meant.
    pub(super) fn parts(self) -> &'static [(Field, bool)] {
        match self {
            Self::Both => &[(Field::Title, false), (Field::Text, false)],
            Self::Title => &[(Field::Title, false)],
            Self::Text => &[(Field::Text, false)],
            Self::Lead => &[(Field::Text, true)],
            Self::Hlead => &[(Field::Title, false), (Field::Text, true)],
            Self::Author => &[(Field::Author, false)],
            Self::Category => &[(Field::Category, false)],
            Self::Source => &[(Field::Source, false)],
            Self::Url => &[(Field::Url, false)],
        }
    }
}

impl Expr {
    pub(super) fn new(kind: Kind, span: Range<usize>) -> Self {
        Self { kind, span }
    }

    pub(super) fn broken(span: Range<usize>) -> Self {
        Self::new(Kind::Broken, span)
    }

    /// Not this; twice not is left out.
    pub(super) fn negated(self, span: Range<usize>) -> Self {
        match self.kind {
            Kind::Not(inner) => Self::new(inner.kind, span),
            _ => Self::new(Kind::Not(Box::new(self)), span),
        }
    }

    /// The expressions right below this one; a list's body is not below.
    pub(super) fn children(&self) -> &[Self] {
        match &self.kind {
            Kind::And(parts) | Kind::Or(parts) | Kind::Of(_, parts) => parts,
            Kind::Score(_, _, parts) => parts,
            Kind::Near(_, pair) => pair.as_slice(),
            Kind::Not(inner) | Kind::Scoped(_, inner) | Kind::AtLeast(_, inner) => {
                std::slice::from_ref(inner)
            }
            Kind::Term(_)
            | Kind::Pattern(_)
            | Kind::List(_)
            | Kind::Feed(_)
            | Kind::Site(_)
            | Kind::Lang(_)
            | Kind::Broken => &[],
        }
    }

    /// The same, to change them.
    pub(super) fn children_mut(&mut self) -> &mut [Self] {
        match &mut self.kind {
            Kind::And(parts) | Kind::Or(parts) | Kind::Of(_, parts) => parts,
            Kind::Score(_, _, parts) => parts,
            Kind::Near(_, pair) => pair.as_mut_slice(),
            Kind::Not(inner) | Kind::Scoped(_, inner) | Kind::AtLeast(_, inner) => {
                std::slice::from_mut(inner)
            }
            Kind::Term(_)
            | Kind::Pattern(_)
            | Kind::List(_)
            | Kind::Feed(_)
            | Kind::Site(_)
            | Kind::Lang(_)
            | Kind::Broken => &mut [],
        }
    }

    /// Whether it is worth asking everything else first.
    pub(super) fn is_dear(&self) -> bool {
        match &self.kind {
            Kind::Pattern(_) => true,
            Kind::List(_) => false,
            _ => self.children().iter().any(Self::is_dear),
        }
    }

    /// The one canonical way to write it.
    pub(super) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match &self.kind {
            Kind::And(parts) => write_joined(parts, " AND ", out),
            Kind::Or(parts) => write_joined(parts, " OR ", out),
            Kind::Not(inner) => {
                out.push_str("NOT ");
                inner.write_operand(out);
            }
            Kind::Term(term) => out.push_str(&term.display),
            Kind::List(list) => {
                out.push('@');
                out.push_str(&list.name);
            }
            Kind::Near(how, pair) => {
                let [left, right] = pair.as_ref();
                left.write_operand(out);
                out.push_str(&format!(" {how} "));
                right.write_operand(out);
            }
            Kind::Of(count, parts) => {
                out.push_str(&format!("{count} OF "));
                write_members(parts, |_| String::new(), out);
            }
            Kind::AtLeast(count, inner) => {
                out.push_str(&format!("ATLEAST/{count} "));
                inner.write_operand(out);
            }
            Kind::Score(threshold, weights, parts) => {
                out.push_str(&format!("SCORE/{threshold} "));
                let weight = |at: usize| weights.get(at).map(|weight| format!("^{weight}"));
                write_members(parts, |at| weight(at).unwrap_or_default(), out);
            }
            Kind::Scoped(fields, inner) => {
                out.push_str(fields.scope());
                inner.write_scoped(out);
            }
            Kind::Pattern(pattern) => out.push_str(&pattern.display()),
            Kind::Feed(pattern) | Kind::Site(pattern) => {
                let feed = matches!(self.kind, Kind::Feed(_));
                out.push_str(if feed { "feed:" } else { "site:" });
                let plain = pattern.chars().all(|c| c.is_alphanumeric() || "-_.*".contains(c));
                out.push_str(&if plain { pattern.clone() } else { format!("\"{pattern}\"") });
            }
            Kind::Lang(tag) => {
                out.push_str("lang:");
                out.push_str(tag);
            }
            Kind::Broken => out.push('…'),
        }
    }

    fn write_operand(&self, out: &mut String) {
        let group = matches!(self.kind, Kind::And(_) | Kind::Or(_) | Kind::Near(..));
        self.write_grouped(group, out);
    }

    fn write_scoped(&self, out: &mut String) {
        let alone = matches!(
            self.kind,
            Kind::Term(_)
                | Kind::Pattern(_)
                | Kind::List(_)
                | Kind::Feed(_)
                | Kind::Site(_)
                | Kind::Lang(_)
                | Kind::Broken
        );
        self.write_grouped(!alone, out);
    }

    fn write_grouped(&self, group: bool, out: &mut String) {
        if group {
            out.push('(');
        }
        self.write(out);
        if group {
            out.push(')');
        }
    }
}

/// Members in brackets, with what follows each.
fn write_members(parts: &[Expr], after: impl Fn(usize) -> String, out: &mut String) {
    out.push('(');
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        part.write_operand(out);
        out.push_str(&after(number));
    }
    out.push(')');
}

fn write_joined(parts: &[Expr], operator: &str, out: &mut String) {
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            out.push_str(operator);
        }
        part.write_operand(out);
    }
}

/// A snippet of an expression for messages, cut when it is long.
pub(super) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}
