//! Why the hub did not give what was asked: one sentence each, with what to do.

use std::time::Duration;

use thiserror::Error;

use crate::trace::units;

/// Why the hub did not give what was asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RemoteError {
    /// The environment says not to use the network.
    #[error(
        "HF_HUB_OFFLINE is set, so the network is not used. Unset it to ask the hub; models that are here work all the same."
    )]
    Offline,
    /// The hub's address is none.
    #[error(
        "HF_ENDPOINT is {endpoint:?}, which is no web address. Write one like https://huggingface.co, or unset it."
    )]
    BadEndpoint {
        /// The address.
        endpoint: String,
    },
    /// No connection, or it broke.
    #[error(
        "cannot reach {endpoint}: {why}. Check the connection and the proxy settings (HTTPS_PROXY), and try again; \
         what has arrived is kept."
    )]
    Unreachable {
        /// The hub's address.
        endpoint: String,
        /// What happened.
        why: String,
    },
    /// There is no such model, or it is another's private one.
    #[error("there is no model {id} at {endpoint}, or it is private. Check the spelling{hint}.")]
    NotFound {
        /// The model's id.
        id: String,
        /// The hub's address.
        endpoint: String,
        /// What else to try.
        hint: &'static str,
    },
    /// Its makers ask for an agreement first.
    #[error(
        "{id} is gated: its makers ask for an agreement first. Accept it on {page} while logged in there, \
         then {next}."
    )]
    Gated {
        /// The model's id.
        id: String,
        /// The page where to agree.
        page: String,
        /// What remains to be done.
        next: &'static str,
    },
    /// The token is not taken.
    #[error(
        "the hub does not accept the access token (from HF_TOKEN or the login file). Make a new one in the settings of \
         your account there, and log in again with `hf auth login`."
    )]
    BadToken,
    /// Too many requests.
    #[error("the hub asks for fewer requests{}. Wait, or log in: it allows more then.", wait(.after))]
    Limited {
        /// How long to wait, where it says.
        after: Option<Duration>,
    },
    /// The hub's own fault.
    #[error(
        "the hub has trouble of its own (it answered {status}). Try again later; what has arrived is kept."
    )]
    Trouble {
        /// The HTTP status.
        status: u16,
    },
    /// A refusal of another kind.
    #[error(
        "the hub refused with status {status}{said}. Check the model's page and what your account may read."
    )]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its own words, in brackets.
        said: String,
    },
    /// An answer that is none.
    #[error(
        "what {endpoint} answered cannot be used: {why}. Check HF_ENDPOINT, or try again later."
    )]
    Nonsense {
        /// The hub's address.
        endpoint: String,
        /// What is wrong with it.
        why: String,
    },
}

fn wait(after: &Option<Duration>) -> String {
    after.map_or(String::new(), |after| {
        format!(" for {}", units::duration(after))
    })
}

impl RemoteError {
    /// Whether the same request may succeed a little later.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Limited { .. } | Self::Trouble { .. }
        )
    }

    /// How long the hub asks to wait.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Limited { after } => *after,
            _ => None,
        }
    }
}

/// What is known of a refusal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) status: u16,
    /// `X-Error-Code`: the hub's word for the reason.
    pub(crate) code: Option<String>,
    /// `X-Error-Message`: its sentence.
    pub(crate) message: Option<String>,
    /// `Retry-After`.
    pub(crate) after: Option<Duration>,
}

impl Refusal {
    /// A refusal of which only the status is known.
    pub(crate) fn with_status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// What the response says.
    pub(crate) fn of(response: &reqwest::Response) -> Self {
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        Self {
            status: response.status().as_u16(),
            code: header("x-error-code"),
            message: header("x-error-message"),
            // A date is allowed here too, but the hub sends seconds.
            after: header("retry-after")
                .and_then(|text| text.trim().parse().ok())
                .map(Duration::from_secs),
        }
    }

    /// The sentence for whoever asked for the model `id`.
    pub(crate) fn explain(self, id: &str, endpoint: &str, has_token: bool) -> RemoteError {
        let code = self.code.as_deref().unwrap_or_default();
        let not_found = RemoteError::NotFound {
            id: id.to_owned(),
            endpoint: endpoint.to_owned(),
            hint: if has_token {
                " and whether your account may read it"
            } else {
                ", or log in with `hf auth login` if it is yours"
            },
        };
        let gated = RemoteError::Gated {
            id: id.to_owned(),
            page: format!("{endpoint}/{id}"),
            next: if has_token {
                "try again: the token that is set may read it then"
            } else {
                "log in with `hf auth login` or set HF_TOKEN"
            },
        };
        match (self.status, code) {
            (_, "GatedRepo") => gated,
            (401, "RepoNotFound") | (404, _) => not_found,
            // The hub tells a wrong token from a missing one only by this.
            (401, _) if has_token => RemoteError::BadToken,
            (401, _) => not_found,
            (429, _) => RemoteError::Limited { after: self.after },
            (500.., _) | (408, _) => RemoteError::Trouble {
                status: self.status,
            },
            (status, _) => {
                let said = self.message.unwrap_or_default();
                let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
                RemoteError::Refused {
                    status,
                    said: if said.is_empty() {
                        said
                    } else {
                        format!(" ({said})")
                    },
                }
            }
        }
    }
}

/// The plain reason inside a chain of network errors: its last link says what happened.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut link: &dyn std::error::Error = error;
    while let Some(next) = link.source() {
        link = next;
    }
    let text = link.to_string();
    // An address may hold a signature that is nobody's business.
    let text = text.split(" for url").next().unwrap_or_default();
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect()
}
