//! Short names for models that are worth a try, and names of one's own.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::HubError;

/// A model that is known by a short name. Its figures are those of its published config; they stand in until
/// the model is here and its own files can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortName {
    /// The short name.
    pub name: &'static str,
    /// Its Hugging Face id.
    pub id: &'static str,
    /// What it is good for, in a few words.
    pub what: &'static str,
    /// `model_type` of its config.
    pub family: &'static str,
    /// Its parameters.
    pub parameters: u64,
    /// Blocks, key and value heads of each, and the width of a head: what the KV cache grows with.
    pub kv: [usize; 3],
    /// Widths of the residual stream and of the MLP, query heads, and tokens of the vocabulary: what a pass grows with.
    pub shape: [usize; 4],
    /// The longest context it was made for.
    pub context: usize,
}

impl ShortName {
    /// About how much is downloaded: four bits a weight, and a 16-bit scale and bias for each 64 of them.
    pub const fn about_bytes(&self) -> u64 {
        self.parameters / 16 * 9
    }
}

/// Every short name, small ones first; the models inside the program are beside these.
pub const SHORT_NAMES: [ShortName; 12] = [
    ShortName {
        name: "tiny",
        id: "mlx-community/Qwen2.5-0.5B-Instruct-4bit",
        what: "the smallest that holds a conversation",
        family: "qwen2",
        parameters: 494_032_768,
        kv: [24, 2, 64],
        shape: [896, 4_864, 14, 151_936],
        context: 32_768,
    },
    ShortName {
        name: "small",
        id: "mlx-community/Qwen2.5-1.5B-Instruct-4bit",
        what: "quick, and knows more",
        family: "qwen2",
        parameters: 1_543_714_304,
        kv: [28, 2, 128],
        shape: [1_536, 8_960, 12, 151_936],
        context: 32_768,
    },
    ShortName {
        name: "smol",
        id: "mlx-community/SmolLM2-1.7B-Instruct-4bit",
        what: "small, trained in the open",
        family: "llama",
        parameters: 1_711_376_384,
        kv: [24, 32, 64],
        shape: [2_048, 8_192, 32, 49_152],
        context: 8_192,
    },
    ShortName {
        name: "phi",
        id: "mlx-community/phi-2-hf-4bit-mlx",
        what: "a base model trained on textbooks",
        family: "phi",
        parameters: 2_779_683_840,
        kv: [32, 32, 80],
        shape: [2_560, 10_240, 32, 51_200],
        context: 2_048,
    },
    ShortName {
        name: "medium",
        id: "mlx-community/Qwen2.5-3B-Instruct-4bit",
        what: "a good answer on most machines",
        family: "qwen2",
        parameters: 3_085_938_688,
        kv: [36, 2, 128],
        shape: [2_048, 11_008, 16, 151_936],
        context: 32_768,
    },
    ShortName {
        name: "llama",
        id: "mlx-community/Llama-3.2-3B-Instruct-4bit",
        what: "chat in several languages, long context",
        family: "llama",
        parameters: 3_212_749_824,
        kv: [28, 8, 128],
        shape: [3_072, 8_192, 24, 128_256],
        context: 131_072,
    },
    ShortName {
        name: "phi3",
        id: "mlx-community/Phi-3-mini-4k-instruct-4bit",
        what: "reasoning in a small model",
        family: "phi3",
        parameters: 3_821_079_552,
        kv: [32, 32, 96],
        shape: [3_072, 8_192, 32, 32_064],
        context: 4_096,
    },
    ShortName {
        name: "code",
        id: "mlx-community/CodeLlama-7b-Instruct-hf-4bit",
        what: "programs and questions about them",
        family: "llama",
        parameters: 6_738_546_688,
        kv: [32, 32, 128],
        shape: [4_096, 11_008, 32, 32_016],
        context: 16_384,
    },
    ShortName {
        name: "mistral",
        id: "mlx-community/Mistral-7B-Instruct-v0.3-4bit",
        what: "a well-known all-rounder",
        family: "mistral",
        parameters: 7_248_023_552,
        kv: [32, 8, 128],
        shape: [4_096, 14_336, 32, 32_768],
        context: 32_768,
    },
    ShortName {
        name: "llama8",
        id: "mlx-community/Meta-Llama-3.1-8B-Instruct-4bit",
        what: "an all-rounder with a long context",
        family: "llama",
        parameters: 8_030_261_248,
        kv: [32, 8, 128],
        shape: [4_096, 14_336, 32, 128_256],
        context: 131_072,
    },
    ShortName {
        name: "qwen3",
        id: "mlx-community/Qwen3-8B-4bit",
        what: "thinks before it answers, if asked to",
        family: "qwen3",
        parameters: 8_190_735_360,
        kv: [36, 8, 128],
        shape: [4_096, 12_288, 32, 151_936],
        context: 40_960,
    },
    ShortName {
        name: "qwen3-14",
        id: "mlx-community/Qwen3-14B-4bit",
        what: "the same, larger",
        family: "qwen3",
        parameters: 14_768_307_200,
        kv: [40, 8, 128],
        shape: [5_120, 17_408, 40, 151_936],
        context: 40_960,
    },
];

