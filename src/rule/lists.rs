//! Named lists: parsed once, shared by the rules that mention them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::check;
use super::parser::{MOST_LEVELS, parse};
use super::syntax::{Expr, Kind, SyntaxError};

/// The lists that rules may mention as `@name`.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    entries: BTreeMap<String, Entry>,
    warnings: Vec<(String, SyntaxError)>,
}

/// A list that was looked at.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// `None` if it has errors.
    body: Option<Arc<Expr>>,
    /// Terms of its own, without those of lists it mentions.
    terms: usize,
    /// Lists it mentions, and those they mention.
    uses: BTreeSet<String>,
    depth: usize,
    /// Parts of it when every list in it is written out.
    size: usize,
}

impl Lists {
    /// Parses named lists, in any order; they may mention each other. Lists
    /// with errors are known by name, so that a rule that mentions one is not
    /// told that it does not exist.
    pub fn parse<S: AsRef<str>>(lists: &[(S, S)]) -> (Self, Vec<(String, SyntaxError)>) {
        let mut reader = Reader {
            sources: lists.iter().map(|(name, text)| (name.as_ref(), text.as_ref())).collect(),
            lists: Self::default(),
            path: Vec::new(),
            errors: Vec::new(),
        };
        for (name, _) in lists {
            reader.read(name.as_ref());
        }
        (reader.lists, reader.errors)
    }

    /// Warnings about lists: name of the list and what is odd.
    pub fn warnings(&self) -> &[(String, SyntaxError)] {
        &self.warnings
    }

    /// Looks up the lists that `expr` mentions, and puts them in place.
    pub(super) fn link(&self, expr: &mut Expr, errors: &mut Vec<SyntaxError>) {
        each_list(expr, &mut |name, span| match self.entries.get(name) {
            Some(Entry { body: Some(body), .. }) => Some(Arc::clone(body)),
            Some(_) => {
                let message = format!("the list \"@{name}\" has errors of its own");
                errors.push(SyntaxError::new(span, message));
                None
            }
            None => {
                errors.push(unknown(name, span, self.entries.keys().map(String::as_str)));
                None
            }
        });
    }

    /// Terms of an expression with those of the lists it mentions, each list
    /// counted once.
    pub(super) fn count_terms(&self, expr: &Expr) -> usize {
        let mut used = BTreeSet::new();
        let own = self.usage(expr, &mut used);
        own + used.iter().filter_map(|name| self.entries.get(name)).map(|e| e.terms).sum::<usize>()
    }

    /// How deep an expression goes, lists included.
    pub(super) fn depth(&self, expr: &Expr) -> usize {
        let below = match &expr.kind {
            Kind::List(list) => self.entries.get(&list.name).map(|entry| entry.depth),
            _ => expr.children().iter().map(|child| self.depth(child)).max(),
        };
        below.unwrap_or(0) + 1
    }

    /// Parts of an expression when every list is written out where it is
    /// mentioned; lists of lists can make it explode.
    pub(super) fn size(&self, expr: &Expr) -> usize {
        let below = match &expr.kind {
            Kind::List(list) => self.entries.get(&list.name).map_or(0, |entry| entry.size),
            _ => expr
                .children()
                .iter()
                .fold(0, |sum: usize, child| sum.saturating_add(self.size(child))),
        };
        below.saturating_add(1)
    }

    /// Own terms of an expression; the lists it uses go into `used`.
    fn usage(&self, expr: &Expr, used: &mut BTreeSet<String>) -> usize {
        match &expr.kind {
            Kind::Term(_) | Kind::Pattern(_) | Kind::Feed(_) | Kind::Site(_) | Kind::Lang(_) => 1,
            Kind::List(list) => {
                if let Some(entry) = self.entries.get(&list.name) {
                    used.insert(list.name.clone());
                    used.extend(entry.uses.iter().cloned());
                }
                0
            }
            _ => expr.children().iter().map(|child| self.usage(child, used)).sum(),
        }
    }
}

/// Parts of a rule or list at the most, with its lists written out.
pub(super) const MOST_PARTS: usize = 50_000;

/// The error for an expression over [`MOST_PARTS`].
pub(super) fn too_large(size: usize, span: Range<usize>) -> SyntaxError {
    let message = format!("with its lists written out this has {size} parts: at most {MOST_PARTS}");
    SyntaxError::new(span, message).hint("let lists mention each other less often")
}

