//! [`house`]: an engine on a storage that is well until the test makes it ill.

use cloakroom::{MemorySessionStorage, Policy};
use cloakroom_testkit::{AilingStorage, ManualClock};

use crate::house::House;

pub(crate) fn house(change: impl FnOnce(&mut Policy)) -> (House, AilingStorage) {
    let clock = ManualClock::new();
    let memory = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let ailing = AilingStorage::new(memory);
    (House::on(ailing.clone(), clock, change), ailing)
}
