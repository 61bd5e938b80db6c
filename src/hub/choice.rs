//! Which model to use where several places may say it.

use std::fmt;
use std::io::Read;

/// The model's name, and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The name, to be resolved.
    pub name: String,
    /// Where the name comes from, for messages.
    pub origin: Origin,
}

/// The places that can name a model, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--model`.
    Flag,
    /// The variable `VITRINE_MODEL`.
    VitrineModel,
    /// The variable `DEFAULT_MODEL`.
    DefaultModel,
    /// `DEFAULT_MODEL` in the file `.env` of the current folder.
    DotEnv,
    /// Nobody said anything.
    BuiltIn,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            Self::Flag => "--model",
            Self::VitrineModel => "the variable VITRINE_MODEL",
            Self::DefaultModel => "the variable DEFAULT_MODEL",
            Self::DotEnv => "DEFAULT_MODEL in the file .env",
            Self::BuiltIn => "the built-in choice",
        })
    }
}

/// The model to use: `--model`, else `VITRINE_MODEL`, else `DEFAULT_MODEL` from the environment or from `.env` in the
/// current folder, else `classroom`. Empty values count as absent.
pub fn choose(flag: Option<&str>) -> Choice {
    choose_from(flag, &|name| std::env::var(name).ok(), read_dot_env)
}

/// [`choose`], with the environment and the text of `.env` given.
pub fn choose_from(
    flag: Option<&str>,
    variable: &dyn Fn(&str) -> Option<String>,
    dot_env: impl FnOnce() -> Vec<u8>,
) -> Choice {
    let named = |name: Option<String>, origin: Origin| {
        let name = name
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())?;
        Some(Choice { name, origin })
    };
    named(flag.map(str::to_owned), Origin::Flag)
        .or_else(|| named(variable("VITRINE_MODEL"), Origin::VitrineModel))
        .or_else(|| named(variable("DEFAULT_MODEL"), Origin::DefaultModel))
        .or_else(|| named(default_model_in(&dot_env()), Origin::DotEnv))
        .unwrap_or_else(|| Choice {
            name: "classroom".to_owned(),
            origin: Origin::BuiltIn,
        })
}

/// The text of `.env` in the current folder; empty where there is none.
fn read_dot_env() -> Vec<u8> {
    const MAX_BYTES: u64 = 1 << 20;
    let mut text = Vec::new();
    // Asked before opening: a pipe of this name would keep us waiting.
    if std::fs::metadata(".env").is_ok_and(|info| info.is_file())
        && let Ok(file) = std::fs::File::open(".env")
        && file.take(MAX_BYTES).read_to_end(&mut text).is_err()
    {
        text.clear();
    }
    text
}

/// `DEFAULT_MODEL` in the text of a `.env`; the last one counts, lines that make no sense are passed over.
///
/// The file is only read: none of its variables become part of this process's environment.
fn default_model_in(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let pairs = dotenvy::from_read_iter(text.as_bytes()).flatten();
    pairs
        .filter(|(name, _)| name == "DEFAULT_MODEL")
        .map(|(_, value)| value)
        .last()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(flag: Option<&str>, variables: &[(&str, &str)], dot_env: &str) -> (String, Origin) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let choice = choose_from(flag, &variable, || dot_env.as_bytes().to_vec());
        (choice.name, choice.origin)
    }

    #[test]
    fn the_strongest_place_decides() {
        let variables = [("VITRINE_MODEL", "b"), ("DEFAULT_MODEL", "c")];
        let dot_env = "DEFAULT_MODEL=d";
        assert_eq!(
            chosen(Some("a"), &variables, dot_env),
            ("a".into(), Origin::Flag)
        );
        assert_eq!(
            chosen(None, &variables, dot_env),
            ("b".into(), Origin::VitrineModel)
        );
        assert_eq!(
            chosen(Some(" "), &variables[1..], dot_env),
            ("c".into(), Origin::DefaultModel)
        );
        assert_eq!(
            chosen(None, &[("VITRINE_MODEL", "")], dot_env),
            ("d".into(), Origin::DotEnv)
        );
        assert_eq!(chosen(None, &[], ""), ("classroom".into(), Origin::BuiltIn));
    }

    #[test]
    fn a_dot_env_file_is_read_with_its_comments_and_mistakes() {
        let text =
            "# models\nexport OTHER=1\nthis is no assignment\nDEFAULT_MODEL=\"org/name\" # ours\n";
        assert_eq!(chosen(None, &[], text).0, "org/name");
        assert_eq!(chosen(None, &[], "DEFAULT_MODEL=a\nDEFAULT_MODEL=b").0, "b");
        assert_eq!(chosen(None, &[], "\u{0}\u{1}='\n\"").0, "classroom");
    }

    #[test]
    fn other_variables_of_a_dot_env_file_stay_in_the_file() {
        chosen(None, &[], "VITRINE_LEAK_TEST=1\nDEFAULT_MODEL=a");
        assert!(std::env::var_os("VITRINE_LEAK_TEST").is_none());
    }
}
