//! Names that nothing gives a value to, and questions that stand twice.

use std::collections::HashSet;

use super::Reader;
use crate::lesson::expression::{Mistake, Named};
use crate::lesson::parts::Lesson;

impl Reader<'_> {
    /// Names that nothing gives a value to, and questions that stand twice.
    pub(super) fn check(&mut self, lesson: &Lesson) {
        let scope = &lesson.scope;
        let known = |over: &[String], named: Named<'_>| match named {
            Named::Value(name) => {
                scope.values.contains_key(name) || over.iter().any(|own| own == name)
            }
            Named::Run(name, n_args) => scope
                .runs
                .get(name)
                .is_some_and(|run| run.over.len() == n_args),
        };
        let mut found: Vec<(usize, Mistake)> = Vec::new();
        for sourced in lesson.expressions() {
            let checked = sourced.value.check_names(&|named| known(&[], named));
            found.extend(checked.err().map(|mistake| (sourced.start, mistake)));
        }
        for (name, start) in &lesson.value_starts {
            let checked = scope
                .values
                .get(name)
                .map(|value| value.check_names(&|named| known(&[], named)));
            found.extend(
                checked
                    .and_then(Result::err)
                    .map(|mistake| (*start, mistake)),
            );
        }
        for (name, run) in &scope.runs {
            let mistakes = run.expressions().filter_map(|expression| {
                expression
                    .check_names(&|named| known(&run.over, named))
                    .err()
            });
            let named = |mistake: Mistake| Mistake::new(0, format!("in run '{name}': {mistake}"));
            found.extend(mistakes.map(|mistake| (0, named(mistake))));
        }
        for run in lesson.run_names() {
            let (name, n_args) = (&run.value.name, run.value.args.len());
            if !known(&[], Named::Run(name, n_args)) {
                let message =
                    format!("there is no run '{name}' with {n_args} arguments under [runs]");
                found.push((run.start, Mistake::new(0, message)));
            }
        }
        let mut ids = HashSet::new();
        for (_, question) in lesson.questions() {
            if !ids.insert(&question.id) {
                let message =
                    "this question stands twice in the lesson; progress could not tell them apart";
                found.push((question.start, Mistake::new(0, message)));
            }
        }
        for (start, mistake) in found {
            self.problem(start + mistake.at, mistake.message);
        }
    }
}
