//! A call: of something that there is, with as many arguments as it takes.

use super::super::{Called, Expression, Function, Mistake, Node, RunName};
use crate::lesson::ask::Ask;
use crate::lesson::nearest::nearest;

/// A call of something that there is, with as many arguments as it takes.
pub(super) fn call(
    name: String,
    run: Option<RunName>,
    args: Vec<Expression>,
    at: usize,
) -> Result<Expression, Mistake> {
    let (called, takes) = if let Some(ask) = Ask::named(&name) {
        (Called::Ask(ask, run), ask.n_args())
    } else if let Some(function) = Function::named(&name) {
        if run.is_some() {
            let message = format!("{name} is computed from its arguments; no run stands before it");
            return Err(Mistake::new(at, message));
        }
        (Called::Function(function), function.n_args())
    } else {
        let known = Ask::ALL.iter().map(|ask| ask.name());
        let known = known.chain(Function::ALL.iter().map(|function| function.name));
        let hint = nearest(&name, known).map_or(String::new(), |near| format!("; is it {near}?"));
        let message =
            format!("there is nothing called {name}{hint} ('vitrine lessons format' lists all)");
        return Err(Mistake::new(at, message));
    };
    if !takes.contains(&args.len()) {
        let (least, most) = (takes.start(), takes.end());
        let takes = match least == most {
            true => least.to_string(),
            false => format!("{least} to {most}"),
        };
        let message = format!("{name} takes {takes} arguments, not {}", args.len());
        return Err(Mistake::new(at, message));
    }
    let node = Node::Call(called, args);
    Ok(Expression { node, at })
}
