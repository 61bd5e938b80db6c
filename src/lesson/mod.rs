//! Lessons as data: read from Markdown, asked of the live model, judged on its tensors.
//!
//! A [`Lesson`] is read from a file ([`read`]); its texts and questions hold [`expression`]s. A
//! lesson knows no engine: evaluating tells what must be asked ([`ask::Need`], plain data), whoever
//! has an engine answers, and the value follows. So the right answer is right for any model.
//!
//! | file | holds |
//! |---|---|
//! | `parts.rs`, `question.rs` | what a lesson is made of, and who answered right |
//! | `read.rs`, `form.rs`, `prose.rs` | from a file to a lesson, or to what is wrong with it |
//! | `shown.rs` | a lesson with a model's values filled in |
//! | `expression/`, `ask.rs`, `run.rs` | what is computed, what is asked, and of which run |
//! | `about.rs`, `goal.rs` | which step explains a place, and where a step leads |
//! | `library.rs`, `progress.rs` | all lessons, reloaded when a file changes; what a learner has done |

mod about;
pub mod ask;
mod carried;
pub mod expression;
mod form;
mod goal;
pub mod library;
mod nearest;
mod parts;
mod problem;
pub mod progress;
mod prose;
mod question;
mod read;
pub mod run;
mod shown;
pub mod stops;

pub use carried::FORMAT;
pub use goal::Goal;
pub use parts::{Condition, Go, Lesson, Part, Sourced, Step, Sweep, Try};
pub use problem::{Place, Problem};
pub use prose::{Prose, ProsePiece};
pub use question::{Answer, Choice, Click, Judged, Kind, Question, Right, Tolerance};
pub use read::{MOST_BYTES, read};
pub use shown::{
    Filled, Opening, ShownGo, ShownKind, ShownPart, ShownQuestion, ShownStep, ShownTry,
};
