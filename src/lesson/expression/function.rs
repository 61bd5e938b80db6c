//! Functions: what is computed from values, without asking the engine.

mod all;
mod args;
mod compute;

use std::ops::RangeInclusive;

use super::Value;

/// One function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its arguments, as the page on the format writes them; what may be left out stands in `[ ]`.
    pub args: &'static str,
    /// What it gives, in one line.
    pub doc: &'static str,
    apply: fn(&[Value]) -> Result<Value, String>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// How many arguments a signature such as `list, [digits]` takes.
#[must_use]
pub fn n_args(signature: &str) -> RangeInclusive<usize> {
    let args = || signature.split(',').filter(|arg| !arg.trim().is_empty());
    let n_needed = args().filter(|arg| !arg.contains('[')).count();
    n_needed..=args().count()
}

impl Function {
    /// The function called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|function| function.name == name)
    }

    /// How many arguments it takes.
    #[must_use]
    pub fn n_args(&self) -> RangeInclusive<usize> {
        n_args(self.args)
    }

    /// Its value.
    ///
    /// # Errors
    /// If the arguments are not what it takes.
    pub fn apply(&self, args: &[Value]) -> Result<Value, String> {
        (self.apply)(args).map_err(|why| format!("{}: {why}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_tells_how_many_arguments_it_takes() {
        assert_eq!(n_args("list, [digits]"), 1..=2);
        assert_eq!(n_args(""), 0..=0);
        assert_eq!(n_args("[pos]"), 0..=1);
    }

    #[test]
    fn no_name_stands_twice() {
        for (at, function) in Function::ALL.iter().enumerate() {
            let first = Function::ALL
                .iter()
                .position(|other| other.name == function.name);
            assert_eq!(first, Some(at), "{}", function.name);
        }
    }
}
