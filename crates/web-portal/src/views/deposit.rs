use askama::Template;

use super::chrome::{Chrome, Section};
use crate::site::Identity;

/// How to deposit.
#[derive(Debug, Template)]
#[template(path = "deposit.html")]
pub(crate) struct DepositPage {
    pub chrome: Chrome,
    /// This node's address, for commands.
    pub url: String,
}

impl DepositPage {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self { chrome: Chrome::new(identity, Section::Deposit, "Deposit"), url: identity.url.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_this_node_and_the_example_crate_is_json() {
        let page = DepositPage::new(&Identity::example()).render().unwrap();
        assert!(page.contains("https://europe.example.org"));
        let example = page
            .split_once("<pre id=\"example-crate\" tabindex=\"0\"><code>")
            .unwrap()
            .1
            .split_once("</code>")
            .unwrap()
            .0;
        let example: serde_json::Value = serde_json::from_str(example).unwrap();
        assert!(example["@graph"].as_array().unwrap().len() > 3);
    }
}
