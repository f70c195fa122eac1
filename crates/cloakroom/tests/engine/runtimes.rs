//! Requests that are served in another runtime than that of the engine, as actix-web's workers do.

use cloakroom::{LoadOutcome, Rejection};

use crate::house::House;

#[tokio::test]
async fn a_sign_out_outlives_the_runtime_of_its_request() {
    let house = House::new();
    let cookie = house.visitor().await;
    let abandoned = house.begin(&cookie);
    let worker = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async move {
            abandoned.handle().load().await.unwrap().destroy().unwrap();
            drop(abandoned);
        });
        // It ends with whatever it had no time for.
    });
    worker.join().unwrap();
    assert!(house.engine.drain(std::time::Duration::from_secs(20)).await);
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Rejected(Rejection::Unknown));
}
