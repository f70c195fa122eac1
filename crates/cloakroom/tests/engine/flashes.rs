//! Flash messages: none is lost, each is taken once.

use cloakroom::{Answer, FlashLevel, Session};

use crate::house::House;

fn texts(session: &Session) -> Vec<String> {
    session.take_flashes().unwrap().iter().map(|flash| flash.text().to_owned()).collect()
}

#[tokio::test]
async fn messages_are_shown_once_and_in_order() {
    let house = House::new();
    let leave = |session: &Session| {
        session.flash(FlashLevel::Success, "saved").unwrap();
        session.flash(FlashLevel::Warning, "but late").unwrap();
    };
    let cookie = house.visit(None, leave).await.unwrap();
    let show = |session: &Session| {
        let flashes = session.take_flashes().unwrap();
        assert_eq!(flashes[0].level(), FlashLevel::Success);
        assert_eq!((flashes[0].text(), flashes[1].text()), ("saved", "but late"));
        assert!(session.take_flashes().unwrap().is_empty(), "once within a request, too");
    };
    house.visit(&cookie, show).await;
    assert_eq!(house.look(&cookie, texts).await, Vec::<String>::new());
    assert_eq!(house.look(&cookie, Session::field_names).await, Vec::<String>::new());
}

#[tokio::test]
async fn messages_of_parallel_requests_all_arrive() {
    let house = House::new();
    let cookie = house.visitor().await;
    let mut scopes = Vec::new();
    for number in 0..10 {
        let scope = house.begin(&cookie);
        let session = scope.handle().load().await.unwrap();
        session.flash(FlashLevel::Info, number.to_string()).unwrap();
        scopes.push(scope);
    }
    for scope in scopes {
        assert!(scope.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
    }
    let wanted: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    assert_eq!(house.look(&cookie, texts).await, wanted);
}

#[tokio::test]
async fn a_message_that_arrives_while_others_are_taken_stays_for_the_next_page() {
    let house = House::new();
    let leave = |session: &Session| session.flash(FlashLevel::Info, "first").unwrap();
    let cookie = house.visit(None, leave).await.unwrap();
    let page = house.begin(&cookie);
    assert_eq!(texts(&page.handle().load().await.unwrap()), ["first"]);
    house.visit(&cookie, |session| session.flash(FlashLevel::Info, "second").unwrap()).await;
    assert!(page.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
    assert_eq!(house.look(&cookie, texts).await, ["second"]);
}

#[tokio::test]
async fn a_message_that_two_pages_took_at_the_same_moment_is_gone_afterwards() {
    let house = House::new();
    let leave = |session: &Session| session.flash(FlashLevel::Info, "first").unwrap();
    let cookie = house.visit(None, leave).await.unwrap();
    let pages = [house.begin(&cookie), house.begin(&cookie)];
    for page in &pages {
        texts(&page.handle().load().await.unwrap());
    }
    for page in pages {
        assert!(page.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
    }
    assert_eq!(house.look(&cookie, texts).await, Vec::<String>::new());
}
