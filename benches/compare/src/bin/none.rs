//! axum without any session: what the framework alone can do. The answers are constants.

use axum::Router;
use axum::routing::get;
use cloakroom_compare::{Arguments, Failure, NONE, PLAIN, listener, run};

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    run(async move {
        let routes = Router::new()
            .route("/plain", get(async || PLAIN))
            .route("/login", get(async || "signed in"))
            .route("/read", get(async || "0"))
            .route("/write", get(async || "1"))
            .route("/set", get(async || "set"))
            .route("/keys", get(async || "0"))
            .route("/logout", get(async || "signed out"))
            .route("/who", get(async || NONE));
        Ok(axum::serve(listener(arguments.port).await?, routes).await?)
    })
}
