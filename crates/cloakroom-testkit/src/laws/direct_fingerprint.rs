//! Fingerprints in direct use: who may get a session, and what a refusal leaves behind.

use cloakroom::{FingerprintMode, SessionFingerprint, SessionKey, SessionStorage};

use super::direct::holding;
use super::sample::found;
use super::{Fixture, Settings};

/// The three modes against the same visitor, a neighbour, a stranger, another browser and nobody.
pub async fn a_fingerprint_decides_by_its_mode_who_gets_a_session(fixture: &impl Fixture) {
    let visitor = |address| Some(SessionFingerprint::new(address, "Browser/1"));
    let other_browser = Some(SessionFingerprint::new("192.0.2.7", "Browser/2"));
    use FingerprintMode::{Disabled, Soft, Strict};
    for (mode, accepted) in [
        (Disabled, [true, true, true, true, true, true]),
        (Soft, [true, true, true, false, false, true]),
        (Strict, [true, true, false, false, false, false]),
    ] {
        let settings = Settings { fingerprint_mode: mode, ..Settings::default() };
        let storage = fixture.open(&settings).await;
        assert_eq!(storage.fingerprint_mode(), mode);
        let recorded = SessionFingerprint::new("192.0.2.7", "Browser/1");
        let data = holding("a", "1").with_fingerprint(recorded);
        storage.set("ann", &data, None).await.unwrap();
        let requests = [
            visitor("192.0.2.7"),
            visitor("::ffff:192.0.2.7"),
            visitor("192.0.2.250"),
            visitor("198.51.100.7"),
            other_browser.clone(),
            None,
        ];
        for (request, accepted) in requests.iter().zip(accepted) {
            let got = storage.get("ann", request.as_ref()).await.unwrap();
            let address = request.as_ref().and_then(SessionFingerprint::address);
            assert_eq!(got.is_some(), accepted, "{mode:?} {address:?}");
        }
    }
}

/// A session without a fingerprint is everybody's, in every mode.
pub async fn a_session_without_a_fingerprint_is_accepted(fixture: &impl Fixture) {
    let request = SessionFingerprint::new("192.0.2.7", "Browser/1");
    for mode in [FingerprintMode::Disabled, FingerprintMode::Soft, FingerprintMode::Strict] {
        let settings = Settings { fingerprint_mode: mode, ..Settings::default() };
        let storage = fixture.open(&settings).await;
        storage.set("ann", &holding("a", "1"), None).await.unwrap();
        assert!(storage.get("ann", Some(&request)).await.unwrap().is_some(), "{mode:?}");
        assert!(storage.get("ann", None).await.unwrap().is_some(), "{mode:?}");
    }
}

/// A stranger gets nothing and changes nothing: not the session, and not its lifetime.
pub async fn a_mismatch_leaves_the_record_alone(fixture: &impl Fixture) {
    let settings = Settings { fingerprint_mode: FingerprintMode::Strict, ..Settings::default() };
    let (storage, unit) = (fixture.open(&settings).await, fixture.unit());
    let owner = SessionFingerprint::new("192.0.2.7", "Browser/1");
    let thief = SessionFingerprint::new("192.0.2.8", "Browser/1");
    let data = holding("a", "1").with_fingerprint(owner.clone());
    storage.set("ann", &data, unit * 6).await.unwrap();
    let key = SessionKey::from_name("ann");
    let before = found(&storage, &key).await;
    // So late that a rightful read would renew the lifetime.
    fixture.pass(unit * 4).await;
    for stranger in [Some(&thief), None] {
        assert!(storage.get("ann", stranger).await.unwrap().is_none());
    }
    assert_eq!(found(&storage, &key).await.as_bytes(), before.as_bytes());
    let data = storage.get("ann", Some(&owner)).await.unwrap().unwrap();
    assert_eq!(data.fingerprint(), Some(owner));
}
