//! The list of edits: switched on and off, named, ordered, undone.

use crate::trace::edit::Edit;

/// How many changes can be undone.
const N_UNDO: usize = 100;

/// Edits in the order in which they act, and what the list was before.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EditList {
    edits: Vec<Edit>,
    past: Vec<Vec<Edit>>,
    future: Vec<Vec<Edit>>,
}

/// A change to the list. Places count from 0.
#[derive(Debug, Clone, PartialEq)]
pub enum EditChange {
    /// A new edit at the end.
    Add(Edit),
    /// Takes an edit out.
    Remove(usize),
    /// Puts another edit in the place of one.
    Replace {
        /// Its place.
        at: usize,
        /// The new one.
        edit: Edit,
    },
    /// Switches an edit on or off.
    Switch {
        /// Its place.
        at: usize,
        /// On?
        is_on: bool,
    },
    /// Switches all edits on or off.
    SwitchAll(bool),
    /// Gives an edit another name.
    Rename {
        /// Its place.
        at: usize,
        /// The name.
        name: String,
    },
    /// Moves an edit: the later of two at one place acts on what the earlier left.
    Move {
        /// From this place
        from: usize,
        /// to this one.
        to: usize,
    },
    /// Takes all edits out.
    Clear,
    /// Takes the latest change back.
    Undo,
    /// Makes the change again that was taken back last.
    Redo,
}

/// Why the list cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEditChange {
    /// The list is shorter.
    #[error("there is no edit {at}: the list has {n}")]
    NoSuchEdit {
        /// The place asked for, counted from 1 as people do.
        at: usize,
        /// How many there are.
        n: usize,
    },
    /// It is as it was at first.
    #[error("there is no change of edits to undo")]
    NothingToUndo,
    /// Nothing was undone, or something was changed since.
    #[error("there is no change of edits to make again")]
    NothingToRedo,
}

impl EditList {
    /// A list that begins with `edits`.
    #[must_use]
    pub fn new(edits: Vec<Edit>) -> Self {
        Self {
            edits,
            ..Self::default()
        }
    }

    /// The edits, in the order in which they act.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Whether any edit is on.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.edits.iter().any(|edit| edit.is_on)
    }

    /// Whether [`EditChange::Undo`] would change something.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether [`EditChange::Redo`] would change something.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// Makes `change`.
    ///
    /// # Errors
    /// If it names an edit that is not there, or there is nothing to undo; the list stays as it is.
    pub fn change(&mut self, change: EditChange) -> Result<(), NoEditChange> {
        match change {
            EditChange::Undo => {
                let past = self.past.pop().ok_or(NoEditChange::NothingToUndo)?;
                self.future.push(std::mem::replace(&mut self.edits, past));
                return Ok(());
            }
            EditChange::Redo => {
                let future = self.future.pop().ok_or(NoEditChange::NothingToRedo)?;
                self.past.push(std::mem::replace(&mut self.edits, future));
                return Ok(());
            }
            _ => {}
        }
        let before = self.edits.clone();
        self.apply(change)?;
        self.future.clear();
        self.past.push(before);
        if self.past.len() > N_UNDO {
            self.past.remove(0);
        }
        Ok(())
    }

    fn apply(&mut self, change: EditChange) -> Result<(), NoEditChange> {
        match change {
            EditChange::Add(edit) => self.edits.push(edit),
            EditChange::Remove(at) => {
                self.at(at)?;
                self.edits.remove(at);
            }
            EditChange::Replace { at, edit } => *self.at(at)? = edit,
            EditChange::Switch { at, is_on } => self.at(at)?.is_on = is_on,
            EditChange::SwitchAll(is_on) => {
                for edit in &mut self.edits {
                    edit.is_on = is_on;
                }
            }
            EditChange::Rename { at, name } => self.at(at)?.name = name,
            EditChange::Move { from, to } => {
                self.at(from)?;
                self.at(to)?;
                let edit = self.edits.remove(from);
                self.edits.insert(to, edit);
            }
            EditChange::Clear => self.edits.clear(),
            EditChange::Undo | EditChange::Redo => {}
        }
        Ok(())
    }

    fn at(&mut self, at: usize) -> Result<&mut Edit, NoEditChange> {
        let n = self.edits.len();
        let edit = self.edits.get_mut(at);
        edit.ok_or(NoEditChange::NoSuchEdit { at: at + 1, n })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &EditList) -> Vec<&str> {
        list.edits().iter().map(|edit| edit.name.as_str()).collect()
    }

    #[test]
    fn every_change_can_be_undone_and_made_again() {
        let mut list = EditList::default();
        let edit = |text: &str| text.parse::<Edit>().unwrap();
        let changes = [
            EditChange::Add(edit("hook_embed[0]=zero")),
            EditChange::Add(edit("logit(3)=ban")),
            EditChange::Rename {
                at: 0,
                name: "a".into(),
            },
            EditChange::Rename {
                at: 1,
                name: "b".into(),
            },
            EditChange::Move { from: 1, to: 0 },
            EditChange::Switch {
                at: 0,
                is_on: false,
            },
            EditChange::Replace {
                at: 1,
                edit: edit("hook_embed=mean"),
            },
            EditChange::Remove(0),
            EditChange::SwitchAll(false),
            EditChange::Clear,
        ];
        let mut seen = vec![list.edits().to_vec()];
        for change in changes {
            list.change(change).unwrap();
            seen.push(list.edits().to_vec());
        }
        assert_eq!(names(&EditList::new(seen[5].clone())), ["b", "a"]);
        for step in (0..seen.len() - 1).rev() {
            list.change(EditChange::Undo).unwrap();
            assert_eq!(list.edits(), seen[step]);
        }
        assert_eq!(
            list.change(EditChange::Undo),
            Err(NoEditChange::NothingToUndo)
        );
        for step in &seen[1..] {
            list.change(EditChange::Redo).unwrap();
            assert_eq!(list.edits(), step);
        }
        assert!(!list.can_redo() && list.can_undo());
    }

    #[test]
    fn an_edit_that_is_not_there_is_named_as_people_count() {
        let mut list = EditList::default();
        let error = list.change(EditChange::Remove(2)).unwrap_err();
        assert_eq!(error.to_string(), "there is no edit 3: the list has 0");
        assert!(!list.can_undo());
    }
}