/// Finds the body of a list that is mentioned somewhere.
type LookUp<'a> = dyn FnMut(&str, Range<usize>) -> Option<Arc<Expr>> + 'a;

/// Calls `found` for every list mentioned, and puts in place what it returns.
fn each_list(expr: &mut Expr, found: &mut LookUp<'_>) {
    match &mut expr.kind {
        Kind::List(list) => list.body = found(&list.name, expr.span.clone()),
        _ => {
            for child in expr.children_mut() {
                each_list(child, found);
            }
        }
    }
}

fn unknown<'a>(
    name: &str,
    span: Range<usize>,
    known: impl Iterator<Item = &'a str>,
) -> SyntaxError {
    let error = SyntaxError::new(span, format!("there is no list \"@{name}\""));
    let far = (name.chars().count() / 3).max(1) + 1;
    let lower = name.to_lowercase();
    let nearest = known
        .map(|known| (strsim::osa_distance(&lower, &known.to_lowercase()), known))
        .min()
        .filter(|(distance, _)| *distance < far);
    match nearest {
        Some((_, known)) => error.hint(format!("did you mean \"@{known}\"?")),
        None => error.hint("define it under [terms]"),
    }
}

struct Reader<'a> {
    sources: BTreeMap<&'a str, &'a str>,
    lists: Lists,
    /// The lists we are in the middle of.
    path: Vec<&'a str>,
    errors: Vec<(String, SyntaxError)>,
}

impl<'a> Reader<'a> {
    /// Reads a list after those it mentions.
    fn read(&mut self, name: &'a str) {
        if self.lists.entries.contains_key(name) {
            return;
        }
        let Some(source) = self.sources.get(name).copied() else { return };
        self.path.push(name);
        let mut parsed = parse(source);
        let mut mentioned = Vec::new();
        each_list(&mut parsed.expr, &mut |name, span| {
            mentioned.push((name.to_owned(), span));
            None
        });
        let mut broken = false;
        for (mention, span) in mentioned {
            broken |= !self.read_mentioned(&mention, span, &mut parsed.errors);
        }
        let mut unlinked = Vec::new();
        self.lists.link(&mut parsed.expr, &mut unlinked);
        self.path.pop();
        // What is wrong with a mentioned list was told where it stands.
        unlinked.retain(|_| !broken);
        parsed.errors.extend(unlinked);
        let size = self.lists.size(&parsed.expr);
        if size > MOST_PARTS && !broken {
            parsed.errors.push(too_large(size, 0..source.len()));
        }
        if parsed.errors.is_empty() && !broken {
            check::sense(&parsed.expr, &mut parsed.errors);
        }
        let whole = !broken && parsed.errors.is_empty();
        check::surprises(&parsed.expr, &mut parsed.warnings);
        let mut entry = Entry::default();
        if whole {
            entry.terms = self.lists.usage(&parsed.expr, &mut entry.uses);
            entry.depth = self.lists.depth(&parsed.expr);
            entry.size = size;
            entry.body = Some(Arc::new(parsed.expr));
        }
        let of_list = |error| (name.to_owned(), error);
        self.lists.warnings.extend(parsed.warnings.into_iter().map(of_list));
        self.errors.extend(parsed.errors.into_iter().map(of_list));
        self.lists.entries.insert(name.to_owned(), entry);
    }

    /// Reads a list that another mentions; false if that one cannot be used.
    fn read_mentioned(
        &mut self,
        mention: &str,
        span: Range<usize>,
        errors: &mut Vec<SyntaxError>,
    ) -> bool {
        let Some((&name, _)) = self.sources.get_key_value(mention) else {
            errors.push(unknown(mention, span, self.sources.keys().copied()));
            return false;
        };
        if let Some(first) = self.path.iter().position(|open| *open == name) {
            let circle: Vec<String> =
                self.path.iter().skip(first).chain([&name]).map(|n| format!("@{n}")).collect();
            let message = format!("lists go in a circle: {}", circle.join(", "));
            errors.push(SyntaxError::new(span, message).hint("take one of them out"));
            return false;
        }
        if self.path.len() >= MOST_LEVELS {
            let message = format!("lists mention each other in more than {MOST_LEVELS} levels");
            errors.push(SyntaxError::new(span, message));
            return false;
        }
        self.read(name);
        self.lists.entries.get(name).is_some_and(|entry| entry.body.is_some())
    }
}
