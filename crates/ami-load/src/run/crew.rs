//! The workers of a run, each on a thread of its own with its own runtime.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use super::Setup;
use crate::ledger::Batch;
use crate::worker::{Links, Notice, Order, Worker};

#[derive(Debug)]
pub(super) struct Crew {
    orders: Vec<mpsc::UnboundedSender<Order>>,
    pub(super) notices: mpsc::UnboundedReceiver<Notice>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Crew {
    pub(super) fn start(setup: &Arc<Setup>, batches: &SyncSender<Batch>) -> Self {
        let (notice_sender, notices) = mpsc::unbounded_channel();
        let mut crew = Self {
            orders: Vec::new(),
            notices,
            threads: Vec::new(),
        };
        for index in 0..setup.plan.workers {
            let (orders_sender, orders) = mpsc::unbounded_channel();
            let links = Links {
                orders,
                notices: notice_sender.clone(),
                collector: batches.clone(),
            };
            let setup = Arc::clone(setup);
            let thread = std::thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || work(setup, index, links))
                .expect("the system gives a thread at the start of a run");
            crew.orders.push(orders_sender);
            crew.threads.push(thread);
        }
        crew
    }

    pub(super) fn len(&self) -> usize {
        self.threads.len()
    }

    pub(super) fn order(&self, order: Order) {
        for worker in &self.orders {
            // A worker that has ended on an error is found when it is joined.
            let _ = worker.send(order);
        }
    }

    /// Lets every worker finish; the first error of one is the run's.
    pub(super) async fn finish(self) -> io::Result<()> {
        self.order(Order::Finish);
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            let join = |thread: JoinHandle<_>| thread.join().expect("a worker does not panic");
            threads.into_iter().map(join).fold(Ok(()), Result::and)
        });
        joined.await.expect("joining threads does not panic")
    }
}

fn work(setup: Arc<Setup>, index: u16, links: Links) -> io::Result<()> {
    let notices = links.notices.clone();
    let done = drive(setup, index, links);
    if done.is_err() {
        // Without a listener the run is over already.
        let _ = notices.send(Notice::Broken);
    }
    done
}

fn drive(setup: Arc<Setup>, index: u16, links: Links) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        Worker::new(setup, index, links)?.run().await
    })
}
