//! Values and their stored form: JSON, written by `serde_json`, read by whichever parser is faster
//! for the value's size.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

use crate::error::SessionError;

/// From this size in bytes on, `simd-json` reads a value faster than `serde_json`; measured by
/// `cargo bench --bench codec` in the folder `benches`.
pub const SIMD_THRESHOLD: usize = 2048;

/// How deep a value may be nested, for both parsers alike.
#[cfg(feature = "simd-json")]
const DEPTH_LIMIT: usize = 128;

/// Writes a value as JSON.
pub(crate) fn encode<T: Serialize + ?Sized>(field: &str, value: &T) -> Result<Vec<u8>, SessionError> {
    serde_json::to_vec(value).map_err(|source| SessionError::Encode {
        field: field.to_owned(),
        type_name: std::any::type_name::<T>(),
        source: Arc::new(source),
    })
}

/// Reads a value from its JSON.
pub(crate) fn decode<T: DeserializeOwned>(field: &str, json: &[u8]) -> Result<T, SessionError> {
    #[cfg(feature = "simd-json")]
    if json.len() >= SIMD_THRESHOLD
        && depth(json) <= DEPTH_LIMIT
        && let Ok(value) = simd_json::serde::from_slice(&mut json.to_vec())
    {
        return Ok(value);
    }
    // What one parser refuses the other decides, so that a feature never changes behaviour.
    serde_json::from_slice(json).map_err(|error| SessionError::Decode {
        field: field.to_owned(),
        type_name: std::any::type_name::<T>(),
        position: error.column(),
    })
}

/// How deep the value is nested.
#[cfg(feature = "simd-json")]
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