/// The model of this short name.
pub fn short(name: &str) -> Option<&'static ShortName> {
    SHORT_NAMES.iter().find(|known| known.name == name)
}

/// The short name of the model `id`.
pub fn short_of(id: &str) -> Option<&'static ShortName> {
    SHORT_NAMES.iter().find(|known| known.id == id)
}

/// Names of one's own: a file that is small enough to be written by hand, `{"work": "org/model"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnNames(BTreeMap<String, String>);

impl OwnNames {
    /// Where they are kept: `models.json` in `VITRINE_HOME`, else in the platform's folder for settings.
    pub fn path() -> Option<PathBuf> {
        let chosen = std::env::var_os("VITRINE_HOME").filter(|home| !home.is_empty());
        let folder = chosen.map(PathBuf::from).or_else(|| {
            let folders = directories::ProjectDirs::from("", "", "vitrine")?;
            Some(folders.config_dir().to_owned())
        });
        Some(folder?.join("models.json"))
    }

    /// The names in the file at `path`; none if there is no file.
    ///
    /// # Errors
    /// If there is one that is no list of names.
    pub fn load(path: &Path) -> Result<Self, HubError> {
        let unreadable = |why: String| HubError::Unreadable {
            path: path.display().to_string(),
            why,
        };
        match fs::read_to_string(path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| unreadable(error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    /// Writes them to the file at `path`, all of them or nothing.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), HubError> {
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let unfinished = path.with_extension("json.unfinished");
            fs::write(&unfinished, serde_json::to_string_pretty(self)?)?;
            fs::rename(&unfinished, path)
        };
        write().map_err(|error: io::Error| HubError::Unwritable {
            path: path.display().to_string(),
            why: error.to_string(),
        })
    }

    /// What `name` stands for.
    pub fn target(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Lets `name` stand for `target`, an id, a short name or a folder; `None` forgets the name.
    ///
    /// # Errors
    /// If the name is taken by the program, or cannot be typed as one.
    pub fn set(&mut self, name: &str, target: Option<&str>) -> Result<(), HubError> {
        let is_taken = short(name).is_some() || super::EmbeddedModel::from_name(name).is_some();
        if is_taken || name.contains('/') || !super::cache::is_id(name) {
            return Err(HubError::BadName {
                name: name.to_owned(),
            });
        }
        match target {
            Some(target) => self.0.insert(name.to_owned(), target.to_owned()),
            None => self.0.remove(name),
        };
        Ok(())
    }

    /// Every name and what it stands for, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, target)| (name.as_str(), target.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_name_is_one_of_a_kind_and_leads_to_an_id() {
        for known in &SHORT_NAMES {
            assert_eq!(short(known.name), Some(known));
            assert_eq!(short_of(known.id), Some(known));
            assert!(known.id.contains('/') && super::super::cache::is_id(known.id));
            assert!(super::super::EmbeddedModel::from_name(known.name).is_none());
        }
        let sizes = SHORT_NAMES.map(|known| known.parameters);
        assert!(sizes.is_sorted(), "small ones first");
        let tiny = short("tiny").unwrap().about_bytes();
        assert!((277_000_000..279_000_000).contains(&tiny), "{tiny}");
    }

    #[test]
    fn own_names_are_kept_and_take_no_others_place() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new/models.json");
        let mut names = OwnNames::load(&path).unwrap();
        names.set("work", Some("org/model")).unwrap();
        names.set("mine", Some("~/models/mine")).unwrap();
        names.save(&path).unwrap();
        let mut found = OwnNames::load(&path).unwrap();
        assert_eq!(found, names);
        assert_eq!(found.target("work"), Some("org/model"));
        found.set("work", None).unwrap();
        assert_eq!(found.target("work"), None);
        for bad in ["tiny", "classroom", "a/b", "", "a b"] {
            let said = found.set(bad, Some("org/model")).unwrap_err();
            assert!(said.to_string().contains("another name"), "{said}");
        }
        fs::write(&path, "[1]").unwrap();
        assert!(OwnNames::load(&path).is_err());
    }
}
