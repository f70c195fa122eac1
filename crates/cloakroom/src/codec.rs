//! Values and their stored form: JSON, written by `serde_json`, read by whichever parser is faster
//! for the value's size.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::SessionError;

/// From this size in bytes on, `simd-json` reads a value faster than `serde_json`: structs from about
/// 1 KiB, `serde_json::Value` from about 2 KiB. Measured by the program `codec` in the folder
/// `benches`.
pub const SIMD_THRESHOLD: usize = 2048;

/// How deep a value may be nested, for both parsers alike.
#[cfg(feature = "simd-json")]
const DEPTH_LIMIT: usize = 127;

/// Writes a value as JSON.
pub(crate) fn encode<T: Serialize + ?Sized>(
    field: &str,
    value: &T,
) -> Result<Vec<u8>, SessionError> {
    // What the serialiser says may hold the value.
    serde_json::to_vec(value).map_err(|_| SessionError::Encode {
        field: field.to_owned(),
        type_name: std::any::type_name::<T>(),
    })
}

/// Reads a value from its JSON.
pub(crate) fn decode<T: DeserializeOwned>(field: &str, json: &[u8]) -> Result<T, SessionError> {
    #[cfg(feature = "simd-json")]
    if json.len() >= SIMD_THRESHOLD
        && let Ok(value) = decode_large(json)
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

/// Reads a value with the parser that writes to its input, hence the copy.
#[cfg(feature = "simd-json")]
fn decode_large<T: DeserializeOwned>(json: &[u8]) -> simd_json::Result<T> {
    let mut buffers = simd_json::Buffers::with_max_depth(json.len(), DEPTH_LIMIT);
    simd_json::serde::from_slice_with_buffers(&mut json.to_vec(), &mut buffers)
}

#[cfg(test)]
mod tests;
