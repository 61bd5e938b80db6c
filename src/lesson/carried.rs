//! The lessons inside the program: the files of `lessons/`.

/// The page on the format, for authors.
pub const FORMAT: &str = include_str!("../../lessons/FORMAT.md");

macro_rules! carried {
    ($($name:literal)*) => {
        /// Each lesson by the name of its file, with its text.
        pub const CARRIED: &[(&str, &str)] = &[
            $((concat!($name, ".md"), include_str!(concat!("../../lessons/", $name, ".md"))),)*
        ];
    };
}

carried! {
    "crane"
}
