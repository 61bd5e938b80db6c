//! Where a step leads: an address, and the tab of its picture: `hook_embed#row`.

use std::str::FromStr;

use crate::trace::{Address, NoAddress};

/// An address, and which tab of its picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// What is shown.
    pub address: Address,
    /// The tab by its name in lower case; the one that was open last if `None`.
    pub tab: Option<String>,
}

impl FromStr for Goal {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let (address, tab) = match text.split_once('#') {
            Some((address, tab)) => (address, Some(tab.trim().to_lowercase())),
            None => (text, None),
        };
        Ok(Self {
            address: address.parse().map_err(|_| NoAddress(text.to_owned()))?,
            tab: tab.filter(|tab| !tab.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_stands_behind_the_address() {
        let goal: Goal = "hook_embed[3]#Row".parse().unwrap();
        assert_eq!(goal.address.to_string(), "hook_embed[3]");
        assert_eq!(goal.tab.as_deref(), Some("row"));
        assert_eq!("tokens".parse::<Goal>().unwrap().tab, None);
        assert!("moon#row".parse::<Goal>().is_err());
    }
}
