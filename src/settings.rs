//! What is saved between runs of the program: one small JSON file in the platform's own place.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// The variable that names another folder for what is saved.
pub const HOME_VARIABLE: &str = "VITRINE_HOME";

/// What people chose, and where they left off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The prompt that was open last.
    pub prompt: PromptSettings,
    /// The model that was open last; the program's own choice if `None`.
    pub model: Option<String>,
    /// Light, dark, or as the system has it.
    pub theme: ThemeChoice,
    /// The size of everything, 1 is normal.
    pub scale: f32,
    /// The size of everything before a room, 1.5 to 3.
    pub present_scale: f32,
    /// Whether things move when they change.
    pub motion: bool,
    /// Steps per second while it steps by itself.
    pub speed: f32,
    /// Inner size of the window, in points.
    pub window: [f32; 2],
    /// Whether the rail is shown.
    pub rail: bool,
    /// Whether the side panel is shown.
    pub side: bool,
    /// Recorded runs that were opened last, newest first.
    pub recent: Vec<PathBuf>,
    /// Whether the first walk through the six stops is over.
    pub has_walked: bool,
    /// System prompts that were kept for the chat.
    pub prompts: Vec<SavedPrompt>,
    /// Folders with lessons of one's own.
    pub lesson_folders: Vec<PathBuf>,
}

/// A system prompt with a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedPrompt {
    /// What it is found by.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// A prompt, and how the model reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromptSettings {
    /// What was typed.
    pub text: String,
    /// What stands before it as the system's message; only in a chat.
    pub system: String,
    /// As it is, or as a message in the model's chat template.
    pub is_chat: bool,
    /// Start of the random numbers.
    pub seed: u64,
}

/// Light, dark, or as the system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// As the system has it.
    #[default]
    System,
    /// Warm paper.
    Light,
    /// Near-black.
    Dark,
}

/// The prompt of the first start.
pub const EXAMPLE: &str = "When Anna and Tom went to the park, Tom gave a book to";

impl Default for PromptSettings {
    fn default() -> Self {
        Self {
            text: EXAMPLE.to_owned(),
            system: String::new(),
            is_chat: false,
            seed: 7,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prompt: PromptSettings::default(),
            model: None,
            theme: ThemeChoice::System,
            scale: 1.0,
            present_scale: 1.5,
            motion: true,
            speed: 1.0,
            window: [1280.0, 800.0],
            rail: true,
            side: true,
            recent: Vec::new(),
            has_walked: false,
            prompts: Vec::new(),
            lesson_folders: Vec::new(),
        }
    }
}

impl Settings {
    /// The folder they are kept in: `VITRINE_HOME`, else the platform's own place; `None` if there
    /// is none.
    #[must_use]
    pub fn folder() -> Option<PathBuf> {
        let chosen = std::env::var_os(HOME_VARIABLE).filter(|home| !home.is_empty());
        chosen.map(PathBuf::from).or_else(|| {
            let folders = directories::ProjectDirs::from("", "", "vitrine")?;
            Some(folders.config_dir().to_owned())
        })
    }

    /// What was saved in `folder`; the defaults if nothing was.
    ///
    /// # Errors
    /// If there is a file that cannot be read: it stays as it is until something is saved.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(error).with_context(|| cannot_read(&path)),
        };
        let settings: Self = serde_json::from_str(&text).with_context(|| cannot_read(&path))?;
        Ok(settings.in_range())
    }

    /// Writes them into `folder`, all of them or nothing.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        let write = || {
            fs::create_dir_all(folder)?;
            let unfinished = folder.join(format!("{FILE}.unfinished"));
            fs::write(&unfinished, serde_json::to_string_pretty(self)?)?;
            anyhow::Ok(fs::rename(&unfinished, &path)?)
        };
        write().with_context(|| format!("cannot save the settings in {}", path.display()))
    }

    /// Numbers that a file may hold but a window cannot use are brought into range.
    fn in_range(mut self) -> Self {
        let within = |value: f32, low: f32, high: f32, default: f32| match value.is_finite() {
            true => value.clamp(low, high),
            false => default,
        };
        self.scale = within(self.scale, 0.5, 3.0, 1.0);
        self.present_scale = within(self.present_scale, 1.5, 3.0, 1.5);
        self.speed = within(self.speed, 0.25, 16.0, 1.0);
        let [width, height] = self.window;
        self.window = [
            within(width, 640.0, 8_000.0, 1280.0),
            within(height, 400.0, 8_000.0, 800.0),
        ];
        self
    }
}

const FILE: &str = "settings.json";

fn cannot_read(path: &Path) -> String {
    format!(
        "the settings in {} cannot be read, so the defaults are used",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_they_were_saved() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("new/folder");
        assert_eq!(Settings::load(&folder).unwrap(), Settings::default());
        let settings = Settings {
            theme: ThemeChoice::Dark,
            scale: 1.5,
            ..Settings::default()
        };
        settings.save(&folder).unwrap();
        assert_eq!(Settings::load(&folder).unwrap(), settings);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_file_of_another_version_gives_what_it_has() {
        let home = tempfile::tempdir().unwrap();
        let text = r#"{"scale": 99, "speed": 2, "moon": true}"#;
        fs::write(home.path().join(FILE), text).unwrap();
        let settings = Settings::load(home.path()).unwrap();
        assert_eq!((settings.scale, settings.speed), (3.0, 2.0));
        assert_eq!(settings.prompt.text, EXAMPLE);
    }

    #[test]
    fn a_broken_file_is_told_of() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(FILE), "{").unwrap();
        let error = Settings::load(home.path()).unwrap_err();
        assert!(
            error.to_string().contains("the defaults are used"),
            "{error}"
        );
    }
}
