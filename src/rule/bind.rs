//! Expressions are bound to a vocabulary: from then on their words are numbers.

use std::collections::HashMap;
use std::sync::Arc;

use super::syntax::{Expr, Kind};
use super::vocabulary::Vocabulary;

/// Binds expressions, each list once.
#[derive(Debug, Default)]
pub(super) struct Binder {
    pub(super) vocabulary: Vocabulary,
    /// Lists as they came and as they were bound, by where they came from.
    /// The first is kept so that nothing else comes to stand there.
    lists: HashMap<usize, (Arc<Expr>, Arc<Expr>)>,
    /// Whether anything looks at more than title and text.
    pub(super) looks_further: bool,
}

impl Binder {
    /// Binds an expression.
    pub(super) fn bind(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            Kind::Term(term) => term.bind(&mut |forms| self.vocabulary.adopt(forms)),
            Kind::List(list) => {
                if let Some(body) = &mut list.body {
                    *body = self.list(body);
                }
            }
            kind => {
                if let Kind::Scoped(fields, _) = kind {
                    self.looks_further |= fields.is_further();
                }
                // Regular expressions last: they are dear.
                if let Kind::And(parts) = kind {
                    parts.sort_by_key(Expr::is_dear);
                }
                for child in expr.children_mut() {
                    self.bind(child);
                }
            }
        }
    }

    fn list(&mut self, body: &Arc<Expr>) -> Arc<Expr> {
        let key = Arc::as_ptr(body) as usize;
        if let Some((_, bound)) = self.lists.get(&key) {
            return Arc::clone(bound);
        }
        let mut own = Expr::clone(body);
        self.bind(&mut own);
        let bound = Arc::new(own);
        self.lists.insert(key, (Arc::clone(body), Arc::clone(&bound)));
        bound
    }
}
