//! The content of a sealed part.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The content of a sealed part. All of it is personal, or may be.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Secret {
    /// Codici fiscali, in the order of their tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cf: Vec<String>,
    /// The operator, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Office named by the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    /// Protocols, in the order of their tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protocol: Vec<String>,
    /// Address of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The ente's own number of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// Reason of an administrative act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A DSU, in exclusive canonical form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dsu: Option<String>,
    /// The whole DSU as it counts after this one, if this one refers to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effettiva: Option<String>,
    /// An attestation: element `Attestazione`. As it goes out in a reply, without a namespace of its own; of
    /// version 1, compact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<String>,
    /// The summary of the attestation, in its own bytes.
    #[serde(skip)]
    pub indicatori: Option<Vec<u8>>,
    /// The specific ISEE: its lines, by their names. No published schema carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specifico: Option<serde_json::Value>,
    /// The receipt of a DSU, or the outcome of a lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// The versions of other DSU used for an attestation, by their protocols.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub riferite: Option<Vec<String>>,
    /// Records of a feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<Box<RawValue>>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}
