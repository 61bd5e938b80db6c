//! The models inside the program, so that a first start needs no network.
//!
//! The classroom model is 3.15 million parameters of the qwen2 architecture, trained from scratch on text of
//! our own; `assets/classroom/training` has its model card. It is carried twice: in 4 bits, and before rounding.

/// A model that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EmbeddedModel {
    /// The classroom model in 4 bits, 1.8 MB.
    Classroom4,
    /// The same model in float16, 6.3 MB, for comparison.
    Classroom16,
}

/// One model's files, by name.
type Files = [(&'static str, &'static [u8]); 5];

/// Puts the files of a folder under `assets/` into the program.
macro_rules! files_of {
    ($folder:literal) => {
        [
            files_of!($folder, "config.json"),
            files_of!($folder, "generation_config.json"),
            files_of!($folder, "model.safetensors"),
            files_of!($folder, "tokenizer.json"),
            files_of!($folder, "tokenizer_config.json"),
        ]
    };
    ($folder:literal, $file:literal) => {
        (
            $file,
            include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/assets/",
                $folder,
                "/",
                $file
            )),
        )
    };
}

static CLASSROOM_4: Files = files_of!("classroom");
static CLASSROOM_16: Files = files_of!("classroom-16bit");

impl EmbeddedModel {
    /// Every model inside the program, the usual one first.
    pub const ALL: [Self; 2] = [Self::Classroom4, Self::Classroom16];

    /// The name it is asked for by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Classroom4 => "classroom",
            Self::Classroom16 => "classroom-16bit",
        }
    }

    /// The model of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }

    /// The size of all its files.
    pub fn n_bytes(self) -> u64 {
        let files = match self {
            Self::Classroom4 => &CLASSROOM_4,
            Self::Classroom16 => &CLASSROOM_16,
        };
        files.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// The bytes of one of its files, e.g. `tokenizer.json`.
    pub fn file(self, name: &str) -> Option<&'static [u8]> {
        let files = match self {
            Self::Classroom4 => &CLASSROOM_4,
            Self::Classroom16 => &CLASSROOM_16,
        };
        files
            .iter()
            .find(|(file, _)| *file == name)
            .map(|(_, bytes)| *bytes)
    }

    /// The bytes of its `model.safetensors`.
    pub fn weights(self) -> &'static [u8] {
        self.file("model.safetensors").unwrap_or_default()
    }
}
