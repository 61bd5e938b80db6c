//! The lessons inside the program: the files of `lessons/`.

/// The page on the format, for authors.
pub const FORMAT: &str = include_str!("../../lessons/FORMAT.md");

macro_rules! carried {
    ($($name:literal)*) => {
        /// Each lesson by the name of its file, with its text.
        pub const CARRIED: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../lessons/", $name, ".md"))),)*
        ];
    };
}

carried! {
    "tour"
    "tokens"
    "merge"
    "embedding-row"
    "word-map"
    "word-order"
    "four-bits"
    "rope"
    "query-key-value"
    "map-by-hand"
    "crane"
    "kv-cache"
    "copying-heads"
    "sink"
    "layers-add"
    "mlp"
    "softmax"
    "sampling"
    "one-at-a-time"
    "why-it-stops"
    "prefill-decode"
    "break-it"
    "small-big"
    "what-it-does-not-say"
}
