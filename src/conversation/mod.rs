//! x
/// s
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct State {}
