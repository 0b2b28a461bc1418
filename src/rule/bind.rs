//! Expressions are bound to a vocabulary: from then on their words are numbers.

use std::collections::HashMap;
use std::sync::Arc;

use super::syntax::{Expr, Fields, Kind};
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
            Kind::Term(term) => {
                for step in &mut term.steps {
                    self.vocabulary.adopt(&mut step.forms);
                }
                for join in &mut term.joins {
                    self.vocabulary.adopt(&mut join.forms);
                }
                term.steps.shrink_to_fit();
            }
            Kind::List(list) => {
                if let Some(body) = &mut list.body {
                    *body = self.list(body);
                }
            }
            kind => {
                if let Kind::Scoped(fields, _) = kind {
                    self.looks_further |= !matches!(
                        fields,
                        Fields::Both | Fields::Title | Fields::Text | Fields::Lead | Fields::Hlead
                    );
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
