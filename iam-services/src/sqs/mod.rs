//! SQS: queues and their messages.
//!
//! See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html>. Message move tasks are not
//! performed.

mod attributes;
mod batch;
mod message;
mod messages;
mod permission;
mod queue;
mod receive;
mod send;

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::kept::{Ask, Operation, Service};
use crate::scope::Arn;
use crate::tags::Tags;
use crate::wire::{Json, Wire};
use queue::Queue;

/// The queues of an account in a region, by name.
#[derive(Default)]
pub(crate) struct State {
    queues: BTreeMap<String, Queue>,
}

impl Service for State {
    const NAME: &'static str = "sqs";
    const WIRE: Wire = Wire::Json(Json {
        namespace: "com.amazonaws.sqs#",
        query_codes: Some(&[
            ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
            ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
            ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
            ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
            ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
            ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
            ("QueueNameExists", "QueueAlreadyExists"),
            ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
            ("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"),
        ]),
        ..Json::V1_0
    });
    const INVALID: &'static str = "InvalidParameterValue";
    const OWNERS: &'static [&'static str] = &["QueueUrl", "QueueOwnerAWSAccountId"];

    fn operation(name: &str) -> Option<Operation<Self>> {
        Some(match name {
            "AddPermission" => permission::add,
            "ChangeMessageVisibility" => receive::change_visibility,
            "ChangeMessageVisibilityBatch" => receive::change_visibility_batch,
            "CreateQueue" => queue::create,
            "DeleteMessage" => receive::delete,
            "DeleteMessageBatch" => receive::delete_batch,
            "DeleteQueue" => queue::delete,
            "GetQueueAttributes" => queue::attributes,
            "GetQueueUrl" => queue::url,
            "ListDeadLetterSourceQueues" => queue::list_sources,
            "ListQueueTags" => queue::list_tags,
            "ListQueues" => queue::list,
            "PurgeQueue" => queue::purge,
            "ReceiveMessage" => receive::receive,
            "RemovePermission" => permission::remove,
            "SendMessage" => send::send,
            "SendMessageBatch" => send::send_batch,
            "SetQueueAttributes" => queue::set_attributes,
            "TagQueue" => queue::tag,
            "UntagQueue" => queue::untag,
            _ => return None,
        })
    }

    fn tags(&self, arn: &Arn<'_>) -> Option<Tags> {
        Some(self.queues.get(arn.resource).map(|queue| queue.tags.clone()).unwrap_or_default())
    }
}

impl State {
    /// The queue of the `QueueUrl`.
    fn queue(&mut self, ask: &Ask<'_>) -> Result<&mut Queue, Fault> {
        let url = ask.input.required("QueueUrl")?;
        let name = url.rsplit('/').next().unwrap_or(url);
        self.queues.get_mut(name).ok_or_else(no_such_queue)
    }
}

fn no_such_queue() -> Fault {
    Fault::new("QueueDoesNotExist", "The specified queue does not exist.")
}
