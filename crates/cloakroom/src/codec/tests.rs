//! Values survive their stored form, whichever parser reads them.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Arbitrary JSON, padded beyond the size from which the other parser is asked.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no infinity", |n| n.is_finite()).prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_survives_its_stored_form_at_any_size(value in json(), large in any::<bool>()) {
        let padding = "é".repeat(if large { SIMD_THRESHOLD } else { 0 });
        let json = encode("field", &(&value, &padding)).unwrap();
        let read: (Value, String) = decode("field", &json).unwrap();
        prop_assert_eq!(read, (value, padding));
    }

    #[test]
    fn what_serde_json_refuses_is_refused_at_any_size(
        value in json(), large in any::<bool>(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let padding = "x".repeat(if large { SIMD_THRESHOLD } else { 0 });
        let mut json = encode("field", &(&value, &padding)).unwrap();
        let at = at.index(json.len());
        json[at] = byte;
        let plain = serde_json::from_slice::<(Value, String)>(&json);
        let read = decode::<(Value, String)>("field", &json);
        prop_assert_eq!(read.is_ok(), plain.is_ok(), "{:?} at {}", byte as char, at);
    }
}

#[test]
fn floats_keep_every_bit_at_any_size() {
    for number in [0.1, -0.0, 1e-300, f64::MIN_POSITIVE, f64::MAX, 5e-324, 123_456_789.123_456_78] {
        let many = vec![number; 1000];
        let json = encode("field", &many).unwrap();
        assert!(json.len() >= SIMD_THRESHOLD);
        let read: Vec<f64> = decode("field", &json).unwrap();
        assert!(read.iter().all(|read| read.to_bits() == number.to_bits()), "{number:e}");
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash_at_any_size() {
    for depth in [10, 127, 128, 129, 5_000, 100_000] {
        let json = ["[".repeat(depth), "]".repeat(depth)].concat();
        for json in [json.clone(), format!("{json}{}", " ".repeat(SIMD_THRESHOLD))] {
            let plain = serde_json::from_slice::<Value>(json.as_bytes()).is_ok();
            assert_eq!(decode::<Value>("field", json.as_bytes()).is_ok(), plain, "{depth}");
        }
    }
}

#[test]
fn an_error_names_field_and_type_and_never_the_value() {
    for padding in [0, SIMD_THRESHOLD] {
        let json = format!("\"top secret{}\"", " ".repeat(padding));
        let error = decode::<u32>("colour", json.as_bytes()).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("colour") && shown.contains("u32"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[test]
fn a_value_that_is_no_json_is_an_error_that_names_the_field() {
    let no_json = std::collections::HashMap::from([((1, 2), 3)]);
    let error = encode("colour", &no_json).unwrap_err();
    assert!(matches!(error, SessionError::Encode { field, .. } if field == "colour"));
}
