//! Rewrites a template so that every operator pays for its work before it runs.
//!
//! minijinja has no hook in `a ~ b`: it just builds the text. So the parsed template is copied, and operands that may be large go through a
//! function that charges the [`Budget`] and hands them on: `a ~ b` becomes `whole(a) ~ whole(b)`. The result never costs more than its
//! operands, except for `*`, which is a function of its own. Filters, tests and methods charge for themselves.

mod expressions;
mod statements;

use std::sync::Arc;

use minijinja::machinery::ast::Stmt;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};

use super::budget::{Budget, TOO_DEEP, VALUE_BYTES, flat_bytes};

/// How deeply statements and expressions may be nested, chains of operators included.
const MAX_NESTING: usize = 400;

// The names begin with a space, so that no template can use or replace them.

/// Pays for everything in a value: it is compared or becomes text.
const WHOLE: &str = " whole";
/// Pays for a text, or for the places of a list: they are copied.
const PLACES: &str = " places";
/// Pays for what `in` searches; a mapping is looked up, not searched.
const SEARCHED: &str = " searched";
/// Pays for a list or mapping that was written down, so that none grows by holding itself twice.
const BUILT: &str = " built";
/// Pays for a value that a namespace keeps; a namespace inside would be a ring that is never freed.
const KEPT: &str = " kept";
/// Does `a * b`.
const REPEATED: &str = " repeated";

/// Gives the environment the functions that a rewritten template calls.
pub(super) fn add_functions(env: &mut Environment, budget: &Arc<Budget>) {
    let mut add = |name: &'static str, pay: fn(&Budget, &Value) -> Result<(), Error>| {
        let budget = Arc::clone(budget);
        env.add_function(name, move |value: Value| {
            pay(&budget, &value).map(|()| value)
        });
    };
    add(WHOLE, Budget::pay_deep);
    add(PLACES, Budget::pay_flat);
    add(BUILT, Budget::pay_places);
    add(KEPT, Budget::pay_kept);
    add(SEARCHED, |budget, value| match value.kind() {
        ValueKind::Map => budget.pay(VALUE_BYTES),
        _ => budget.pay_deep(value),
    });
    let budget = Arc::clone(budget);
    env.add_function(REPEATED, move |a: Value, b: Value| repeat(&budget, &a, &b));
}

/// `a * b`, paid by the size of the result.
fn repeat(budget: &Budget, a: &Value, b: &Value) -> Result<Value, Error> {
    let times = if a.is_number() { a } else { b };
    let what = if a.is_number() { b } else { a };
    if !what.is_number() {
        budget.pay(flat_bytes(what).saturating_mul(times.as_usize().unwrap_or(0)))?;
    }
    static PRODUCT: std::sync::LazyLock<Environment<'static>> =
        std::sync::LazyLock::new(Environment::empty);
    PRODUCT
        .compile_expression("a * b")?
        .eval(minijinja::context! { a, b })
}

/// Copies a parsed template, with every operator paid for.
///
/// # Errors
/// If it nests too deeply.
pub(super) fn rewrite<'s>(template: &Stmt<'s>, budget: &Budget) -> Result<Stmt<'s>, Error> {
    Rewriter { budget, nesting: 0 }.statement(template)
}

struct Rewriter<'b> {
    budget: &'b Budget,
    nesting: usize,
}

impl Rewriter<'_> {
    fn deeper<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.nesting >= MAX_NESTING {
            return Err(self.budget.stop(TOO_DEEP));
        }
        self.nesting += 1;
        let result = inside(self);
        self.nesting -= 1;
        result
    }
}
