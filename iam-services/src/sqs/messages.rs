//! The messages of one queue, and which of them can be received.
//!
//! INVARIANT: `due` has each message once, by the time when it can be received next; `groups` has each message of a
//! group, in order.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::attributes::Attributes;
use super::message::Message;

/// Messages by the number in which they came.
#[derive(Default)]
pub(super) struct Messages {
    by_number: BTreeMap<u64, Message>,
    due: BTreeSet<(u64, u64)>,
    /// For a FIFO queue.
    groups: HashMap<String, BTreeSet<u64>>,
    /// What was sent in the last five minutes, by deduplication id: message id and number.
    sent: HashMap<String, (String, u64)>,
    /// The same by time.
    sent_at: VecDeque<(u64, String)>,
    last: u64,
}

/// How many messages there are.
pub(super) struct Counts {
    pub(super) visible: usize,
    pub(super) delayed: usize,
    pub(super) in_flight: usize,
}

/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html>.
const DEDUPLICATED_FOR: u64 = 5 * 60 * 1000;

impl Messages {
    /// The id and number of a message that was sent with this deduplication id just now.
    pub(super) fn duplicate(&mut self, id: &str, now: u64) -> Option<(String, u64)> {
        while let Some((_, id)) = self.sent_at.pop_front_if(|(at, _)| *at + DEDUPLICATED_FOR <= now) {
            self.sent.remove(&id);
        }
        self.sent.get(id).cloned()
    }

    /// Remembers a message's deduplication id.
    pub(super) fn deduplicate(&mut self, id: String, message: &str, number: u64, now: u64) {
        self.sent.insert(id.clone(), (message.to_owned(), number));
        self.sent_at.push_back((now, id));
    }

    /// Puts a message at the end, and tells its number.
    pub(super) fn push(&mut self, message: Message) -> u64 {
        self.last += 1;
        let number = self.last;
        self.due.insert((message.visible_at, number));
        if let Some(group) = &message.group {
            self.groups.entry(group.clone()).or_default().insert(number);
        }
        self.by_number.insert(number, message);
        number
    }

    pub(super) fn get(&self, number: u64) -> Option<&Message> {
        self.by_number.get(&number)
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Message> {
        let message = self.by_number.remove(&number)?;
        self.due.remove(&(message.visible_at, number));
        if let Some(group) = &message.group
            && let Some(numbers) = self.groups.get_mut(group)
        {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.groups.remove(group);
            }
        }
        Some(message)
    }

    pub(super) fn clear(&mut self) {
        *self = Self { last: self.last, ..Self::default() };
    }

    /// Lets a message be received from then on.
    pub(super) fn postpone(&mut self, number: u64, visible_at: u64) -> Option<&mut Message> {
        let message = self.by_number.get_mut(&number)?;
        self.due.remove(&(message.visible_at, number));
        self.due.insert((visible_at, number));
        message.visible_at = visible_at;
        Some(message)
    }

    /// The numbers of messages that can be received now, oldest first, at most so many.
    pub(super) fn ready(&self, now: u64, most: usize, is_fifo: bool) -> Vec<u64> {
        let due = self.due.range(..=(now, u64::MAX)).map(|(_, number)| *number);
        if !is_fifo {
            return due.take(most).collect();
        }
        // Of a group, messages come in order, and none while an earlier one is in flight.
        let mut ready = Vec::new();
        let mut seen = HashSet::new();
        for number in due {
            if ready.len() >= most {
                break;
            }
            let Some(group) = self.by_number.get(&number).and_then(|message| message.group.as_ref()) else {
                continue;
            };
            if !seen.insert(group) {
                continue;
            }
            let in_order = self.groups.get(group).into_iter().flatten().copied();
            let is_visible = |number: &u64| self.by_number.get(number).is_some_and(|m| m.visible_at <= now);
            ready.extend(in_order.take_while(is_visible).take(most - ready.len()));
        }
        ready
    }

    /// When the next message can be received that cannot yet.
    pub(super) fn next_due(&self, now: u64) -> Option<u64> {
        self.due.range((now + 1, 0)..).next().map(|(at, _)| *at)
    }

    /// Drops what is older than the queue keeps messages.
    pub(super) fn expire(&mut self, now: u64, attributes: &Attributes) {
        let kept_for = attributes.number("MessageRetentionPeriod") * 1000;
        while let Some((number, message)) = self.by_number.first_key_value() {
            if message.sent + kept_for > now {
                break;
            }
            let number = *number;
            self.remove(number);
        }
    }

    pub(super) fn counts(&self, now: u64) -> Counts {
        let later = self.due.range((now + 1, 0)..);
        let was_received =
            |(_, number): &&(u64, u64)| self.by_number.get(number).is_some_and(|m| m.received > 0);
        let hidden = later.clone().count();
        let in_flight = later.filter(was_received).count();
        Counts { visible: self.by_number.len() - hidden, delayed: hidden - in_flight, in_flight }
    }
}
