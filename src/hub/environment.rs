//! What the environment says about the hub: where it is, who asks, and where downloads go.
//!
//! The variables and files are those of Python's `huggingface_hub` (its `constants.py`), so that a machine
//! that was set up for one is set up for both. Proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`)
//! are read where connections are made.

use std::fmt;
use std::path::PathBuf;

use super::cache::ModelCache;
use super::remote::RemoteError;

/// The public hub.
pub const PUBLIC_ENDPOINT: &str = "https://huggingface.co";

/// Where the hub is, who asks, and where downloads go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubEnvironment {
    /// The hub's address, without a slash at its end.
    pub endpoint: String,
    /// Who asks; gated and private models need it.
    pub token: Option<Token>,
    /// Whether the network is not to be used (`HF_HUB_OFFLINE`).
    pub is_offline: bool,
    /// The cache that Python's tools share.
    pub cache: ModelCache,
}

/// An access token. It is shown to nobody: not in messages, not in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token in `text`, without what surrounds it; `None` if there is nothing.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_plain.then(|| Self(text.to_owned()))
    }

    /// The token itself, for the request's header.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl HubEnvironment {
    /// As this process's environment has it.
    pub fn from_env() -> Self {
        Self::from_variables(&|name| std::env::var(name).ok())
    }

    /// As `variable` has it.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| {
            let value = variable(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let is_set = |name: &str| {
            let value = get(name).unwrap_or_default().to_ascii_uppercase();
            matches!(value.as_str(), "1" | "ON" | "YES" | "TRUE")
        };
        let endpoint = get("HF_ENDPOINT").unwrap_or_else(|| PUBLIC_ENDPOINT.to_owned());
        let token = match is_set("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
            true => None,
            false => get("HF_TOKEN")
                .or_else(|| get("HUGGING_FACE_HUB_TOKEN"))
                .or_else(|| std::fs::read_to_string(token_file(variable)).ok())
                .and_then(|text| Token::new(&text)),
        };
        Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token,
            is_offline: is_set("HF_HUB_OFFLINE") || is_set("TRANSFORMERS_OFFLINE"),
            cache: ModelCache::locate(variable),
        }
    }

    /// The page of the model `id`, with its card and licence.
    pub fn page_of(&self, id: &str) -> String {
        format!("{}/{id}", self.endpoint)
    }

    /// Checks that the hub may be asked, and that its address is one.
    ///
    /// # Errors
    /// If the environment says offline, or the address has no `http://` or `https://`.
    pub fn check(&self) -> Result<(), RemoteError> {
        if self.is_offline {
            return Err(RemoteError::Offline);
        }
        let address = reqwest::Url::parse(&self.endpoint);
        let is_web = address.is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        is_web
            .then_some(())
            .ok_or_else(|| RemoteError::BadEndpoint {
                endpoint: self.endpoint.clone(),
            })
    }
}

/// The file that `hf auth login` writes.
fn token_file(variable: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let home = super::home_folder(variable);
    match variable("HF_TOKEN_PATH").filter(|path| !path.is_empty()) {
        Some(path) => super::expand_home(&path, home.as_deref()),
        None => super::cache::hf_home(variable).join("token"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> HubEnvironment {
        HubEnvironment::from_variables(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_token_comes_from_its_variable_or_the_login_file_and_is_never_printed() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().display().to_string();
        assert_eq!(environment(&[("HF_HOME", &folder)]).token, None);
        std::fs::write(home.path().join("token"), "hf_file\n").unwrap();
        let found = environment(&[("HF_HOME", &folder)]);
        assert_eq!(found.token, Token::new("hf_file"));
        assert!(!format!("{found:?}").contains("hf_file"));
        let found = environment(&[("HF_HOME", &folder), ("HF_TOKEN", " hf_variable ")]);
        assert_eq!(found.token, Token::new("hf_variable"));
        let silent = ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
        assert_eq!(environment(&[("HF_TOKEN", "hf_x"), silent]).token, None);
        let elsewhere = home.path().join("elsewhere");
        std::fs::write(&elsewhere, "hf_elsewhere").unwrap();
        let path = elsewhere.display().to_string();
        assert_eq!(
            environment(&[("HF_TOKEN_PATH", &path)]).token,
            Token::new("hf_elsewhere")
        );
    }

    #[test]
    fn the_hub_is_the_public_one_unless_the_environment_names_another() {
        assert_eq!(environment(&[]).endpoint, PUBLIC_ENDPOINT);
        let mirror = environment(&[("HF_ENDPOINT", "http://mirror.local:8080/hf/")]);
        assert_eq!(mirror.endpoint, "http://mirror.local:8080/hf");
        assert!(mirror.check().is_ok());
        assert_eq!(
            mirror.page_of("org/name"),
            "http://mirror.local:8080/hf/org/name"
        );
        for bad in ["mirror.local", "ftp://mirror", "http://"] {
            let said = environment(&[("HF_ENDPOINT", bad)]).check().unwrap_err();
            assert!(said.to_string().contains("HF_ENDPOINT"), "{said}");
        }
        let offline = environment(&[("HF_HUB_OFFLINE", "yes")]).check();
        assert!(offline.unwrap_err().to_string().contains("HF_HUB_OFFLINE"));
        assert!(environment(&[("HF_HUB_OFFLINE", "0")]).check().is_ok());
    }
}
