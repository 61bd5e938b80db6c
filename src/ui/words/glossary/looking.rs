//! Terms of looking into a model and changing it.

use super::{Term, named, word};

pub(super) const TERMS: &[Term] = &[
    named(
        "hook",
        &["hooks", "hook point", "hook name"],
        "blocks.{i}.…",
        "The published name of a value inside a pass. It is an address on the screen, in a trace, on the command line and in a lesson.",
    ),
    word(
        "trace",
        &["traces"],
        "A file with what a pass computed. It opens without the model, and in Python.",
    ),
    word(
        "parity",
        &["parity badge"],
        "Watching must not change the answer. The badge shows the largest difference between the logits of the watched pass and of a plain one, and whether the top token is the same.",
    ),
    word(
        "breakpoint",
        &["breakpoints"],
        "A place where the run stops by itself, always or only if a condition holds.",
    ),
    word(
        "logit lens",
        &["lens"],
        "The final norm and the output table, applied to a state in the middle of the network. It shows what the output table reads there; a low rank does not mean that the knowledge is absent.",
    ),
    word(
        "rank",
        &["ranks"],
        "The place of a token among all of the vocabulary, the likeliest being 1.",
    ),
    word(
        "contribution",
        &["contributions", "logit attribution"],
        "How much one part's write adds to a token's logit, with the final norm held as it was. The parts add up to the logit.",
    ),
    word(
        "ablation",
        &["ablate", "switch off"],
        "Switching a part off and looking at what changes. It shows what this text's answer needs here; it can also break things that have nothing to do with it.",
    ),
    word(
        "patching",
        &["patch", "activation patching"],
        "Putting in a value from another run. If the answer follows, the value carried what differs between the two.",
    ),
    word(
        "edit",
        &["edits", "experiment"],
        "A change to one value of a run: set, scaled, blocked or taken from elsewhere. Everything after it is computed anew.",
    ),
    word(
        "sweep",
        &["sweeps"],
        "The same edit at every head, or at every block and position, and how much each changes the answer.",
    ),
    word(
        "baseline",
        &[],
        "The run without edits, kept to compare with.",
    ),
    word(
        "KL divergence",
        &["KL"],
        "How far one distribution is from another, in bits: 0 if they are equal.",
    ),
];
